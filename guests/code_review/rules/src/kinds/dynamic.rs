//! Parts of strings that are not constant: interpolated, concatenated or formatted in.

use super::pattern;
use crate::lang::Lang;
use crate::scan::Quoted;
use crate::view::{FileView, Source};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamic {
    /// What is put in, as written.
    pub expression: String,
    /// The literal's text before and after it.
    pub before: String,
    pub after: String,
    /// The literal's text, whole.
    pub literal: String,
    /// Where the literal's quote stands in the line.
    pub column: usize,
}

pub fn dynamics(file: &FileView, at: usize) -> Vec<Dynamic> {
    let source = &file.lines[at];
    let mut found = Vec::new();
    for (number, quoted) in source.strings.iter().enumerate() {
        let literal = source.string(quoted);
        if interpolates(file, at, source, quoted) {
            for (from, to, expression) in interpolated(file.lang, literal) {
                push(&mut found, expression, &literal[..from], &literal[to..], literal, quoted.start);
            }
        }
        concatenated(file.lang, source, number, &mut found);
        formatted(file, at, quoted, literal, &mut found);
    }
    found
}

fn push(found: &mut Vec<Dynamic>, expression: &str, before: &str, after: &str, literal: &str, column: usize) {
    let expression = expression.trim();
    if !expression.is_empty() {
        found.push(Dynamic {
            expression: expression.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
            literal: literal.to_owned(),
            column,
        });
    }
}

/// Whether a literal's language and prefix let it hold expressions.
fn interpolates(file: &FileView, at: usize, source: &Source, quoted: &Quoted) -> bool {
    let before = source.text().get(..quoted.start).unwrap_or("");
    let opener = opener(file, at, source, quoted);
    match file.lang {
        Lang::Python => opener.ends_with(['f', 'F']) || ["fr", "rf", "fR", "Rf"].iter().any(|p| opener.ends_with(p)),
        Lang::JavaScript | Lang::TypeScript => quoted.quote == b'`' && !is_tagged(opener),
        Lang::CSharp => opener.ends_with('$') || opener.ends_with("$@") || opener.ends_with("@$"),
        Lang::Ruby | Lang::Php | Lang::Perl | Lang::Elixir | Lang::PowerShell | Lang::Shell => quoted.quote != b'\'',
        Lang::Kotlin | Lang::Swift | Lang::Groovy => quoted.quote == b'"',
        Lang::Dart => true,
        Lang::Scala => opener.ends_with('s') || opener.ends_with('f'),
        Lang::Rust => {
            let near = pattern!(r"(?:format|println|write|writeln|query|execute|bail|anyhow)!?\(");
            quoted.quote == b'"' && (near.is_match(before) || file.above(at, 2).any(|l| l.code.contains("format!(")))
        }
        _ => false,
    }
}

/// The text before a literal's opening quote, also where that stands on a line above.
fn opener<'f>(file: &'f FileView, at: usize, source: &'f Source, quoted: &Quoted) -> &'f str {
    let before = source.text().get(..quoted.start).unwrap_or("");
    let trimmed = before.trim_end_matches(quoted.quote as char);
    if trimmed.len() < before.len() {
        return trimmed;
    }
    let mark = quoted.quote as char;
    let line = file.above(at, 60).find(|l| l.text().contains(mark));
    line.map_or("", |l| l.text().split(mark).next().unwrap_or(""))
}

/// A tag before a template decides what becomes of its parts; the known ones make parameters of them.
fn is_tagged(opener: &str) -> bool {
    opener.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>')
        && !opener.ends_with("return")
        && !opener.to_ascii_lowercase().ends_with("unsafe")
        && !opener.ends_with("raw")
}

