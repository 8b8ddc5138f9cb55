//! Whether what is put into a string can be chosen by anyone outside.

use super::pattern;
use crate::view::FileView;

/// Whether what is put in cannot be chosen by anyone outside: a constant, a number, something quoted.
pub fn is_safe(file: &FileView, at: usize, expression: &str, quoters: &[&str]) -> bool {
    is_safe_within(file, at, expression, quoters, 2)
}

fn is_safe_within(file: &FileView, at: usize, expression: &str, quoters: &[&str], depth: u32) -> bool {
    let bare = expression.trim().trim_start_matches(['$', '&', '*', '(', '@']).trim_end_matches([')', ';']);
    let lower = expression.to_ascii_lowercase();
    let numbered =
        expression.trim().strip_prefix('$').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if numbered {
        return false;
    }
    if bare.is_empty() || bare.starts_with(['"', '\'', '`']) || bare.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    if quoters.iter().any(|q| lower.contains(q)) || is_number(&lower) || is_constant(bare) {
        return true;
    }
    let name = pattern!(r"^[A-Za-z_]\w*$");
    if depth == 0 || !name.is_match(bare) {
        return false;
    }
    is_safe_variable(file, at, bare, quoters, depth - 1)
}

fn is_number(lower: &str) -> bool {
    const NUMBERS: &[&str] = &[
        "int(",
        "integer(",
        "number(",
        "parseint(",
        "intval(",
        "(int)",
        "(long)",
        "(float)",
        ".to_i",
        "toint",
        "itoa(",
        "len(",
        ".length",
        ".size()",
        ".count",
        "formatint(",
        "float(",
        "bool(",
        "tolong",
        "parsefloat(",
        "as i32",
        "as u32",
        "as i64",
        "as usize",
        "as u64",
        "count(",
        "math.",
        "hash(",
        "uuid",
        "date.now()",
        "time.time()",
        "hexdigest",
        ".int64",
        "ordinal",
        "getpid",
        "now()",
        "strftime",
        "isoformat",
        "sizeof",
    ];
    NUMBERS.iter().any(|n| lower.contains(n))
}

/// `MAX_SIZE`, `Config.TABLE`, `Table::NAME`, `self::TABLE`.
fn is_constant(name: &str) -> bool {
    let last = name.rsplit(['.', ':', '>']).next().unwrap_or(name);
    let last = last.trim_end_matches("()").split(['[', '(']).next().unwrap_or(last);
    last.len() > 1
        && last.bytes().any(|b| b.is_ascii_uppercase())
        && !last.bytes().any(|b| b.is_ascii_lowercase())
        && last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with("params.")
        && !name.starts_with("_GET")
        && !name.starts_with("_POST")
        && !name.starts_with("_REQUEST")
        && !name.starts_with("_COOKIE")
}

/// What the visible lines tell of a variable: where it comes from, or that it was looked at before.
fn is_safe_variable(file: &FileView, at: usize, name: &str, quoters: &[&str], depth: u32) -> bool {
    let mut lines = Vec::new();
    for line in file.above(at, 60) {
        if line.live.contains(name) {
            lines.push(line);
        }
    }
    for line in lines {
        let live = line.live.trim();
        let Some(found) = position_of(live, name) else { continue };
        let (before, after) = (&live[..found], live[found + name.len()..].trim_start());
        let assigned = after
            .strip_prefix(":=")
            .or_else(|| after.strip_prefix('=').filter(|rest| !rest.starts_with(['=', '>', '~'])));
        if let Some(value) = assigned {
            let value = value.trim();
            let literals = value.trim_end_matches([';', ',']).trim();
            let conditional =
                value.contains(" if ") && value.contains(" else ") || value.contains('?') && value.contains(':');
            if is_literal(literals) || (conditional && only_literals(literals)) {
                return true;
            }
            if is_lookup(value) {
                return true;
            }
            return is_safe_within(file, at, value, quoters, depth);
        }
        // A numeric type in the declaration: `int x`, `x: number`, `x int64`.
        let typed = pattern!(
            r"(?:\b(?:int|long|short|Integer|Long|uint\d*|int\d+|u\d+|i\d+|usize|size_t|bool|boolean|UUID|Guid
                |double|float)\??\s+(?:\$|&|\*)?)$"
        );
        let annotated = pattern!(
            r"^\??:?\s*(?:\??\b(?:int|number|Int|Long|u?int\d*|[ui]\d+|usize|bool|boolean|UUID|Uuid|Double|Float
                |float|uuid\.UUID)\b)"
        );
        if typed.is_match(before.trim_end_matches('$')) || (!after.is_empty() && annotated.is_match(after)) {
            return true;
        }
        let loops = pattern!(r"\b(?:for|foreach|each)\b");
        let over = pattern!(r"(?:\bin|\bof|:|range)\s+(?:[\w.]+\.)?([A-Z][A-Z0-9_]+|[\[(]\s*['\x22])");
        if loops.is_match(live) && over.is_match(live) {
            return true;
        }
        let listed = pattern!(
            r"(?:not in|in|includes|contains|in_array|has|include\?|indexOf|ContainsKey|contains_key|test|matches
                |fullmatch|match)\b"
        );
        let guard = pattern!(r"^(?:\}?\s*(?:el)?if|unless|assert|when|raise|guard)\b");
        if guard.is_match(live) && listed.is_match(live) {
            return true;
        }
    }
    false
}

fn position_of(text: &str, name: &str) -> Option<usize> {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|at| !is_word(text[..*at].chars().next_back()) && !is_word(text[at + name.len()..].chars().next()))
}

fn is_literal(value: &str) -> bool {
    let plain = pattern!(
        r"^[A-Za-z@]?(?:\x22[^\x22#$\\{]*\x22|'[^'$\\{]*'|`[^`$]*`|\d+)(?:\s*(?:\+|\.)\s*(?:\x22[^\x22$]*\x22
            |'[^'$]*'))*$"
    );
    plain.is_match(value)
}

/// `"a" if x else "b"`, `x ? "a" : "b"`: no value but literals.
fn only_literals(value: &str) -> bool {
    pattern!(r#"["'][^"'{$]*["'].*(?:else|:)\s*["'][^"'{$]*["']\)?$"#).is_match(value)
        || pattern!(r#"\?\s*["'][^"'{$]*["']\s*:\s*["'][^"'{$]*["']"#).is_match(value)
}

/// Taken from a table of the program's own: `COLUMNS[x]`, `ALLOWED.get(x)`, a `match`, placeholders.
fn is_lookup(value: &str) -> bool {
    pattern!(r"^(?:await )?(?:[\w.]+(?:\.|::))?[A-Z][A-Z0-9_]{2,}(?:\[|\.get\(|\.fetch\(|\.find)").is_match(value)
        || pattern!(r"^(?:switch|match|when|case)\b").is_match(value)
        || pattern!(r#"(?i)(?:join|repeat|implode|times|fill)\b?.*["'`]\s*\?|["'`]\?["'`]|placeholder"#).is_match(value)
}
