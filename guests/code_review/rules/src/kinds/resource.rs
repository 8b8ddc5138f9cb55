//! What is taken and not given back, locks that went, waits and loops without an end.

use super::release::{finally_gone, load_gone, lock_gone, no_longer_scoped, release_gone};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::view::{words_of, FileView, View};

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        if file.place.is_harmless() || !file.lang.is_code() || file.is_deleted_file() {
            continue;
        }
        for at in 0..file.lines.len() {
            let line = &file.lines[at];
            if line.is_blank() {
                continue;
            }
            if line.is_removed() {
                finally_gone(file, at, report);
            }
            if line.is_gone() {
                let _ = lock_gone(view, file, at, report)
                    || release_gone(view, file, at, report)
                    || load_gone(view, file, at, report);
            } else if line.is_new() {
                let _ = no_longer_scoped(file, at, report)
                    || endless_attempts(file, at, report)
                    || timeout_gone(file, at, report)
                    || bound_gone(file, at, report)
                    || not_atomic(file, at, report)
                    || taken(file, at, report)
                    || held_on_return(file, at, report)
                    || effect(file, at, report)
                    || endless(file, at, report);
            }
        }
    }
}

pub fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: &str) -> bool {
    let severity = if score >= 72 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::Resource, rule, severity, score, message.to_owned());
    true
}

/// Code removed with the function around it says nothing.
pub fn in_small_block(file: &FileView, at: usize, most: usize) -> bool {
    let declares = pattern!(
        r"^\s*(?:(?:public|private|protected|internal|static|async|export|override|pub|virtual)\s+)*(?:def|func
            |function|fn|fun|class|struct|interface)\b"
    );
    file.blocks.iter().find(|b| b.lines.contains(&at)).is_some_and(|b| {
        b.removed.len() <= most
            && !b.removed.iter().any(|i| declares.is_match(&file.lines[*i].code) && file.lines[*i].pair.is_none())
    })
}

/// A number of attempts that was given and no longer is.
fn endless_attempts(file: &FileView, at: usize, report: &mut Report) -> bool {
    let attempts = pattern!(
        r"(?i)\bfor\b.*(?:attempt|retr|tries|try)\w*.*(?:range\(|<|\bin\b|\.\.)|\bwhile\b.*(?:attempt|retr
            |tries)\w*\s*(?:<|>|!=)"
    );
    let for_ever = pattern!(
        r"\bwhile\s*\(?\s*(?:True|true|1)\s*\)?\s*[:{]|^\s*for\s*(?:\(\s*;\s*;\s*\))?\s*\{|^\s*loop\s*(?:\{|do)
            |\bwhile\s*\(\s*!\w+\s*\)"
    );
    let counted = file
        .blocks
        .iter()
        .filter(|b| b.lines.contains(&at))
        .any(|b| b.removed.iter().any(|i| attempts.is_match(&file.lines[*i].live)));
    for_ever.is_match(&file.lines[at].code)
        && counted
        && say(
            report,
            file,
            at,
            "endless-retry",
            78,
            "The number of attempts is no longer bounded: what always \
            fails is tried for ever. Give up after a few, with growing waits.",
        )
}

