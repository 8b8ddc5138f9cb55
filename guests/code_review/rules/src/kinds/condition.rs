//! Conditions that ask for less than before: without one of their parts, or with another bound.

use super::check::{is_about_rights, say};
use super::guard::{is_condition, is_keyword, is_trivial, leaves, meant, moved};
use super::{pattern, Report};
use crate::lang::Lang;
use crate::view::{likeness, words_of, Block, FileView, View};

#[derive(Debug, Clone)]
pub struct Condition {
    /// What stands between the brackets, on one line.
    pub text: String,
    /// What follows on the condition's last line.
    pub rest: String,
    /// Its last line.
    pub last: usize,
    pub keyword: String,
}

/// The condition that begins at a line, also where it runs over lines.
pub fn condition(file: &FileView, at: usize) -> Option<Condition> {
    let head =
        pattern!(r"^\s*\}?\s*(?:else\s+)?(if|elif|elsif|unless|while|guard|assert|return)\b\s*(?:let\b)?\s*(.*)$");
    let line = &file.lines[at];
    let hit = head.find(&line.live)?;
    let keyword = hit.group(1).to_owned();
    let mut text = hit.group(2).trim().to_owned();
    let mut last = at;
    let removed = line.is_removed();
    let brackets =
        text.starts_with('(') && !matches!(file.lang, Lang::Python | Lang::Ruby | Lang::Go | Lang::Rust | Lang::Swift);
    let open = |text: &str| {
        text.matches('(').count() > text.matches(')').count()
            || text.trim_end().ends_with("&&")
            || text.trim_end().ends_with("||")
            || text.trim_end().ends_with(" and")
            || text.trim_end().ends_with(" or")
            || text.trim_end().ends_with('\\')
    };
    while open(&text) && last + 1 < file.lines.len() && last < at + 12 {
        last += 1;
        let next = &file.lines[last];
        if next.hunk != line.hunk {
            return None;
        }
        if if removed { next.is_added() } else { next.is_removed() } {
            continue;
        }
        text = format!("{} {}", text.trim_end_matches('\\'), next.live.trim());
    }
    if brackets && keyword != "return" {
        let end = closing(&text)?;
        let rest = text[end + 1..].trim().to_owned();
        return Some(Condition { text: text[1..end].trim().to_owned(), rest, last, keyword });
    }
    let rest = pattern!(r"[{:]\s*(.*)$")
        .find(&text)
        .filter(|_| file.lang == Lang::Python || text.contains('{'))
        .map_or(String::new(), |h| h.group(1).to_owned());
    let text = text.trim_end_matches(['{', ':', ';', ' ']).trim().to_owned();
    Some(Condition { text, rest, last, keyword })
}

/// Where the bracket closes that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether what a condition leads to leaves the function or the loop.
fn exits(file: &FileView, at: usize, condition: &Condition) -> bool {
    if leaves(&condition.rest) {
        return true;
    }
    let indent = file.lines[at].indent();
    file.below(condition.last, 5)
        .filter(|l| !l.is_blank())
        .take_while(|l| l.indent() > indent || l.code.trim() == "{")
        .any(|l| leaves(&l.code))
}

/// A condition that lost one of its parts.
pub fn narrower(view: &View, file: &FileView, block: &Block, report: &mut Report) {
    if block.lines.len() > 60 {
        return;
    }
    let boolean = |code: &str| {
        is_condition(file.lang, code)
            || pattern!(r"^\s*return\b.*(?:&&|\|\||\band\b|\bor\b)|^\s*return\s+[\w.!(]+.*;?$").is_match(code)
    };
    let olds: Vec<usize> =
        block.removed.iter().copied().filter(|i| file.lines[*i].is_gone() && boolean(&file.lines[*i].code)).collect();
    let news: Vec<usize> = block.added.iter().copied().filter(|i| boolean(&file.lines[*i].code)).collect();
    for (number, old) in olds.iter().enumerate() {
        let paired = file.lines[*old].pair.filter(|new| news.contains(new));
        let by_order = (olds.len() == news.len()).then(|| news[number]);
        let Some(new) = paired.or(by_order) else { continue };
        let _ = lost_clause(view, file, *old, new, report) || bound_moved(file, *old, new, report);
    }
    clamp_lost(view, file, block, report);
    clause_line(view, file, block, report);
}

