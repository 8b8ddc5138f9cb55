//! What is in the change, line by line: whether a quote is really there, and where.

use crate::text::normal;
use rules::diff::{Diff, LineKind};
use rules::{mask_secrets, Side};
use std::collections::HashMap;

/// A quote shorter than this says nothing about where it stands.
const QUOTE_CHARS_MIN: usize = 4;

pub struct Quoted {
    pub file: String,
    pub line: u32,
    pub side: Side,
    /// The whole line, as it is in the change.
    pub text: String,
}

struct Line {
    number: u32,
    side: Side,
    changed: bool,
    text: String,
    normal: String,
    masked: String,
}

/// The lines of a change by file.
pub struct Lines {
    files: HashMap<String, Vec<Line>>,
}

impl Lines {
    pub fn of(diff: &Diff) -> Lines {
        let mut files: HashMap<String, Vec<Line>> = HashMap::new();
        for file in &diff.files {
            let lines = files.entry(file.path().to_string()).or_default();
            for line in file.hunks.iter().flat_map(|hunk| &hunk.lines) {
                let (number, side) = match line.kind {
                    LineKind::Removed => (line.old, Side::Left),
                    _ => (line.new, Side::Right),
                };
                let masked = normal(&mask_secrets(&line.text));
                lines.push(Line {
                    number,
                    side,
                    changed: line.kind != LineKind::Context,
                    normal: normal(&line.text),
                    text: line.text.clone(),
                    masked,
                });
            }
        }
        Lines { files }
    }

    pub fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The file that a model means by a path it may have shortened or decorated.
    pub fn file_named(&self, path: &str) -> Option<&str> {
        let path = path.trim().trim_matches(['`', '"', '\'', '*']).trim_start_matches("./");
        let path = path.strip_prefix("a/").or(path.strip_prefix("b/")).filter(|p| self.has_file(p)).unwrap_or(path);
        if let Some((known, _)) = self.files.get_key_value(path) {
            return Some(known);
        }
        let mut ends =
            self.files.keys().filter(|known| known.ends_with(path) && known[..known.len() - path.len()].ends_with('/'));
        match (path.is_empty(), ends.next(), ends.next()) {
            (false, Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// The number that a quoted line of an earlier review has now; None when it is no longer in the change.
    pub fn line_of(&self, file: &str, side: Side, quote: &str, near: u32) -> Option<u32> {
        let quote = normal(quote);
        let fits = |line: &&Line| line.side == side && (line.masked == quote || line.normal == quote);
        self.files.get(file)?.iter().filter(fits).map(|line| line.number).min_by_key(|n| n.abs_diff(near))
    }

    /// The line that a model's claim quotes: in the file it names, nearest to the line it names, changed lines first;
    /// else in the one file that has it. None: the claim is about nothing that is there.
    pub fn locate(&self, file: &str, near: u32, quote: &str) -> Option<Quoted> {
        let quote = bare(quote);
        if quote.chars().filter(|c| !c.is_whitespace()).count() < QUOTE_CHARS_MIN {
            return None;
        }
        if let Some(known) = self.file_named(file) {
            if let Some(found) = find(known, &self.files[known], near, &quote) {
                return Some(found);
            }
        }
        let mut others = self.files.iter().filter_map(|(path, lines)| find(path, lines, near, &quote));
        match (others.next(), others.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}

fn find(file: &str, lines: &[Line], near: u32, quote: &str) -> Option<Quoted> {
    let fits = |line: &&Line| match quote.chars().count() {
        // Part of a line must be long enough not to be anywhere.
        12.. => line.normal.contains(quote) || line.masked.contains(quote),
        _ => line.normal == quote || line.masked == quote,
    };
    let line = lines.iter().filter(fits).min_by_key(|line| (!line.changed, line.number.abs_diff(near)))?;
    Some(Quoted { file: file.to_string(), line: line.number, side: line.side, text: line.text.clone() })
}

/// The quote without what a model adds: backticks, quotation marks, our line numbers, the diff's own marks.
fn bare(quote: &str) -> String {
    let mut text = quote.trim();
    for wrap in ['`', '"', '“', '”', '\''] {
        if text.chars().count() > 2 && text.starts_with(wrap) && text.ends_with(wrap) {
            text = text.trim_matches(wrap).trim();
        }
    }
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < text.len() && digits.trim_start().starts_with(['+', '-', '|']);
    let text = if numbered { digits.trim_start() } else { text };
    let text = text.strip_prefix("+ ").or(text.strip_prefix("- ")).or(text.strip_prefix("| ")).unwrap_or(text);
    // `+x` may be the diff's mark or the code's own; without it the text is looked for as part of the line.
    normal(text.strip_prefix('+').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        let patch = b"diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n@@ -1,3 +1,3 @@\n import os\n\
            -    total = count(rows)\n+    total = count(rows) or 1\n     return total\n\
            diff --git a/src/b.py b/src/b.py\n--- a/src/b.py\n+++ b/src/b.py\n@@ -9,0 +10,1 @@\n+password = read_secret_file()\n";
        Lines::of(&rules::diff::parse(patch))
    }

    #[test]
    fn a_quote_is_found_where_it_is() {
        let lines = lines();
        for (file, quote, at) in [
            ("src/a.py", "`total = count(rows) or 1`", ("src/a.py", 2, Side::Right)),
            ("a.py", "    2 + total  = count(rows) or 1", ("src/a.py", 2, Side::Right)),
            ("src/a.py", "-    total = count(rows)", ("src/a.py", 2, Side::Left)),
            ("nonsense", "password = read_secret_file()", ("src/b.py", 10, Side::Right)),
            ("./src/b.py", "read_secret_file()", ("src/b.py", 10, Side::Right)),
        ] {
            let found = lines.locate(file, 2, quote).unwrap_or_else(|| panic!("{quote}"));
            assert_eq!(at, (found.file.as_str(), found.line, found.side), "{quote}");
        }
    }

    #[test]
    fn an_invented_quote_is_not_found() {
        for quote in ["", "os", "x = 1", "total = count(rows) or 2", "import sys"] {
            assert!(lines().locate("src/a.py", 2, quote).is_none(), "{quote}");
        }
    }

    #[test]
    fn an_earlier_finding_is_known_by_its_line() {
        assert_eq!(Some(2), lines().line_of("src/a.py", Side::Right, "total = count(rows) or 1", 9));
        assert_eq!(None, lines().line_of("src/a.py", Side::Right, "total = count(rows)", 2));
        assert_eq!(Some(10), lines().line_of("src/b.py", Side::Right, " password = read_secret_file()", 3));
    }
}
