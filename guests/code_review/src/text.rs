//! Text of others (a patch, a model, a person) as text: nothing in it works as a mention, a link, an image, HTML or a
//! closing keyword, and secrets are masked. All that reaches a comment goes through here.

use rules::mask_secrets;
pub use rules::thousands;

/// A sentence of a comment is not longer.
pub const SENTENCE_MAX: usize = 600;

const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// One paragraph of prose. Code in single backticks stays code; all else that Markdown would act on is escaped.
pub fn prose(text: &str, chars_max: usize) -> String {
    let text = cut(&mask_secrets(&one_line(text)), chars_max);
    let mut out = String::with_capacity(text.len() + 16);
    for (i, part) in text.split('`').enumerate() {
        let closed = i < text.matches('`').count();
        match i % 2 {
            1 if closed && !part.trim().is_empty() => {
                if out.ends_with('`') {
                    // Backticks of two spans must not become one run.
                    out.push(ZERO_WIDTH_SPACE);
                }
                out.push_str(&code(part));
            }
            1 => {
                out.push_str("\\`");
                escape(part, &mut out);
                if closed {
                    out.push_str("\\`");
                }
            }
            _ => escape(part, &mut out),
        }
    }
    out
}

fn escape(text: &str, out: &mut String) {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '*' | '_' | '~' | '[' | ']' | '|' | '$' => out.extend(['\\', c]),
            // `@name`, `#12`, `GH-12` and `://` do nothing once a character without width parts them.
            '@' => out.extend([c, ZERO_WIDTH_SPACE]),
            // A number after it makes a reference, a beginning a heading; `C#` is neither.
            '#' if next.is_ascii_digit() || out.trim_end().is_empty() => out.extend(['\\', c, ZERO_WIDTH_SPACE]),
            '-' if before.eq_ignore_ascii_case(&'h') && next.is_ascii_digit() => out.extend([c, ZERO_WIDTH_SPACE]),
            ':' if next == '/' => out.extend([c, ZERO_WIDTH_SPACE]),
            '.' if ends_with_www(out) => out.extend([ZERO_WIDTH_SPACE, c]),
            _ => out.push(c),
        }
        before = c;
    }
}

fn ends_with_www(text: &str) -> bool {
    text.as_bytes().last_chunk::<3>().is_some_and(|end| end.eq_ignore_ascii_case(b"www"))
}

/// A code span around any text: longer backticks than the text holds, nothing inside works.
pub fn code(text: &str) -> String {
    let text = mask_secrets(&one_line(text));
    let fence = "`".repeat(longest_run(&text) + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// A fenced block around any lines, indented by `indent`.
pub fn fenced(text: &str, indent: &str, chars_max: usize) -> String {
    let text = cut(&mask_secrets(&visible(text)), chars_max);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let lines: String = text.lines().map(|line| format!("{indent}{line}\n")).collect();
    format!("{indent}{fence}text\n{lines}{indent}{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Without line ends and tabs, runs of blanks as one.
pub fn one_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that are not seen, or that reorder what is seen, in a form that is; line ends and tabs stay.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {}
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The text, or its beginning and an ellipsis.
pub fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_string(),
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
    }
}

/// As a sentence: on one line, cut, with an end.
pub fn sentence(text: &str, chars_max: usize) -> String {
    let text = cut(&one_line(text), chars_max);
    if text.ends_with(['.', '!', '?', '…']) {
        text
    } else {
        text + "."
    }
}

/// What two spellings of one line have in common: no blanks at the ends, one between words.
pub fn normal(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `1 file`, `2 files`
pub fn count(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_works_in_prose() {
        let hostile =
            "@acme/everyone fixes #1, GH-2 o/r#3 ![x](https://e.vil/a.png) <img src=x> [y](javascript:alert) \
                       www.e.vil mail@e.vil **b** $x$ &lt;";
        let out = prose(hostile, 1000);
        for active in ["@a", "#1", "GH-2", "r#3", " ![", "x](", "y](", "<img", "://", "www.", "@e", "**", "&lt; "] {
            assert!(!out.contains(active), "{active} in {out}");
        }
        assert!(out.contains("&lt;img") && out.contains("\\[y\\]"));
    }

    #[test]
    fn names_with_signs_stay_as_they_are() {
        assert_eq!("C#, F# and C++ in 2 files", prose("C#, F# and C++ in 2 files", 99));
        assert_eq!("\\#\u{200b} heading", prose("# heading", 99));
        assert_eq!("see o/r\\#\u{200b}3", prose("see o/r#3", 99));
    }

    #[test]
    fn code_stays_code_and_odd_backticks_are_escaped() {
        assert_eq!("use `a_b()` here", prose("use `a_b()` here", 99));
        assert_eq!("a \\`b\\_c", prose("a `b_c", 99));
        assert_eq!("\\`\\`x", prose("``x", 99));
        assert_eq!("`` a`b` ``", code("a`b`"));
        assert_eq!("``a`b``", code("a`b"));
    }

    #[test]
    fn a_fence_is_longer_than_any_run_in_it() {
        assert_eq!("```text\nx\n```\n", fenced("x", "", 99));
        let out = fenced("````\n@a", "   ", 99);
        assert_eq!("   `````text\n   ````\n   @a\n   `````\n", out);
    }

    #[test]
    fn hidden_and_reordering_characters_are_shown() {
        assert_eq!("a\\u{202e}b\u{fffd}", one_line("a\u{202e}b\u{1}"));
        assert_eq!("a\\u{61c}b\\u{ad}", one_line("a\u{61c}b\u{ad}"));
        assert_eq!("a b", one_line(" a\r\n\tb "));
    }

    #[test]
    fn secrets_are_masked_everywhere() {
        let secret = format!("ghp_{}", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");
        for text in [prose(&secret, 999), code(&secret), fenced(&secret, "", 999)] {
            assert!(!text.contains(&secret) && text.contains("ghp"), "{text}");
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            ["1 file", "0 files", "1,234,567 files"],
            [count(1, "file"), count(0, "file"), count(1_234_567, "file")]
        );
        assert_eq!("ab…", cut("abc", 2));
    }
}