fn lost_clause(view: &View, file: &FileView, old: usize, new: usize, report: &mut Report) -> bool {
    let (Some(before), Some(after)) = (condition(file, old), condition(file, new)) else { return false };
    if before.keyword != after.keyword {
        return false;
    }
    let (sign, parts) = clauses(&before.text);
    let (_, now) = clauses(&after.text);
    let whole = bare(&after.text);
    let kept: Vec<String> = if parts.contains(&whole) { vec![whole] } else { now };
    if parts.len() <= kept.len() || kept.is_empty() || !kept.iter().all(|c| parts.contains(c)) {
        return false;
    }
    let lost: Vec<&String> = parts.iter().filter(|c| !kept.contains(c)).collect();
    let text = lost.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(" && ");
    let out = exits(file, new, &after);
    weaker(view, file, new, sign, &text, out, &after.keyword, report)
}

#[allow(clippy::too_many_arguments)]
fn weaker(
    view: &View,
    file: &FileView,
    at: usize,
    sign: char,
    lost: &str,
    out: bool,
    keyword: &str,
    report: &mut Report,
) -> bool {
    let names: Vec<&str> = words_of(lost).filter(|w| w.len() > 1 && !is_keyword(w)).collect();
    if names.is_empty() || is_trivial(lost) || moved(view, file, lost, lost) {
        return false;
    }
    let widens = match sign {
        '|' => out && keyword != "return" && keyword != "while",
        '&' => !out || matches!(keyword, "return" | "while" | "guard" | "assert") || file.lang == Lang::Swift,
        _ => false,
    };
    let rights = is_about_rights(lost);
    let weighty = pattern!(
        r"(?i)valid|expir|len|size|max|null|nil\b|none\b|empty|check|verif|limit|bound|[<>]|\.\.
        |active|enabled|deleted|locked|revoked|kind|type|allow|match|equal|same|exist|safe|trust|state|==|!="
    )
    .is_match(lost);
    if !widens || !(rights || weighty) {
        return false;
    }
    let score =
        if rights { 78 } else { 64 } - if meant(view) { 14 } else { 0 } - if view.files.len() > 12 { 6 } else { 0 };
    let message = format!(
        "The condition no longer asks for `{}`. Put that part back, or show where it is checked now.",
        super::sql::short(lost)
    );
    say(report, file, at, "narrower-check", score, message)
}

/// A line of a condition that went, its other lines unchanged.
fn clause_line(view: &View, file: &FileView, block: &Block, report: &mut Report) {
    if !block.added.is_empty() || block.removed.len() > 3 {
        return;
    }
    let part = pattern!(r"^\s*(?:&&|\|\||and\b|or\b)\s*(.*)$|^\s*(.*?)\s*(?:&&|\|\||\band|\bor)\s*\\?$");
    let first = block.removed[0];
    let text = block.removed.iter().map(|i| file.lines[*i].live.trim()).collect::<Vec<_>>().join(" ");
    let Some(hit) = part.find(&text) else { return };
    if !file.lines[first].is_gone() {
        return;
    }
    let lost = [hit.group(1), hit.group(2)].concat();
    let sign = if pattern!(r"^\s*(?:&&|and\b)|(?:&&|\band)\s*\\?$").is_match(&text) { '&' } else { '|' };
    let hunk = file.hunks[file.lines[first].hunk].clone();
    let head = (hunk.start..first).rev().take(8).find(|i| {
        !file.lines[*i].is_added()
            && pattern!(r"^\s*\}?\s*(?:else\s+)?(?:if|elif|while|return|unless|assert|guard)\b")
                .is_match(&file.lines[*i].code)
    });
    let Some(head) = head.filter(|i| !file.lines[*i].is_removed()) else { return };
    let Some(condition) = condition(file, head).filter(|c| c.last >= first) else { return };
    if !balanced(&lost) {
        return;
    }
    let out = exits(file, head, &condition);
    weaker(view, file, first, sign, lost.trim(), out, &condition.keyword, report);
}

