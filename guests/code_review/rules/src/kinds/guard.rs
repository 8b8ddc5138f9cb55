//! Conditions that went or ask for less: guard clauses, parts of conditions, bounds.

use super::check::{is_about_rights, say};
use super::condition::condition;
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::view::{likeness, words_of, Block, FileView, View};

pub fn is_condition(lang: Lang, code: &str) -> bool {
    match lang {
        Lang::Python => pattern!(r"^\s*(?:el)?if\b.*|^\s*while\b.*|^\s*assert\b").is_match(code),
        Lang::Ruby | Lang::Elixir => pattern!(
            r"^\s*(?:els)?if\b|^\s*unless\b|\b(?:raise|return|head|redirect_to|render|next)\b.*\s(?:if|unless)\s"
        )
        .is_match(code),
        Lang::Swift => pattern!(r"^\s*(?:\}?\s*else\s+)?(?:if|guard)\b").is_match(code),
        Lang::Shell => pattern!(r"^\s*(?:el)?if\b|^\s*\[\[?\s.*\]\]?\s*(?:\|\||&&)|^\s*test\s").is_match(code),
        Lang::Perl => {
            pattern!(r"^\s*(?:\}?\s*els)?if\b|^\s*unless\b|\b(?:die|return)\b.*\s(?:if|unless)\s").is_match(code)
        }
        _ => pattern!(r"^\s*\}?\s*(?:else\s+)?(?:if|while)\s*(?:let\b)?.*").is_match(code),
    }
}

