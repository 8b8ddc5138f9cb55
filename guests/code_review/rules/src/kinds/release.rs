//! Locks, releases and scopes that were there and went.

use super::resource::{in_small_block, say};
use super::{pattern, Report};
use crate::lang::Lang;
use crate::view::{words_of, FileView, View};

pub fn lock_gone(view: &View, file: &FileView, at: usize, report: &mut Report) -> bool {
    let takes = pattern!(
        r"^\s*(?:await\s+)?[\w.>()-]*(?:mu|mtx|mutex|lock|lk|sem|semaphore|rw)\w*(?:\.|->)(?:R?Lock|lock|acquire
            |AcquireAsync|WaitAsync|Wait|EnterWriteLock|lock_shared)\(\)?|\bstd::(?:lock_guard|scoped_lock
            |unique_lock|shared_lock)\b|^\s*(?:async\s+)?with\s+(?:await\s+)?[\w.]*lock\w*(?:\(\))?\s*:
            |^\s*lock\s*\(\s*\w|\bsynchronized\s*\(|\bpthread_mutex_lock\(|^\s*(?:mutex_lock|spin_lock\w*
            |rcu_read_lock|down_write|down_read)\(|\bselect_for_update\(|with_for_update\(|\bFOR UPDATE\b
            |\block!\s*$|\bwith_lock\b|\.lockForUpdate\(|@synchronized\(
            |^\s*(?:async\s+)?with\s+transaction\.atomic|@transaction\.atomic|@Transactional\b
            |\bObjectSpace.*synchronize|\.synchronize\s+do|let (?:mut )?\w+ = [\w.]+\.lock\(\)"
    );
    let line = &file.lines[at];
    if !takes.is_match(&line.code) && !line.live.contains("FOR UPDATE") || !in_small_block(file, at, 10) {
        return false;
    }
    let any = pattern!(
        r"(?i)lock|mutex|synchroni|atomic|semaphore|transaction|for update|concurrent|channel|\bchan\b|once\b|serial
            |queue"
    );
    let again =
        view.files.iter().filter(|f| !f.place.test).flat_map(|f| &f.lines).any(|l| l.is_new() && any.is_match(&l.live));
    if again || file.pair_of(at).is_some_and(|new| any.is_match(&new.live)) {
        return false;
    }
    say(
        report,
        file,
        at,
        "lock-removed",
        76,
        "The lock around this went and what it guarded stays, so two callers \
        can now be inside at once. Keep it, or show why only one can get here.",
    )
}

/// A call that gave something back.
pub fn release_gone(view: &View, file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let gives = pattern!(
        r"^\s*(?:return\s*(?:\(\)\s*=>
            |function\s*\(\)\s*\{)\s*(?:\{\s*)?)?(?:defer\s+)?(?:await\s+)?(?:(\w[\w.>\[\]-]*?)(?:\.|->
            |\?\.)(?:Close|close|Unlock|RUnlock|unlock|release|Release|dispose|Dispose|DisposeAsync|Stop|stop
            |shutdown|Shutdown|disconnect|unsubscribe|cancel|Cancel|Body\.Close|destroy|terminate|abort|recycle
            |cleanup|free)\(\)|(?:cancel|unsubscribe|clearInterval|clearTimeout|free|kfree|fclose|close|closedir
            |delete|munmap|g_free|sqlite3_finalize|(?:\w+\.)*removeEventListener|CFRelease|av_free\w*|EVP_\w+_free
            |BN_free
            |OPENSSL_free|Py_X?DECREF|put_device|of_node_put|kobject_put|dev_put|sock_put|fput|\w*mutex_unlock
            |spin_unlock\w*|\w+_(?:free|unref|put|destroy|release|close|unlock|cleanup|dispose)|curl_easy_cleanup
            |xmlFree\w*|mysqli?_free_result)\s*\(?\s*([\w.>\[\]&*-]*)(?:['\x22].*)?\)?)\s*;?\s*$"
    );
    let Some(hit) = gives.find(code) else { return false };
    if line.pair.is_some() || !in_small_block(file, at, 8) {
        return false;
    }
    let target = if hit.group(1).is_empty() { hit.group(2) } else { hit.group(1) };
    let name = words_of(target).last().unwrap_or("").to_owned();
    let release = pattern!(
        r"(?i)close|unlock|release|dispose|stop|shutdown|disconnect|unsubscribe|cancel|free|clear|delete|destroy
            |cleanup|finaliz|decref|put|using\b|\bwith\b|terminate|reset|defer|finally|unique_ptr|shared_ptr|drop\(
            |recycle|abort"
    );
    let again = view
        .files
        .iter()
        .filter(|f| !f.place.test)
        .flat_map(|f| &f.lines)
        .any(|l| l.is_new() && release.is_match(&l.code) && (name.is_empty() || l.code.contains(&name)));
    // Another one below does the same, unless this one stood on a way out of its own.
    let out = file.below(at, 3).find(|l| !l.is_removed() && !l.is_added() && !l.is_blank());
    let own_way = out.is_some_and(|l| {
        l.indent() == line.indent() && pattern!(r"^\s*(?:return|goto|throw|continue|break)\b").is_match(&l.code)
    });
    let below = if own_way { 0 } else { 40 };
    let still = file.below(at, below).chain(file.above(at, if own_way { 2 } else { 12 })).any(|l| {
        !l.is_removed()
            && gives.find(&l.code).is_some_and(|h| {
                let other = if h.group(1).is_empty() { h.group(2) } else { h.group(1) };
                other == target
            })
    });
    // What it was taken by is still there.
    let takes = pattern!(
        r"(?i)=|\bopen|lock\w*\(|acquire|connect|subscribe|\bnew\b|alloc|create|start|addEventListener|setInterval
            |setTimeout|with(?:Timeout|Cancel)|get_device|query|Do\(|Get\("
    );
    let taken = !name.is_empty()
        && file
            .above(at, 60)
            .any(|l| !l.is_removed() && takes.is_match(&l.code) && words_of(&l.code).any(|w| w == name));
    let end_of_life = pattern!(
        r"(?i)unmount|destroy|dispose|teardown|dealloc|deinit|disconnected|onstop|close|cleanup|shutdown
            |__exit__|finalize"
    );
    let at_the_end = end_of_life.is_match(file.context_of(at))
        || file.above(at, 6).any(|l| l.code.contains('(') && end_of_life.is_match(&l.code));
    let undoes = pattern!(r"removeEventListener|clearInterval|clearTimeout|unsubscribe|disconnect").is_match(code);
    if again || still || !(taken || at_the_end && undoes) {
        return false;
    }
    say(
        report,
        file,
        at,
        "release-removed",
        74,
        "What is taken above is no longer given back here, so each call \
        leaves one behind. Keep the release, on the error paths too.",
    )
}

/// `finally` went; what stood in it now runs only when nothing fails.
pub fn finally_gone(file: &FileView, at: usize, report: &mut Report) {
    let finally = pattern!(r"^\s*\}?\s*(?:finally|ensure)\b\s*[:{]?\s*$");
    if !finally.is_match(&file.lines[at].code)
        || file.lines.iter().any(|l| {
            l.is_added() && pattern!(r"\bfinally\b|\bensure\b|\busing\b|\bwith\b|\bdefer\b|try\s*\(").is_match(&l.code)
        })
    {
        return;
    }
    let next = file.lines[at + 1..].iter().take(4).find(|l| !l.is_blank());
    if next.is_some_and(|l| l.is_removed() && l.moved) && in_small_block(file, at, 12) {
        say(
            report,
            file,
            at,
            "release-removed",
            74,
            "This now runs only when nothing fails before it. Keep it in `finally`.",
        );
    }
}

/// `with open(…)`, `using var`, `try (…)` became a plain assignment.
pub fn no_longer_scoped(file: &FileView, at: usize, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let (old, new) = (old.code.as_str(), file.lines[at].code.as_str());
    let scoped = match file.lang {
        Lang::Python => {
            pattern!(r"^\s*(?:async\s+)?with\s.*\bas\s+\w+\s*:").is_match(old)
                && pattern!(r"^\s*\w+\s*=\s*\w").is_match(new)
                && !new.contains("with ")
        }
        Lang::CSharp => {
            pattern!(r"\busing\s*(?:\(|var\b|\w+\s+\w+\s*=)").is_match(old)
                && !new.contains("using")
                && new.contains('=')
        }
        Lang::Java | Lang::Kotlin => {
            (pattern!(r"\btry\s*\(").is_match(old) && !pattern!(r"\btry\b").is_match(new) && new.contains('='))
                || old.contains(".use {")
                    && !new.contains(".use")
                    && pattern!(r"(?i)stream|reader|writer|cursor|connection|socket").is_match(new)
        }
        Lang::Ruby => {
            pattern!(r"\b(?:open|File\.open|synchronize|transaction|mktmpdir|Tempfile\.create)\b.*\bdo\s*\|")
                .is_match(old)
                && !new.contains(" do")
                && new.contains('=')
        }
        Lang::Cpp => {
            pattern!(r"\b(?:unique_ptr|shared_ptr|make_unique|make_shared|QScopedPointer)\b").is_match(old)
                && pattern!(r"\bnew\s+\w|\bmalloc\(").is_match(new)
                && !pattern!(r"_ptr|make_").is_match(new)
        }
        _ => false,
    };
    let closes =
        file.below(at, 30).any(|l| pattern!(r"\.close\(|\.Dispose\(|\.dispose\(|finally|delete ").is_match(&l.code));
    scoped
        && !closes
        && say(
            report,
            file,
            at,
            "not-closed",
            78,
            "This was closed by its block, whatever happened; \
        now nothing closes it when something fails. Keep the block.",
        )
}

/// Related rows that were fetched with the others are now fetched one by one.
pub fn load_gone(view: &View, file: &FileView, at: usize, report: &mut Report) -> bool {
    let eager = pattern!(
        r"\.(?:select_related|prefetch_related|includes|preload|eager_load|joinedload|selectinload|Preload
            |ThenInclude|Include|with)\(\s*['\x22:\[\w(]|@BatchSize|@EntityGraph|JOIN FETCH"
    );
    let line = &file.lines[at];
    if !eager.is_match(&line.live)
        || line.live.contains(".with(") && file.lang != Lang::Php
        || line.live.contains(".includes(") && file.lang != Lang::Ruby
        || line.live.contains("Include(") && file.lang != Lang::CSharp
    {
        return false;
    }
    let again = view.files.iter().flat_map(|f| &f.lines).any(|l| {
        l.is_added()
            && pattern!(
                r"(?i)select_related
        |prefetch|includes\(|preload|eager_load|joinedload|selectinload|include\(|->with\(|::with\(|join"
            )
            .is_match(&l.live)
    });
    if again || !in_small_block(file, at, 8) {
        return false;
    }
    say(
        report,
        file,
        at,
        "one-query-each",
        66,
        "What was loaded together with the rows is now asked for once a row. Keep loading it together.",
    )
}
