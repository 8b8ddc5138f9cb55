//! Errors that nobody hears of: empty handlers, results thrown away, failures turned into success.

use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::pattern::Pattern;
use crate::view::{Block, FileView, Source, View};

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        let fits = file.lang.is_code() || matches!(file.lang, Lang::Dockerfile | Lang::Make);
        if file.place.is_harmless() || !fits || file.lang == Lang::Sql || file.is_deleted_file() {
            continue;
        }
        for at in 0..file.lines.len() {
            let line = &file.lines[at];
            if line.is_added() && line.moved {
                empty_handler(file, at, report);
            } else if line.is_new() && !line.is_blank() {
                let _ = empty_handler(file, at, report)
                    || quiet_promise(file, at, report)
                    || thrown_away(file, at, report)
                    || quiet_script(file, at, report);
            } else if line.is_gone() {
                lost(file, at, report);
            }
        }
        for block in &file.blocks {
            softened(file, block, report);
        }
    }
}

fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: &str) -> bool {
    let severity = if score >= 75 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::SwallowedError, rule, severity, score, message.to_owned());
    true
}

const EMPTY: &str = "The error is dropped here: nobody learns that it failed, and what follows runs as if it had \
    not. Handle it, pass it on, or log it and say why going on is right.";

/// What is tried only for order's sake: closing, removing, optional things.
const TIDYING: &str = r"(?i)\bclose\w*\(|dispose|unlink|\brm\w*\(|remove|clean|kill|release|quit|flush|storage
    |require\(|\bimport\b|focus|\.play\(|disconnect|shutdown|stop\(|cancel|abort|destroy|unregister|detach
    |terminate|\.end\(|teardown|free\(|delete|mkdir|console\.|logger|chmod|URL\(|decodeURI|JSON\.parse|setAttribute
    |polyfill|Symbol|supports|feature|detect";

fn is_head(lang: Lang, code: &str) -> bool {
    match lang {
        Lang::Python => pattern!(r"^\s*except\b.*:").is_match(code),
        Lang::Ruby => pattern!(r"^\s*rescue\b").is_match(code),
        Lang::Elixir => pattern!(r"^\s*rescue\b|\{:error,\s*_").is_match(code),
        Lang::Go => pattern!(r"\bif\b.*\berr\w*\s*!=\s*nil\b.*\{\s*$").is_match(code),
        Lang::Rust => pattern!(r"\bErr\(.*\)\s*=>\s*\{?\s*$|\bif let Err\(").is_match(code),
        Lang::C => {
            pattern!(r"\bif\s*\(.*(?:<\s*0|!=\s*0|==\s*-1|==\s*NULL|!\w+\)|err|rc|ret)\b?.*\)\s*\{?\s*$").is_match(code)
        }
        _ => pattern!(
            r"\bcatch\b\s*(?:\([^)]*\)|\w+)?\s*(?:when\s*\(.*\)\s*)?\{|\bcatch\b\s*(?:\([^)]*\))?\s*$
            |\.catch\(\s*(?:async\s*)?\(?\w*\)?\s*=>|\bonError\b|\.on\(\s*.error"
        )
        .is_match(code),
    }
}

/// Exceptions so wide that anything may hide in them.
fn is_wide(code: &str) -> bool {
    let typed = pattern!(
        r"\b(?:catch\s*\(\s*(?:final\s+|const\s+)?\\?[\w.:\\]+\s*[|&*$\w]|except\s+\S|rescue\s+[A-Z]
            |catch\s*\(\s*\w+\s*:)"
    );
    let wide = pattern!(
        r"\b(?:except\s*\(?.*\b(?:Base)?Exception\b|catch\s*\(\s*(?:final\s+|const\s+)?\\?(?:System\.|java\.lang\.
            |std::)?(?:Exception|Throwable|RuntimeException|Error|exception)\b|catch\s*\(\s*\w+\s*:\s*(?:Exception
            |Throwable|unknown|any|Error)\b|rescue\s+(?:Exception|StandardError)\b)"
    );
    !typed.is_match(code) || wide.is_match(code)
}

/// `catch { }`, `except: pass`, `rescue; nil`.
fn empty_handler(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let one_line = pattern!(
        r"\bcatch\b\s*(?:\([^)]*\))?\s*\{\s*\}|\bexcept\b[^:]*:\s*pass\s*$|\brescue\s+nil\s*$
            |\brescue\s+(?:StandardError\s+)?(?:=>\s*\w+)?\s*;\s*(?:nil|end)"
    );
    let mut inner: Vec<&Source> = Vec::new();
    let single = one_line.is_match(code);
    if !single {
        let opens =
            pattern!(r"\bcatch\b.*\{\s*$|\bcatch\b\s*(?:\([^)]*\))?\s*$|\.catch\(.*\{\s*$|^\s*(?:except|rescue)\b");
        if !is_head(file.lang, code) || !opens.is_match(code) || matches!(file.lang, Lang::Go | Lang::Rust | Lang::C) {
            return false;
        }
        inner = body(file, at);
        if inner.is_empty() && file.lang != Lang::Ruby && !file.lang.has_braces() {
            return false;
        }
        let nothing = pattern!(
            r"^\s*(?:pass|\.\.\.|continue|nil|;|return(?:\s+(?:None|null|nil|undefined|false|False|\[\]|\{\}
                |['\x22]\s*['\x22]|0|-1|true|True|Ok\(\(\)\)))?;?)\s*$"
        );
        let closed = file.below(at, 8).any(|l| l.code.trim_start().starts_with('}')) || !file.lang.has_braces();
        if !closed
            || !inner.iter().all(|l| l.is_blank() || nothing.is_match(&l.code))
            || !inner.iter().all(|l| l.is_added() || l.is_blank())
        {
            return false;
        }
    }
    if line.moved && !inner.iter().any(|l| l.is_new() && !l.is_blank()) {
        return false;
    }
    let commented = inner.iter().any(|l| l.is_blank() && l.text().trim().len() > 4)
        || line.text().trim_end().len() > line.live.trim_end().len() + 6;
    let does = inner.iter().any(|l| !l.is_blank() && !pattern!(r"^\s*(?:pass|;|\.\.\.)\s*$").is_match(&l.code));
    let before = file
        .blocks
        .iter()
        .filter(|b| b.lines.contains(&at))
        .any(|b| b.removed.iter().any(|i| passes_on(&file.lines[*i].code)));
    let tidying = tried(file, at).is_some_and(|text| pattern!(TIDYING).is_match(&text));
    let wide = is_wide(code);
    let mut score: i32 = if wide { 74 } else { 46 };
    // What ran bare before is now wrapped; in new code a default on failure is often meant.
    let wraps = wraps_old(file, at) || before;
    score -= match (does, wraps) {
        (true, false) => 22,
        (true, true) => 4,
        (false, _) => 0,
    };
    score -= if commented { 16 } else { 0 };
    score -= if tidying && !before { 28 } else { 0 };
    score += if before { 10 } else { 0 };
    say(report, file, at, "empty-handler", score.max(0) as u32, EMPTY)
}

/// The lines inside a handler, as far as they are few.
fn body<'f, 'a>(file: &'f FileView<'a>, at: usize) -> Vec<&'f Source<'a>> {
    let indent = file.lines[at].indent();
    let mut inner = Vec::new();
    for line in file.below(at, 6) {
        if !line.text().trim().is_empty() && line.indent() <= indent {
            break;
        }
        inner.push(line);
    }
    inner
}

/// The `try` of a handler holds lines that stood without one before.
fn wraps_old(file: &FileView, at: usize) -> bool {
    let indent = file.lines[at].indent();
    let begins = pattern!(r"\btry\b|\bbegin\b");
    let tried: Vec<&Source> = file.above(at, 20).take_while(|l| l.is_blank() || l.indent() > indent).collect();
    let opens = file.above(at, 21).find(|l| !l.is_blank() && l.indent() <= indent);
    opens.is_some_and(|l| l.is_added() && begins.is_match(&l.code))
        && tried.iter().any(|l| l.is_added() && !l.is_blank() && (l.moved || l.pair.is_some()))
}

/// The lines of the `try` that a handler belongs to, if they are few.
fn tried(file: &FileView, at: usize) -> Option<String> {
    let mut text = file.lines[at].live.clone();
    for line in file.above(at, 5) {
        if pattern!(r"\btry\b|\bbegin\b").is_match(&line.code) {
            text.push_str(&line.live);
            return Some(text);
        }
        text.push_str(&line.live);
    }
    pattern!(r"\btry\b").is_match(&text).then_some(text)
}

/// Hands an error on: throws, returns it, ends.
fn passes_on(code: &str) -> bool {
    pattern!(
        r"\bthrow\b|\braise\b|\breject\(|\breturn\b.*\b(?:err|error|e|ex)\b|\bpanic!?\(|\bexit\(|\bexit\s+[1-9]
        |\breturn\s+-\d|\breturn\s+-?E[A-Z]+|\bgoto\s+\w*(?:err|fail|out)|\bnext\(\s*e|\bbail!|\breturn\s+Err\(
        |\bErr\(|\babort\(|\bdone\(e|\bcallback\(\s*e|\bcb\(\s*e|\bStatusInternalServerError|\bhttp\.Error\(
        |\blog\.Fatal|\bfail\(|rethrow"
    )
    .is_match(code)
}

/// `.catch(() => {})` and the like.
fn quiet_promise(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    if !file.lang.is_script() {
        return optional(file, at, report);
    }
    let quiet = pattern!(
        r"\.catch\(\s*(?:async\s*)?(?:\(\s*\w*\s*\)|\w+)\s*=>\s*(?:\{\s*\}|null|undefined|void 0|\[\]|false|\(\{\}\)
            |['\x22]['\x22])\s*\)|\.catch\(\s*(?:noop|_\.noop|\$\.noop|Function\.prototype)\s*\)
            |\.catch\(\s*function\s*\(\w*\)\s*\{\s*\}\s*\)"
    );
    if !quiet.is_match(&line.code) || file.pair_of(at).is_some_and(|old| quiet.is_match(&old.code)) {
        return false;
    }
    let tidying = pattern!(TIDYING).is_match(&line.live);
    let commented = line.text().trim_end().len() > line.live.trim_end().len() + 6;
    let was_bare = file.pair_of(at).is_some_and(|old| !old.code.contains(".catch("));
    let nothing = pattern!(r"\{\s*\}\s*\)|noop|undefined|void 0").is_match(&line.code);
    let score: u32 = if was_bare {
        72
    } else if nothing {
        62
    } else {
        48
    };
    let score = score - if tidying { 20 } else { 0 } - if commented { 14 } else { 0 };
    say(report, file, at, "quiet-promise", score, EMPTY)
}

/// `try?`, `@call`, `runCatching`, where the error was heard before.
fn optional(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let lost = match file.lang {
        Lang::Swift => {
            line.code.contains("try? ") && pattern!(r"\btry\s").is_match(&old.code) && !old.code.contains("try?")
        }
        Lang::Php => {
            pattern!(r"[=(\s]@[a-z_]+\(").is_match(&line.code) && !pattern!(r"[=(\s]@[a-z_]+\(").is_match(&old.code)
        }
        Lang::Kotlin => {
            line.code.contains("getOrNull()") && !old.code.contains("getOrNull()") && line.code.contains("runCatching")
        }
        _ => false,
    };
    lost && say(report, file, at, "error-to-nothing", 68, EMPTY)
}

/// Results that say whether it worked, thrown away.
fn thrown_away(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let old = file.pair_of(at).map_or("", |old| old.code.as_str());
    let block = file.blocks.iter().find(|b| b.lines.contains(&at));
    let removed = |p: &Pattern| block.is_some_and(|b| b.removed.iter().any(|i| p.is_match(&file.lines[*i].code)));
    match file.lang {
        Lang::Go => {
            let ignored = pattern!(r"^\s*(?:_|\w+,\s*_)\s*:?=\s*[\w.]+(?:\(|\.)");
            let checked = pattern!(r"\berr\w*\s*:?=|\berr\w*\s*!=\s*nil");
            if !ignored.is_match(code) || pattern!(r"\brange\b|\.\(|\bmap\[|\.Load\(|\.Get\(|\[").is_match(code) {
                return false;
            }
            if checked.is_match(old) && !checked.is_match(code)
                || (removed(checked) && crate::view::likeness(code, old) >= 50)
            {
                return say(report, file, at, "ignored-result", 76, EMPTY);
            }
            let matters = pattern!(
                r"\b(?:json|xml|yaml)\.(?:Unmarshal|NewDecoder)|io\.ReadAll|\.Commit\(|\.Exec(?:Context)?\(
                    |os\.(?:WriteFile|Rename|Create)|\.Scan\(|\.Decode\(|\.Save\(|\.Update\(|\.Write\(|strconv\."
            );
            let kept = pattern!(r"strings\.Builder|bytes\.Buffer|hash|h\.Write|sha|buf\.|sb\.|tmpl|\bw\.Write\(")
                .is_match(code);
            matters.is_match(code) && !kept && say(report, file, at, "ignored-result", 56, EMPTY)
        }
        Lang::Rust => {
            let heard = pattern!(r"\?\s*[;,)]|\?\s*$|\.unwrap\(\)|\.expect\(|\breturn Err|match\b");
            let ignored = pattern!(
                r"^\s*let _\w* =|\.ok\(\)\s*;|\.unwrap_or_default\(\)|\.unwrap_or\(|\.unwrap_or_else\(\|_\|
                    |if let Ok\("
            );
            let dropped = ignored.is_match(code)
                && !ignored.is_match(old)
                && pattern!(r"\?\s*[;,)]|\?\s*$").is_match(old)
                && heard.is_match(old);
            dropped && say(report, file, at, "ignored-result", 76, EMPTY)
        }
        Lang::C | Lang::Cpp => {
            let checked = pattern!(
                r"^\s*(?:\}?\s*(?:else )?if\s*\(|(?:\w+\s+)?(?:ret|rc|err|error|rv|res|status
                    |result)\s*=)\s*.*\b(\w{3,})\("
            );
            let bare = pattern!(r"^\s*(?:\(void\)\s*)?(\w{3,})\(.*\);?\s*$");
            let (Some(before), Some(now)) = (checked.find(old), bare.find(code)) else { return false };
            let same = before.group(1) == now.group(1) || old.contains(&format!("{}(", now.group(1)));
            let keyword = matches!(now.group(1), "if" | "while" | "for" | "return" | "switch" | "assert");
            same && !keyword && say(report, file, at, "ignored-result", 74, EMPTY)
        }
        Lang::Python => {
            let unchecked = pattern!(r"\bcheck\s*=\s*False");
            let was = pattern!(r"\bcheck\s*=\s*True|check_call|check_output");
            let lost = was.is_match(old)
                && (unchecked.is_match(code)
                    || pattern!(r"subprocess\.(?:run|call)\(").is_match(code) && !code.contains("check="));
            if lost && !file.around(at, 0, 4).contains("returncode") {
                return say(report, file, at, "ignored-result", 72, EMPTY);
            }
            let suppresses = pattern!(r"\bsuppress\(\s*(?:Exception|BaseException)\s*\)");
            suppresses.is_match(code)
                && !pattern!(TIDYING).is_match(&file.around(at, 0, 2))
                && say(report, file, at, "empty-handler", 62, EMPTY)
        }
        _ => false,
    }
}

/// A script that goes on after failures.
fn quiet_script(file: &FileView, at: usize, report: &mut Report) -> bool {
    if !matches!(file.lang, Lang::Shell | Lang::Dockerfile | Lang::Make) {
        return false;
    }
    let line = &file.lines[at];
    let live = line.live.as_str();
    let old = file.pair_of(at);
    let harmless = pattern!(
        r"(?i)\b(?:rm|kill|pkill|umount|unlink|rmdir|mkdir|grep|diff|command -v|which|type|docker (?:rm|stop|kill
            |network|volume)|systemctl stop|groupadd|useradd|adduser|read|wait|cp -n|ln|chown|tput|stty|git stash
            |kubectl delete|pgrep|trap|find)\b"
    );
    let goes_on = pattern!(r"\|\|\s*(?:true|:)\s*(?:['\x22)]|&&|\\|;|$)");
    if goes_on.is_match(live)
        && old.is_some_and(|old| !old.live.contains("||"))
        && !harmless.is_match(live)
        && crate::view::likeness(live, old.map_or("", |o| &o.live)) >= 60
    {
        return say(
            report,
            file,
            at,
            "failure-ignored",
            70,
            "The command may now fail without anyone noticing; what \
            follows runs on its missing result. Let it fail, or handle the case that is expected.",
        );
    }
    if pattern!(r"^\s*set \+e\b").is_match(live)
        && !file.below(at, 25).any(|l| pattern!(r"^\s*set -\w*e").is_match(&l.live))
        && file.lang == Lang::Shell
    {
        return say(
            report,
            file,
            at,
            "failure-ignored",
            62,
            "From here on the script goes on after failures. Switch \
            `set -e` on again right after the command that may fail.",
        );
    }
    false
}

/// A switch or call that made failures heard.
fn lost(file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let gone = |p: &Pattern| p.is_match(code) && !file.lines.iter().any(|l| l.is_added() && p.is_match(&l.code));
    if file.lang == Lang::Shell {
        let strict = pattern!(r"^\s*set\s+-(?:[a-df-z]*e[a-z]*)\b|^\s*set\s+-o\s+(?:errexit|pipefail)");
        if gone(strict) && !file.is_deleted_file() {
            say(
                report,
                file,
                at,
                "failure-ignored",
                74,
                "The script no longer stops when a command fails, so later \
                commands run on missing results. Keep `set -e`.",
            );
        } else if strict.is_match(code)
            && code.contains("pipefail")
            && !file.lines.iter().any(|l| l.is_added() && l.code.contains("pipefail"))
        {
            say(
                report,
                file,
                at,
                "failure-ignored",
                70,
                "Failures inside pipes are no longer noticed. Keep `set -o pipefail`.",
            );
        }
        return;
    }
    let status = pattern!(
        r"\.raise_for_status\(\)|\.EnsureSuccessStatusCode\(\)|\.error_for_status\(\)|\.throwIfNotOk\(|ON_ERROR_STOP
            |ErrorActionPreference\s*="
    );
    let deleted_with_function = file.blocks.iter().any(|b| b.lines.contains(&at) && b.removed.len() > 15);
    let guard = pattern!(
        r"^\s*if\b.*(?:!\s*\w+\.ok\b|\bstatus(?:_?[cC]ode)?\b\s*(?:!=|>=|<|>|not)|StatusCode\s*(?:!=|>=|<|>)
            |is_success|IsSuccessStatusCode)"
    );
    let hands_on = pattern!(r"\b(?:done|callback|cb|next|reject)\(\s*(?:err|error|e|new Error)\b");
    let drops = pattern!(r"\b(?:done|callback|cb|next|resolve)\(\s*(?:null|undefined|false|\[\]|\{\})?\s*[,)]");
    if let Some(new) = line.pair.filter(|_| hands_on.is_match(code)) {
        if drops.is_match(&file.lines[new].code) && !hands_on.is_match(&file.lines[new].code) {
            say(report, file, new, "error-not-passed-on", 74, EMPTY);
        }
    }
    let other = pattern!(r"(?i)status(?:_?code)?\b|\.ok\b|is_success|IsSuccess|raise|throw");
    let replaced = file
        .blocks
        .iter()
        .filter(|b| b.lines.contains(&at))
        .any(|b| b.added.iter().any(|i| other.is_match(&file.lines[*i].code)));
    let left = file.lines[at..].iter().take(4).any(|l| l.is_removed() && passes_on(&l.code));
    if (gone(status) || gone(guard) && left && line.pair.is_none()) && !deleted_with_function && !replaced {
        say(
            report,
            file,
            at,
            "status-unchecked",
            74,
            "An answer that reports a failure is now read as if it were a good one. Keep the check of its status.",
        );
    }
}

/// A handler that passed the error on, and now does something milder.
fn softened(file: &FileView, block: &Block, report: &mut Report) {
    if block.removed.is_empty()
        || block.lines.len() > 16
        || matches!(file.lang, Lang::Shell | Lang::Dockerfile | Lang::Make)
    {
        return;
    }
    let first = block.lines.start;
    let hunk = &file.hunks[file.lines[first].hunk];
    let Some(at) = block.removed.iter().copied().find(|i| passes_on(&file.lines[*i].code) && file.lines[*i].is_gone())
    else {
        return;
    };
    if block
        .added
        .iter()
        .any(|i| passes_on(&file.lines[*i].code) || pattern!(r"\bif\b|\bwhen\b|\?").is_match(&file.lines[*i].code))
    {
        return;
    }
    // The handler's head must stay, right above.
    let indent = file.lines[at].indent();
    let head = file.lines[hunk.start..at]
        .iter()
        .rev()
        .filter(|l| !l.is_blank() && l.code.trim() != "{")
        .take(4)
        .find(|l| l.indent() < indent || l.code.contains('}'));
    let Some(head) = head.filter(|l| !l.is_removed() && is_head(file.lang, &l.code)) else { return };
    let later = file.lines[at + 1..hunk.end].iter().take(5).take_while(|l| l.indent() >= indent || l.is_blank());
    if later.filter(|l| !l.is_removed()).any(|l| passes_on(&l.code)) {
        return;
    }
    let wide = is_wide(&head.code);
    let line = block.added.first().copied().unwrap_or(at);
    let score = if wide { 76 } else { 62 };
    say(
        report,
        file,
        line,
        "error-not-passed-on",
        score,
        "The error was passed on here and no longer is: callers \
        take the failure for success. Pass it on, or say in a comment why going on is right.",
    );
}