pub fn leaves(code: &str) -> bool {
    pattern!(
        r"\breturn\b|\bthrow\b|\braise\b|\bbreak\b|\bcontinue\b|\bgoto\b|\bpanic!?\(|\bexit\b|\babort\b|\bdie\b
        |\bbail!|\bnext\b|\bhead\b|\brender\b|redirect|\bfail\b|\breject\(|\bres\.(?:status|sendStatus)
        |http\.Error\(|\breturn Err|ensure!|\b\w*fatal\w*\s*\(|\bcroak\b|\berrx?\(|\bBUG(?:_ON)?\(|LOG_FATAL
        |ereport\(|elog\(ERROR"
    )
    .is_match(code)
}

/// `if (…) { leave }` that went from a function that stays.
pub fn guard(view: &View, file: &FileView, block: &Block, report: &mut Report) {
    let gone: Vec<usize> = block.removed.iter().copied().filter(|at| !file.lines[*at].is_blank()).collect();
    if gone.is_empty() || gone.len() > 20 {
        return;
    }
    let mut number = 0;
    while number < gone.len() {
        let at = gone[number];
        let line = &file.lines[at];
        number += 1;
        if !is_condition(file.lang, &line.code) || line.pair.is_some() || line.moved {
            continue;
        }
        let end = guard_end(file, &gone, number - 1);
        let body = &gone[number - 1..end];
        let all_gone = body.iter().all(|i| {
            file.lines[*i].pair.is_none_or(|other| likeness(file.lines[*i].text(), file.lines[other].text()) < 75)
        });
        let exits = body.iter().any(|i| leaves(&file.lines[*i].code));
        if !exits {
            unconditional(view, file, block, at, body, report);
        } else if all_gone && body.len() <= 12 && stays(file, block, at, *body.last().unwrap_or(&at)) {
            judge(view, file, block, at, body, report);
        }
        number = end.max(number);
    }
}

/// Where the lines of a guard end in a list of removed lines.
fn guard_end(file: &FileView, gone: &[usize], first: usize) -> usize {
    let indent = file.lines[gone[first]].indent();
    let mut end = first + 1;
    let single = !file.lines[gone[first]].code.trim_end().ends_with(['{', ':', '(', ',', '|', '&'])
        && leaves(&file.lines[gone[first]].code);
    if single {
        return end;
    }
    while end < gone.len() && gone[end] == gone[end - 1] + 1 {
        let line = &file.lines[gone[end]];
        if line.indent() < indent {
            break;
        }
        if line.indent() == indent {
            let closes = pattern!(r"^\s*(?:\}|end\b|fi\b|\)|\{)").is_match(&line.code);
            if closes {
                end += 1;
                if pattern!(r"^\s*\{").is_match(&line.code) {
                    continue;
                }
            }
            break;
        }
        end += 1;
    }
    end
}

/// The function around the guard is still there: lines of it stand on both sides of the block.
pub fn stays(file: &FileView, block: &Block, first: usize, last: usize) -> bool {
    let declares = pattern!(
        r"^\s*(?:(?:public|private|protected|internal|static|async|export|final|override|pub|virtual|inline|def|func
            |function|fn|fun|class|module|interface|impl)\b)"
    );
    let removes_function = block
        .removed
        .iter()
        .any(|i| *i < first && declares.is_match(&file.lines[*i].code) && file.lines[*i].pair.is_none());
    let indent = file.lines[first].indent();
    let below = file.lines[last + 1..].iter().take(12).find(|l| !l.is_removed() && !l.is_blank());
    // After the guard something at its own depth goes on.
    !removes_function && below.is_some_and(|l| l.hunk == file.lines[first].hunk && l.indent() >= indent)
}

fn judge(view: &View, file: &FileView, block: &Block, at: usize, body: &[usize], report: &mut Report) {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let condition = condition(file, at).map_or_else(|| condition_of(code), |c| c.text);
    let text: String = body.iter().map(|i| file.lines[*i].live.as_str()).collect::<Vec<_>>().join(" ");
    if text.len() > 800 || is_trivial(&condition) {
        return;
    }
    // Something like it is added: the check moved or was written anew.
    let named: Vec<&str> = words_of(&condition).filter(|w| w.len() > 2 && !is_keyword(w)).collect();
    if named.is_empty() || moved(view, file, &condition, &text) || replaced(file, block, &named) {
        return;
    }
    let later: Vec<&str> = file.lines[at..]
        .iter()
        .take(30)
        .filter(|l| !l.is_removed() && l.hunk == line.hunk)
        .map(|l| l.code.as_str())
        .collect();
    let used = named.iter().any(|w| later.iter().any(|l| words_of(l).any(|x| x == *w)));
    let rights = is_about_rights(&condition)
        || pattern!(r"(?i)forbidden|unauthori[sz]ed|permission|denied|\b40[13]\b|access").is_match(&text);
    let bounds = pattern!(
        r"(?i)[<>]=?\s*[\w.()]*(?:len|size|count|max|min|limit|capacity|end|length|\d)|(?:len|size
        |count|max|limit|length|offset|index|idx|depth|width|height|capacity)\w*(?:\(\w*\))?\s*(?:[<>]|>=|<=)"
    )
    .is_match(&condition);
    let path = pattern!(
        r"(?i)\.\.|startsWith|HasPrefix|start_with|starts_with|isAbs|traversal|basename|realpath
        |canonical|symlink|whitelist|allowlist|allowed|blocked|deny"
    )
    .is_match(&format!("{} {}", line.live, text));
    let age = pattern!(
        r"(?i)expir|revoked|deadline|not_?before|ttl|valid_?until|\bage\b|stale|timestamp|locked
        |disabled|suspended|banned"
    )
    .is_match(&condition);
    let valid = pattern!(
        r"(?i)valid|verif|check|sanit|match|regex|format|schema|require|missing|invalid|malformed
        |isNaN|signature|checksum|crc|hash|digest"
    )
    .is_match(&format!("{condition} {text}"));
    let null = pattern!(
        r"(?i)\bnull\b|\bnil\b|None\b|undefined|nullptr|is_none|isEmpty|is_empty|\bempty\(
        |!\s*\w+\s*\)?\s*$|^\s*not \w+"
    )
    .is_match(&condition);
    let error = pattern!(r"\b(?:err|error|ret|rc|errno|status|exc|ex)\b").is_match(&condition) && !rights;
    let errs = pattern!(
        r"(?i)\bthrow\b|\braise\b|error|\babort\b|\bpanic|\breturn\s+-|\bfail|bail!|Err\(|\bdie\b
        |EINVAL|invalid|exit|false\b|goto"
    )
    .is_match(&text);
    if pattern!(r"\.ok\b|\bstatus(?:_?[cC]ode)?\b|StatusCode|is_success").is_match(&condition) && !rights {
        return;
    }
    if error {
        return dropped_error(file, at, block, report);
    }
    let removed_only = block.added.iter().all(|i| file.lines[*i].is_blank());
    let score: i32 = match (rights, path, age, bounds, valid, null) {
        (true, ..) => 78,
        (_, true, ..) => 76,
        (_, _, true, ..) => 72,
        (_, _, _, true, ..) if errs => 70,
        (_, _, _, _, true, _) if errs => 68,
        (_, _, _, true, ..) => 56,
        (_, _, _, _, _, true) if errs => 58,
        (_, _, _, _, _, true) => 46,
        // In C whatever is compared before an error is returned mostly guards memory.
        _ if errs && file.lang.is_c() && removed_only => 54,
        _ => 40,
    };
    let score = score + if used { 4 } else { -8 }
        - if removed_only { 0 } else { 8 }
        - if view.files.len() > 12 { 6 } else { 0 }
        - if meant(view) { 14 } else { 0 };
    let what = if rights {
        "who may do this"
    } else if path {
        "where this may point"
    } else if age {
        "whether this still holds"
    } else if bounds {
        "how large this may be"
    } else {
        "what comes in"
    };
    // Strings are blanked in the condition: shown is what stands at its place.
    let shown =
        code.find(&condition).and_then(|from| line.live.get(from..from + condition.len())).unwrap_or(&condition);
    let message = format!(
        "The check of {what} (`{}`) is removed, and nothing in the change takes its place. Put it \
        back, or show where it is made now.",
        super::sql::short(shown.trim())
    );
    say(report, file, at, "removed-guard", score.max(0) as u32, message);
}

pub fn meant(view: &View) -> bool {
    view.says(&[
        "unreachable",
        "dead code",
        "redundant",
        "never null",
        "cannot be null",
        "can't be null",
        "no longer need",
        "unneeded",
        "unnecessary",
        "already check",
        "checked by",
        "checks now",
        "drop support",
        "remove support",
        "removes support",
        "guaranteed",
        "never happens",
        "is done by",
        "moved",
        "moves",
        "revert",
    ])
}

/// `if (…) use(x);` became `use(x);`.
fn unconditional(view: &View, file: &FileView, block: &Block, at: usize, body: &[usize], report: &mut Report) {
    let kept = |i: &usize| {
        let line = &file.lines[*i];
        line.pair.is_some_and(|other| likeness(line.text(), file.lines[other].text()) >= 95)
            || block.added.iter().any(|j| !line.is_blank() && file.lines[*j].text().trim() == line.text().trim())
    };
    let inner: Vec<usize> = body[1..].iter().copied().filter(|i| file.lines[*i].code.trim().len() > 2).collect();
    let inner = if inner.is_empty() {
        file.lines[at + 1..]
            .iter()
            .take(1)
            .enumerate()
            .filter(|(_, l)| l.is_removed())
            .map(|(i, _)| at + 1 + i)
            .collect()
    } else {
        inner
    };
    let loops = pattern!(r"\b(?:while|for|else)\b").is_match(&file.lines[at].code);
    let Some(condition) = condition(file, at).filter(|_| !inner.is_empty() && !loops) else { return };
    if !inner.iter().all(kept) || is_trivial(&condition.text) || moved(view, file, &condition.text, &condition.text) {
        return;
    }
    let text = condition.text.as_str();
    let named: Vec<&str> = words_of(text).filter(|w| w.len() > 2 && !is_keyword(w)).collect();
    let others = block.added.iter().any(|i| is_condition(file.lang, &file.lines[*i].code));
    if named.is_empty() || others || pattern!(r"(?i)\berr\b|error|status|changed|exists|empty|\bnew").is_match(text) {
        return;
    }
    let rights = is_about_rights(text);
    let bounds = pattern!(r"(?i)[<>]=?").is_match(text)
        && pattern!(r"(?i)len|size|count|max|limit|offset|idx|index|depth").is_match(text);
    let null = pattern!(r"(?i)!=\s*(?:null|nil|NULL|nullptr|undefined)|is not None|^\w[\w.>-]*$").is_match(text);
    let valid = pattern!(r"(?i)valid|verif|expir|revoked|active|locked").is_match(text);
    let used = named.iter().any(|w| inner.iter().any(|i| words_of(&file.lines[*i].code).any(|x| x == *w)));
    let score = match (rights, bounds, valid, null && used) {
        (true, ..) => 72,
        (_, true, ..) if used => 64,
        (_, _, true, _) => 62,
        (_, _, _, true) if file.lang.is_c() || text.contains("!=") => 58,
        _ => return,
    };
    let score = score - if meant(view) { 14 } else { 0 } - if view.files.len() > 12 { 6 } else { 0 };
    let message = format!(
        "What was done only if `{}` is now done always. Put the condition back, or show where it is made sure now.",
        super::sql::short(text)
    );
    say(report, file, at, "removed-guard", score, message);
}

fn condition_of(code: &str) -> String {
    let trimmed = code.trim().trim_start_matches('}').trim();
    let inner = pattern!(r"^(?:else\s+)?(?:if|elif|elsif|unless|while|guard|assert)\b\s*(.*)")
        .find(trimmed)
        .map_or(trimmed, |hit| hit.group(1));
    inner.trim_end_matches(['{', ':']).trim_end().to_owned()
}

/// Conditions on what the program itself switches.
pub fn is_trivial(condition: &str) -> bool {
    pattern!(
        r"(?i)debug|verbose|log(?:ger|ging)?\b|feature|flag|__name__|TYPE_CHECKING|version|platform
        |process\.env|NODE_ENV|\btrue\b|\bfalse\b\s*\)?$|dry_?run|quiet|cache|dirty|first|done\b|\bi\s*[<=>]
        |initiali[sz]ed|mounted|loading|isopen|visible|hover|enabled|supports|compat|legacy|profil|metrics|tracing
        |unlikely\(\s*\w+\s*\)$"
    )
    .is_match(condition)
}

pub fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "not"
            | "and"
            | "or"
            | "null"
            | "None"
            | "nil"
            | "true"
            | "false"
            | "this"
            | "self"
            | "len"
            | "let"
            | "Some"
            | "the"
            | "undefined"
            | "typeof"
            | "instanceof"
            | "isinstance"
            | "nullptr"
            | "unless"
            | "return"
            | "throw"
            | "raise"
            | "new"
            | "else"
            | "in"
            | "is"
            | "length"
            | "size"
    ) || word.bytes().all(|b| b.is_ascii_digit())
}