/// A wait that had an end.
fn timeout_gone(file: &FileView, at: usize, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let line = &file.lines[at];
    let (was, now) = (old.live.as_str(), line.live.as_str());
    let timeout = pattern!(
        r"(?i)\btimeout\w*['\x22]?\s*[:=]\s*[^N0fnu\s]|WithTimeout\(|AbortSignal\.timeout|\.timeout\(
            |setTimeout\w*\(|wait_for\(|set_?timeout\(\s*\d|setSoTimeout\(\s*\d"
    );
    let any = pattern!(r"(?i)timeout|deadline|abortsignal|\bsignal\b|max_?time|wait");
    if timeout.is_match(was)
        && !any.is_match(now)
        && pattern!(
            r"(?i)request|fetch|get\(|post\(|client|http|connect
        |query|Context|call\(|send|dial|socket|open|join\(|acquire|recv|read"
        )
        .is_match(now)
        && pattern!(r"[\w.]+[({]").is_match(now)
    {
        let near = file
            .blocks
            .iter()
            .filter(|b| b.lines.contains(&at))
            .any(|b| b.added.iter().any(|i| *i != at && any.is_match(&file.lines[*i].live)));
        if !near && crate::view::likeness(was, now) >= 45 {
            return say(
                report,
                file,
                at,
                "timeout-removed",
                74,
                "The wait no longer has an end: a peer that does \
                not answer holds this caller for ever. Keep the timeout.",
            );
        }
    }
    let off = pattern!(
        r"(?i)\btimeout\w*['\x22]?\s*[:=]\s*(?:None|0|null|undefined|-1|false)\b|set_?timeout\(\s*None
            |setSoTimeout\(\s*0\)"
    );
    timeout.is_match(was)
        && off.is_match(now)
        && say(
            report,
            file,
            at,
            "timeout-removed",
            74,
            "The wait no longer has an end: a peer that does not answer holds this caller for ever. Keep the \
                timeout.",
        )
}

/// A size of a cache, of what is read, or of a list of rows, that was given and no longer is.
fn bound_gone(file: &FileView, at: usize, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let (was, now) = (old.live.as_str(), file.lines[at].live.as_str());
    let cache =
        pattern!(r"(?i)(?:maxsize|max_size|maximumSize|max_entries|maxEntries|maxsize|\bmax)['\x22]?\s*[=:(]\s*\d");
    let cache_off = pattern!(r"(?i)maxsize\s*=\s*None|max\w*['\x22]?\s*[:=]\s*(?:Infinity|0|-1|null|Integer\.MAX)");
    if cache.is_match(was) && (cache_off.is_match(now) || pattern!(r"@(?:functools\.)?cache\s*$").is_match(now)) {
        return say(
            report,
            file,
            at,
            "unbounded-growth",
            70,
            "The cache no longer has a size, so it grows for as long as the process runs. Keep a bound.",
        );
    }
    let limited =
        pattern!(r"LimitReader\(|MaxBytesReader\(|\.take\(|\blimit:\s*['\x22]?\d|\.read\(\s*\w*(?:MAX|LIMIT|\d)");
    if limited.is_match(was)
        && !limited.is_match(now)
        && pattern!(
            r"(?i)ReadAll\(|\.read\(\)|json\(|NewDecoder\(|urlencoded\(|read_to_end|read_to_string
            |\.bytes\(\)"
        )
        .is_match(now)
    {
        return say(
            report,
            file,
            at,
            "unbounded-read",
            74,
            "The amount that is read is no longer bounded, so a sender can fill the memory. Keep the limit.",
        );
    }
    let rows = pattern!(r"(?i)\blimit\s+[\d:?$@%{]|\.limit\(|\.take\(|\.first\(\s*\d|paginate\(|\bTOP\s*\(?\d");
    if rows.is_match(was)
        && !rows.is_match(now)
        && pattern!(r"(?i)\bselect\b|\.all\(|\.find|\.where\(|query|\.toList|ToList|fetch").is_match(now)
        && crate::view::likeness(was, now) >= 60
    {
        return say(
            report,
            file,
            at,
            "unbounded-read",
            62,
            "All rows are read now, however many there are. Keep the limit, or read in pages.",
        );
    }
    false
}

/// Counters and maps that were safe to share.
fn not_atomic(file: &FileView, at: usize, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let (was, now) = (old.code.as_str(), file.lines[at].code.as_str());
    let safe = pattern!(
        r"\batomic\.(?:Add|Store|Load|CompareAndSwap)\w*\(|\bInterlocked\.\w+\(|\bAtomic(?:Integer|Long|Boolean
            |Reference|U64|Usize|I64|U32|Bool)\b|\bstd::atomic\b|\bConcurrent(?:HashMap|Dictionary|LinkedQueue
            |Queue|Bag|SkipList\w*)\b|\bCopyOnWrite\w+|\bsync\.Map\b|\bcollections\.deque
            |Collections\.synchronized\w+\(|\bsynchronized\b|\bvolatile\b|\batomic_\w+\(|__sync_\w+|__atomic_\w+
            |\bArc<Mutex|\bMutex<|\bRwLock<|READ_ONCE\(|WRITE_ONCE\(|smp_load_acquire|F\(['\x22]|update_counters"
    );
    let mild =
        pattern!(r"(?i)atomic|concurrent|sync|volatile|interlocked|mutex|lock|immutable|copyonwrite|_ONCE|acquire");
    let plain =
        pattern!(r"\+\+|--|\+=|-=|=|\b[ui](?:8|16|32|64|size)\b|\bHashMap\b|\bDictionary\b|\bint\b|\blong\b|\bbool");
    if !safe.is_match(was)
        || mild.is_match(now)
        || !plain.is_match(now)
        || was.contains("deque")
        || was.contains("F(")
        || crate::view::likeness(was, now) < 40
        || was.trim_start().starts_with("import")
    {
        return false;
    }
    say(
        report,
        file,
        at,
        "lock-removed",
        74,
        "This was safe to use from several threads and no longer is, so \
        updates can get lost. Keep the atomic or concurrent form.",
    )
}

/// What a line opens: its name, what closes it, how sure that is, and what it is.
fn opened(lang: Lang, code: &str) -> Option<(String, String, u32, &'static str)> {
    match lang {
        Lang::Go => {
            let response = pattern!(
                r"^\s*(\w+),\s*\w+\s*:?=\s*(?:http\.(?:Get|Post|Head|PostForm)|[\w.]*(?:[cC]lient|httpc|hc|c)\.(?:Do
                    |Get|Post))\("
            );
            let rows = pattern!(
                r"^\s*(\w+),\s*\w+\s*:?=\s*[\w.]*(?:db|DB|tx|conn|Conn|pool|stmt|q)\.(?:Query|QueryContext|Queryx
                    |NamedQuery)\("
            );
            let file_opened = pattern!(
                r"^\s*(\w+),\s*\w+\s*:?=\s*(?:os\.(?:Open|Create|OpenFile)|net\.Dial\w*|gzip\.NewReader
                    |zip\.OpenReader)\("
            );
            if let Some(hit) = response.find(code) {
                if !pattern!(r"(?i)resp|res\b|response|r\b").is_match(hit.group(1)) || hit.group(1) == "_" {
                    return None;
                }
                Some((hit.group(1).to_owned(), format!("{}.Body", hit.group(1)), 70, "The body of the answer"))
            } else if let Some(hit) = rows.find(code) {
                Some((hit.group(1).to_owned(), format!("{}.Close", hit.group(1)), 70, "The result set"))
            } else if let Some(hit) = file_opened.find(code) {
                Some((hit.group(1).to_owned(), format!("{}.Close", hit.group(1)), 66, "What is opened here"))
            } else {
                None
            }
        }
        Lang::Python => {
            let opened = pattern!(
                r"^\s*(\w+)\s*=\s*(?:open|io\.open|gzip\.open|socket\.socket|sqlite3\.connect|zipfile\.ZipFile
                    |tarfile\.open)\("
            );
            let hit = opened.find(code)?;
            Some((hit.group(1).to_owned(), format!("{}.close", hit.group(1)), 62, "What is opened here"))
        }
        Lang::Java => {
            let opened = pattern!(
                r"^\s*(?:final\s+)?\w+(?:<[^>]*>)?\s+(\w+)\s*=\s*(?:new\s+(?:FileInputStream|FileOutputStream
                    |FileReader|FileWriter|BufferedReader|Scanner|Socket|RandomAccessFile|ZipFile|PrintWriter)\(
                    |Files\.(?:newInputStream|newOutputStream|lines|list|walk|newBufferedReader)\(
                    |[\w.]*(?:dataSource|ds)\.getConnection\()"
            );
            let hit = opened.find(code)?;
            Some((hit.group(1).to_owned(), format!("{}.close", hit.group(1)), 64, "What is opened here"))
        }
        _ => None,
    }
}

/// What is opened on a new line and closed nowhere in sight.
fn taken(file: &FileView, at: usize, report: &mut Report) -> bool {
    let code = file.lines[at].code.as_str();
    let Some((name, closes, score, what)) = opened(file.lang, code) else { return false };
    let returned = |code: &str| {
        let mut starts = code.match_indices("return ").map(|(i, _)| code[i + 7..].trim_start_matches(['&', '*', '(']));
        starts.any(|rest| {
            rest.strip_prefix(name.as_str())
                .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
        })
    };
    let rest: Vec<&str> = file.below(at, 45).map(|l| l.code.as_str()).collect();
    let ends = rest
        .iter()
        .any(|c| pattern!(r"^\}|^(?:def|class|func)\b|^    (?:public|private|protected|def)\b|^    \}").is_match(c));
    let given = |code: &str| {
        let passed = pattern!(
            r"(?:yield|append\(|add\(|put\(|self\.\w+\s*=|this\.\w+\s*=|&?\w+\{|closing\(|Reader:|Body:|NewReader\(
                |push\(|enter_context\()"
        );
        passed.is_match(code) && words_of(code).any(|w| w == name)
    };
    let safe = rest.iter().any(|c| {
        c.contains(&closes)
            || returned(c)
            || given(c)
            || c.contains("closeQuietly")
            || c.contains(&format!("Close({name}"))
            || c.contains(&format!("with {name}"))
            || c.contains(&format!("close({name}"))
    });
    if safe || !ends || code.contains("self.") || name == "_" {
        return false;
    }
    let message = format!(
        "{what} is closed nowhere in this function, so each call leaves one behind. Close it on every way out."
    );
    say(report, file, at, "not-closed", score, &message)
}

/// A new way out between taking a lock and giving it back.
fn held_on_return(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    if !pattern!(r"^\s*(?:return\b|throw\b|raise\b)").is_match(&line.code)
        || !matches!(
            file.lang,
            Lang::Go | Lang::C | Lang::Cpp | Lang::Java | Lang::CSharp | Lang::Python | Lang::Kotlin
        )
    {
        return false;
    }
    let takes = pattern!(
        r"^\s*([\w.>&()-]+?)(?:\.|->)(?:R?Lock|lock|acquire)\(\)|^\s*(?:pthread_mutex_lock|mutex_lock
            |spin_lock\w*)\s*\(\s*(&?[\w.>-]+)"
    );
    let gives = pattern!(r"(?:R?Unlock|unlock|release|pthread_mutex_unlock|mutex_unlock|spin_unlock\w*)\s*\(");
    let indent = line.indent();
    for above in file.above(at, 25) {
        if gives.is_match(&above.code)
            || pattern!(
                r"\bdefer\b.*nlock|^\s*finally|lock_guard
                |^\s*(?:(?:async )?def|public|private|protected|static|func|fun|fn)\b|^\S.*\)\s*\{?$|\btry\b"
            )
            .is_match(&above.code)
        {
            return false;
        }
        let Some(hit) = takes.find(&above.code) else { continue };
        if above.indent() >= indent {
            return false;
        }
        let target = if hit.group(1).is_empty() { hit.group(2) } else { hit.group(1) };
        let released_later =
            file.below(at, 40).any(|l| gives.is_match(&l.code) && l.code.contains(target) && !l.code.contains("defer"));
        return released_later
            && say(
                report,
                file,
                at,
                "lock-kept",
                78,
                "This leaves with the lock taken above \
            still held; the next caller waits for ever. Release it first, or release it by `defer` or `finally`.",
            );
    }
    false
}

/// React: something is registered and never taken back.
fn effect(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let registers = pattern!(
        r"\b(?:window|document)\.addEventListener\(|\bsetInterval\(|\.subscribe\(|new (?:ResizeObserver
            |IntersectionObserver|MutationObserver|WebSocket|EventSource)\("
    );
    if !file.lang.is_script() || !registers.is_match(&line.code) {
        return false;
    }
    let opener = file.above(at, 12).find(|l| pattern!(r"\buse(?:Layout)?Effect\(").is_match(&l.code));
    let Some(opener) = opener else { return false };
    let indent = opener.indent();
    let mut returned = false;
    let mut closed = false;
    for below in file.below(at, 40) {
        if pattern!(r"\breturn\b|removeEventListener|clearInterval|unsubscribe|disconnect\(|\.close\(|signal")
            .is_match(&below.code)
            && below.indent() > indent
        {
            returned = true;
        }
        if below.indent() <= indent && pattern!(r"^\s*\},?\s*\[|^\s*\}\s*\)").is_match(&below.code) {
            closed = true;
            break;
        }
    }
    let abortable = line.code.contains("signal") || line.code.contains("once");
    closed
        && !returned
        && !abortable
        && say(
            report,
            file,
            at,
            "not-released",
            72,
            "The effect registers this each time it runs and never takes it back. Return a function that does.",
        )
}

/// A new loop that tries again at once and for ever.
fn endless(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let tick = pattern!(r"\brange time\.Tick\(|=\s*time\.Tick\(");
    if file.lang == Lang::Go && tick.is_match(code) && !pattern!(r"func main\(").is_match(file.context_of(at)) {
        return say(
            report,
            file,
            at,
            "not-released",
            56,
            "The ticker of time.Tick can never be stopped. Use time.NewTicker and stop it.",
        );
    }
    let for_ever = pattern!(
        r"\bwhile\s*\(?\s*(?:True|true|1)\s*\)?\s*[:{]|^\s*for\s*(?:\(\s*;\s*;\s*\))?\s*\{\s*$|^\s*loop\s*(?:\{
            |do)\s*$"
    );
    if !for_ever.is_match(code) {
        return false;
    }
    let indent = line.indent();
    let body: Vec<&str> =
        file.below(at, 40).take_while(|l| l.is_blank() || l.indent() > indent).map(|l| l.code.as_str()).collect();
    let whole = body.join("\n");
    let catches = pattern!(r"\bcatch\b|\bexcept\b|\brescue\b|err != nil|Err\(").is_match(&whole);
    let again = pattern!(r"\bcontinue\b|\bretry\b").is_match(&whole)
        || pattern!(r"(?:catch|except)\b[^\n]*\n[^\n]*(?:log|print|warn|pass|console)").is_match(&whole);
    let pauses = pattern!(
        r"(?i)sleep|delay|wait|backoff|timeout|attempt|retries|tries|recv|accept\(|read|receive
        |next|select|await\s|poll|<-|take\(|pop|get\(\)|queue|input|max_|limit|deadline|throw|raise|break"
    )
    .is_match(&whole);
    catches
        && again
        && !pauses
        && body.len() < 30
        && say(
            report,
            file,
            at,
            "endless-retry",
            66,
            "A failure is tried again at once and for ever. Wait longer each time, and give up after a few attempts.",
        )
}