fn bare(text: &str) -> String {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).filter(|t| balanced(t)) {
        text = inner.trim();
    }
    text.split_whitespace().collect()
}

/// The parts of a condition and what joins them; `?` if they are mixed.
fn clauses(text: &str) -> (char, Vec<String>) {
    let mut text = text.trim().trim_end_matches(';');
    while let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).filter(|t| balanced(t)) {
        text = inner.trim();
    }
    let unified =
        text.replace(" and ", " && ").replace(" or ", " || ").replace(" AND ", " && ").replace(" OR ", " || ");
    let (ands, ors) = (top_level(&unified, "&&"), top_level(&unified, "||"));
    let tidy = |parts: Vec<&str>| parts.iter().map(|p| bare(p)).collect::<Vec<_>>();
    match (ands.len(), ors.len()) {
        (1, 1) => (' ', tidy(ands)),
        (_, 1) => ('&', tidy(ands)),
        (1, _) => ('|', tidy(ors)),
        _ => ('?', tidy(ors)),
    }
}

fn balanced(text: &str) -> bool {
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn top_level<'t>(text: &'t str, sign: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ if depth == 0 && at >= from && text[at..].starts_with(sign) => {
                parts.push(&text[from..at]);
                from = at + sign.len();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// `>=` became `>` or `==` in a guard on a size: more gets through.
fn bound_moved(file: &FileView, old: usize, new: usize, report: &mut Report) -> bool {
    let (Some(before), Some(after)) = (condition(file, old), condition(file, new)) else { return false };
    let bound = pattern!(r"^(.*?)(>=|<=|==|>|<)(.*)$");
    let (Some(was), Some(is)) = (bound.find(&before.text), bound.find(&after.text)) else { return false };
    let same = |a: &str, b: &str| a.split_whitespace().eq(b.split_whitespace());
    if !same(was.group(1), is.group(1)) || !same(was.group(3), is.group(3)) {
        return false;
    }
    let out = exits(file, new, &after);
    let weaker = matches!(
        (was.group(2), is.group(2)),
        (">=", ">") | ("<=", "<") | (">=", "==") | ("<=", "==") | (">", "==") | ("<", "==")
    );
    let looped = after.keyword == "while" && matches!((was.group(2), is.group(2)), ("<", "<=") | (">", ">="));
    let sizes = pattern!(r"(?i)len|size|count|max|limit|capacity|end\b|num|total|bound|elements");
    if !(sizes.is_match(&before.text) && (out && weaker || looped)) {
        return false;
    }
    let message = "The bound let less through before: what is equal to it, or beyond it, passes now. Check both \
        ends.";
    say(report, file, new, "bound-moved", 60, message.to_owned())
}

/// A value is no longer kept between bounds before it is used as a size or an index.
fn clamp_lost(view: &View, file: &FileView, block: &Block, report: &mut Report) {
    let clamp = pattern!(
        r"\b((?:std::|Math\.|math\.|cmp::)?(?:MIN|MAX|min|max|clamp|min_t|max_t|Min|Max|Clamp|saturating_\w+
            |checked_\w+))\s*[(<]|\.(min|max|clamp|saturating_\w+|checked_\w+)\("
    );
    let sized = pattern!(
        r"(?i)alloc|memcpy|memmove|copy|read|write|slice|resize|reserve|limit|offset|len|size|\[|substr|take|page"
    );
    for &at in &block.added {
        let line = &file.lines[at];
        let Some(old) = file.pair_of(at).filter(|_| line.is_new()) else { continue };
        let lost = clamp.is_match(&old.code) && !clamp.is_match(&line.code);
        if lost
            && sized.is_match(&line.code)
            && likeness(&old.code, &line.code) >= 60
            && !meant(view)
            && !pattern!(r"\bif\b|\?|clamp|checked").is_match(&line.code)
        {
            let near = block.added.iter().any(|i| {
                *i != at && (clamp.is_match(&file.lines[*i].code) || is_condition(file.lang, &file.lines[*i].code))
            });
            if !near {
                let message = "The value is no longer kept within its bounds before it is used as a size or a \
                    place. Keep the bound.";
                say(report, file, at, "bound-moved", 62, message.to_owned());
            }
        }
    }
}