/// A line like the guard's condition, or its message, stands among the added ones.
pub fn moved(view: &View, file: &FileView, condition: &str, text: &str) -> bool {
    let message = pattern!(r#"["'`]([^"'`]{12,})["'`]"#).find(text).map(|hit| hit.group(1).to_owned());
    let error = pattern!(r"\b(E[A-Z]{4,}|[A-Z]\w+(?:Exception|Error)|Err[A-Z]\w+|HTTP_\d+\w*)\b")
        .find(text)
        .map(|hit| hit.group(1).to_owned());
    view.files
        .iter()
        .filter(|f| !f.place.test && !f.place.docs)
        .flat_map(|f| f.lines.iter().map(move |l| (f, l)))
        .filter(|(_, l)| l.is_new() && !l.is_blank())
        .any(|(other, l)| {
            let same = likeness(&l.code, condition) >= 60;
            let said = message.as_ref().is_some_and(|m| l.live.contains(m.as_str()));
            let raised = error
                .as_ref()
                .is_some_and(|e| l.code.contains(e.as_str()) && other.path == file.path && leaves(&l.code));
            same || said || raised
        })
}

/// The lines added in its place use what the guard looked at, in a condition or a call that checks.
fn replaced(file: &FileView, block: &Block, named: &[&str]) -> bool {
    let checks = pattern!(
        r"(?i)\bif\b|\?|valid|check|assert|verif|ensure|require|\bmatch\b|\bswitch\b|\bwhen\b|unless|guard|clamp
            |\bmin\(|\bmax\(|filter|Optional|orElse|unwrap|\bcatch\b|\bfor\b|\bforeach\b|\|\||&&|\bor\b|\band\b
            |authori|permit|allow"
    );
    block.added.iter().any(|i| {
        let code = &file.lines[*i].code;
        checks.is_match(code) && words_of(code).any(|w| named.contains(&w))
    })
}

/// `if (err) return err;` after a call that stays: an ignored error rather than a missing check.
fn dropped_error(file: &FileView, at: usize, block: &Block, report: &mut Report) {
    let before = file.lines[..at].iter().rev().take(6).find(|l| !l.is_blank() && (!l.is_removed() || l.pair.is_some()));
    let calls = before.is_some_and(|l| l.code.contains('(') && l.hunk == file.lines[at].hunk && !l.is_added());
    if !calls || !block.added.iter().all(|i| file.lines[*i].is_blank()) {
        return;
    }
    report.add(
        file,
        at,
        Kind::SwallowedError,
        "error-not-checked",
        Severity::High,
        72,
        "The result of the call above is no longer looked at: when it fails, what follows runs as if it had not. \
            Keep the check."
            .to_owned(),
    );
}