/// The expressions inside a literal: where each begins and ends with its marks, and its text.
fn interpolated(lang: Lang, literal: &str) -> Vec<(usize, usize, &str)> {
    let bytes = literal.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &literal.as_bytes()[at..];
        if rest[0] == b'\\' && !(lang == Lang::Swift && rest.get(1) == Some(&b'(')) {
            at += 2;
            continue;
        }
        let open: Option<(usize, u8)> = match lang {
            Lang::Python | Lang::CSharp | Lang::Rust if rest[0] == b'{' => {
                if rest.get(1) == Some(&b'{') {
                    at += 2;
                    continue;
                }
                Some((1, b'}'))
            }
            Lang::Ruby | Lang::Elixir if rest.starts_with(b"#{") => Some((2, b'}')),
            Lang::Swift if rest.starts_with(b"\\(") => Some((2, b')')),
            Lang::Php if rest.starts_with(b"{$") => Some((1, b'}')),
            Lang::PowerShell | Lang::Shell if rest.starts_with(b"$(") => Some((2, b')')),
            Lang::JavaScript
            | Lang::TypeScript
            | Lang::Kotlin
            | Lang::Scala
            | Lang::Groovy
            | Lang::Dart
            | Lang::Shell
            | Lang::Php
            | Lang::Perl
                if rest.starts_with(b"${") =>
            {
                Some((2, b'}'))
            }
            _ => None,
        };
        if let Some((skip, close)) = open {
            let from = at + skip;
            let to = closing(bytes, from, close);
            if let Some(text) = literal.get(from..to) {
                found.push((at, (to + 1).min(bytes.len()), text));
            }
            at = to + 1;
            continue;
        }
        let bare = matches!(
            lang,
            Lang::Kotlin
                | Lang::Scala
                | Lang::Groovy
                | Lang::Dart
                | Lang::Shell
                | Lang::Php
                | Lang::Perl
                | Lang::PowerShell
        );
        let sign = rest[0] == b'$' || (lang == Lang::Perl && rest[0] == b'@');
        if bare
            && sign
            && rest.get(1).is_some_and(|b| {
                b.is_ascii_alphabetic() || *b == b'_' || (lang == Lang::Shell && b"123456789@*".contains(b))
            })
        {
            let length = name_length(lang, &rest[1..]);
            found.push((at, at + 1 + length, &literal[at..at + 1 + length]));
            at += 1 + length;
            continue;
        }
        at += 1;
    }
    found.retain(|(from, to, _)| literal.is_char_boundary(*from) && literal.is_char_boundary(*to));
    found
}

/// A name, and in PHP and Perl what is taken from it: `$row['a']`, `$this->name`.
fn name_length(lang: Lang, rest: &[u8]) -> usize {
    let word = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let mut length = word(0).max(1);
    if matches!(lang, Lang::Php | Lang::Perl) {
        while rest[length..].starts_with(b"->") && rest.get(length + 2).is_some_and(u8::is_ascii_alphabetic) {
            length += 2 + word(length + 2);
        }
        if rest.get(length) == Some(&b'[') || rest.get(length) == Some(&b'{') && lang == Lang::Perl {
            let close = if rest[length] == b'[' { b']' } else { b'}' };
            length += rest[length..].iter().position(|b| *b == close).map_or(0, |n| n + 1);
        }
    }
    length
}

fn closing(bytes: &[u8], from: usize, close: u8) -> usize {
    let open = if close == b')' { b'(' } else { b'{' };
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            if depth == 0 {
                return at;
            }
            depth -= 1;
        }
    }
    bytes.len()
}

fn joiner(lang: Lang) -> &'static [&'static str] {
    match lang {
        Lang::Php | Lang::Perl => &["."],
        Lang::Sql => &["||", "+"],
        Lang::Lua => &[".."],
        Lang::Elixir => &["<>"],
        Lang::Ruby => &["+", "<<"],
        _ => &["+"],
    }
}

/// What is joined to a literal behind it: `"…" + x`.
fn concatenated(lang: Lang, source: &Source, number: usize, found: &mut Vec<Dynamic>) {
    let quoted = source.strings[number];
    let literal = source.string(&quoted);
    let Some(rest) = source.code.get(quoted.end..).map(|r| r.trim_start_matches(quoted.quote as char).trim_start())
    else {
        return;
    };
    // More of the literal's neighbours: `.append("…").append(x)` joins too.
    let rest = match pattern!(r"^\)\s*\.(?:append|concat)\((.*)").find(rest) {
        Some(hit) => format!("+ {}", hit.group(1)),
        None => rest.to_owned(),
    };
    let Some(joined) = joiner(lang).iter().find_map(|sign| rest.strip_prefix(sign)) else { return };
    let operand = first_operand(joined.trim_start());
    let is_literal = operand.starts_with(['"', '\'', '`', '@', '$'])
        && !operand.starts_with("$_")
        && lang != Lang::Php
        && lang != Lang::Perl
        || operand.starts_with(['"', '\'', '`']);
    if operand.is_empty() || is_literal {
        return;
    }
    let next = source.strings.get(number + 1).map_or("", |next| source.string(next));
    push(found, operand, literal, next, literal, quoted.start);
}

/// Up to the next joiner, comma or closing bracket.
fn first_operand(text: &str) -> &str {
    let mut depth = 0i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return text[..at].trim_end(),
            ')' | ']' | '}' => depth -= 1,
            '+' | ',' | ';' if depth == 0 => return text[..at].trim_end(),
            '.' | '|' if depth == 0 && text[at + 1..].starts_with([' ', '|']) => return text[..at].trim_end(),
            _ => {}
        }
    }
    text.trim_end()
}

/// `"…%s…" % x`, `"…{}…".format(x)`, `Sprintf("…%s…", x)`, `format!("…{}…", x)`.
fn formatted(file: &FileView, at: usize, quoted: &Quoted, literal: &str, found: &mut Vec<Dynamic>) {
    let source = &file.lines[at];
    let hole = pattern!(r"%(?:\d+\$)?[-+#0 ]*[\d.]*(?:\((\w+)\))?[svqr@]|%\((\w+)\)s|\{(?:\d*|\w+)(?:[:!][^}]*)?\}");
    if !literal.contains(['%', '{']) {
        return;
    }
    let before = source.code.get(..quoted.start.saturating_sub(1)).unwrap_or("");
    let after = source.code.get(quoted.end..).unwrap_or("").trim_start_matches(quoted.quote as char).trim_start();
    let next = file.below(at, 1).next().map_or("", |l| l.code.trim());
    let after = if after.is_empty() && (next.starts_with("% ") || next.starts_with(".format(")) { next } else { after };
    let percent = literal.contains('%');
    let by_operator =
        after.starts_with('%') && percent || after.starts_with(".format(") || after.starts_with(".formatted(");
    let named = pattern!(
        r"(?:[sS]n?[pP]rintf|vsprintf|String\.[fF]ormat|string\.[fF]ormat|[fF]ormat!?|asprintf|StrFormat|Fprintf
            |g_strdup_printf|concatf)\s*\([^()]*(?:\([^()]*\))?[^()]*$"
    );
    let by_call = named.is_match(before)
        || (before.trim().is_empty() && file.above(at, 2).next().is_some_and(|l| named.is_match(l.code.trim_end())));
    let rust_arguments = file.lang == Lang::Rust && named.is_match(before);
    if !by_operator && !by_call && !rust_arguments {
        return;
    }
    let arguments = arguments(file, at, after);
    let mut parts = split_arguments(&arguments);
    for hit in hole.all(literal) {
        let text = &literal[hit.start()..hit.end()];
        let wanted = if percent { text.starts_with('%') } else { text.starts_with('{') };
        let inline = file.lang == Lang::Rust && text.len() > 2 && !text[1..].starts_with([':', '?']);
        if !wanted || inline || literal[..hit.start()].ends_with('{') {
            continue;
        }
        let expression = if parts.is_empty() { arguments.clone() } else { parts.remove(0) };
        push(found, &expression, &literal[..hit.start()], &literal[hit.end()..], literal, quoted.start);
    }
}

/// What follows a format string, over up to five lines.
fn arguments(file: &FileView, at: usize, after: &str) -> String {
    let mut text = after
        .trim_start_matches(['%', ',', ' '])
        .trim_start_matches(".format(")
        .trim_start_matches(".formatted(")
        .to_owned();
    for line in file.below(at, 5) {
        if text.contains(';')
            || text.trim_end().ends_with(')') && text.matches(')').count() >= text.matches('(').count()
        {
            break;
        }
        text.push(' ');
        text.push_str(line.code.trim());
    }
    text
}

fn split_arguments(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut depth = 0i32;
    let mut from = 0;
    let text = text.trim_start_matches(',').trim();
    let text = text.strip_prefix('(').unwrap_or(text);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth < 0 {
                    parts.push(text[from..at].trim().to_owned());
                    return parts;
                }
            }
            ',' if depth == 0 => {
                parts.push(text[from..at].trim().to_owned());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim_end_matches(';').trim().to_owned());
    parts.retain(|p| !p.is_empty());
    parts
}
