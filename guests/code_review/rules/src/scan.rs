//! Splits source lines into code, strings and comments, without knowing more of a language than its quotes.

use crate::lang::{Lang, Syntax};

/// Where a line begins: in code, in a block comment, or in a string that runs over lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Code,
    Comment,
    Long(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    /// Where the content begins and ends, without the quotes.
    pub start: usize,
    pub end: usize,
    pub quote: u8,
    /// Byte before the quote (f"", r"", @"", $""), or 0.
    pub prefix: u8,
}

#[derive(Debug, Default, Clone)]
pub struct Scanned {
    /// Comments blanked, strings kept.
    pub live: String,
    /// Comments blanked and the contents of strings too.
    pub code: String,
    pub strings: Vec<Quoted>,
}

pub fn scan(text: &str, lang: Lang, state: &mut State) -> Scanned {
    let syntax = lang.syntax();
    if *state == State::Code && lang.has_braces() {
        let trimmed = text.trim_start();
        // The middle of a doc comment whose beginning the hunk does not show.
        if trimmed == "*" || trimmed.starts_with("* ") || trimmed.starts_with("*/") {
            return Scanned { live: String::new(), code: String::new(), strings: Vec::new() };
        }
    }
    let mut out = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        live: text.as_bytes().to_vec(),
        code: text.as_bytes().to_vec(),
        strings: Vec::new(),
        syntax,
        lang,
    };
    out.run(state);
    Scanned { live: to_text(out.live), code: to_text(out.code), strings: out.strings }
}

/// Blanking covers whole comments and strings, so what is left is UTF-8; if not, it is mended.
fn to_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    live: Vec<u8>,
    code: Vec<u8>,
    strings: Vec<Quoted>,
    syntax: &'static Syntax,
    lang: Lang,
}

impl Scanner<'_> {
    fn run(&mut self, state: &mut State) {
        loop {
            match *state {
                State::Comment => {
                    let end = self.syntax.block.map_or("*/", |(_, end)| end);
                    match self.find(end) {
                        Some(at) => {
                            self.blank_comment(self.at, at + end.len());
                            *state = State::Code;
                        }
                        None => return self.blank_comment(self.at, self.bytes.len()),
                    }
                }
                State::Long(delimiter) => {
                    let from = self.at;
                    let (end, next) = match self.find(delimiter) {
                        Some(at) => (at, at + delimiter.len()),
                        None => (self.bytes.len(), self.bytes.len()),
                    };
                    self.string(from, end, delimiter.as_bytes()[0], 0);
                    self.at = next;
                    if next == self.bytes.len() && (end == next) {
                        return;
                    }
                    *state = State::Code;
                }
                State::Code => {
                    if !self.code(state) {
                        return;
                    }
                }
            }
        }
    }

    /// Reads code up to where the state changes; false at the end of the line.
    fn code(&mut self, state: &mut State) -> bool {
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            if self.syntax.line.iter().any(|mark| rest.starts_with(mark.as_bytes())) && self.begins_comment() {
                self.blank_comment(self.at, self.bytes.len());
                return false;
            }
            if let Some((begin, _)) = self.syntax.block {
                if rest.starts_with(begin.as_bytes()) {
                    self.blank_comment(self.at, self.at + begin.len());
                    *state = State::Comment;
                    return true;
                }
            }
            if let Some(delimiter) = self.syntax.long.iter().find(|d| rest.starts_with(d.as_bytes())) {
                self.at += delimiter.len();
                *state = State::Long(delimiter);
                return true;
            }
            if self.syntax.quotes.contains(&rest[0]) {
                self.quoted(rest[0]);
                continue;
            }
            self.at += 1;
        }
        false
    }

    /// `#` and `//` that are no comments: `$#`, `url#part`, `http://`.
    fn begins_comment(&self) -> bool {
        let before = self.at.checked_sub(1).map(|i| self.bytes[i]);
        let space = before.is_none_or(|b| b == b' ' || b == b'\t' || b == b';' || b == b')' || b == b'}' || b == b',');
        match self.bytes[self.at] {
            b'#' => match self.lang {
                Lang::Python | Lang::Php | Lang::Ruby | Lang::Elixir => before != Some(b'$') && !self.php_attribute(),
                _ => space,
            },
            b'/' => before != Some(b':'),
            b';' => before.is_none(),
            _ => true,
        }
    }

    fn php_attribute(&self) -> bool {
        self.lang == Lang::Php && self.bytes.get(self.at + 1) == Some(&b'[')
    }

    fn quoted(&mut self, quote: u8) {
        let prefix = self.at.checked_sub(1).map_or(0, |i| self.bytes[i]);
        // An apostrophe between letters or digits is no quote: `it's`, 1'000, lifetimes.
        let prefixes: &[u8] = match self.lang {
            Lang::Python => b"rbfuRBFU",
            Lang::Sql => b"NnEe",
            _ => b"",
        };
        if quote == b'\'' && prefix.is_ascii_alphanumeric() && !prefixes.contains(&prefix) {
            self.at += 1;
            return;
        }
        let verbatim = prefix == b'@' || self.lang == Lang::Sql || (self.lang == Lang::Shell && quote == b'\'');
        let start = self.at + 1;
        let mut end = start;
        while end < self.bytes.len() && self.bytes[end] != quote {
            end += if !verbatim && self.bytes[end] == b'\\' { 2 } else { 1 };
        }
        if end >= self.bytes.len() {
            // An open quote: a character literal's apostrophe, or a string over lines. Nothing is blanked.
            self.at = start;
            return;
        }
        self.string(start, end, quote, prefix);
        self.at = end + 1;
    }

    fn string(&mut self, start: usize, end: usize, quote: u8, prefix: u8) {
        let end = end.min(self.bytes.len());
        self.code[start..end].fill(b' ');
        self.strings.push(Quoted { start, end, quote, prefix });
    }

    fn blank_comment(&mut self, from: usize, to: usize) {
        let to = to.min(self.bytes.len());
        self.live[from..to].fill(b' ');
        self.code[from..to].fill(b' ');
        self.at = to;
    }

    fn find(&self, needle: &str) -> Option<usize> {
        let needle = needle.as_bytes();
        let mut at = self.at;
        while at + needle.len() <= self.bytes.len() {
            if self.bytes[at] == b'\\' && needle.len() == 1 {
                at += 2;
                continue;
            }
            if self.bytes[at..].starts_with(needle) {
                return Some(at);
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, lang: Lang) -> String {
        scan(text, lang, &mut State::Code).code
    }

    #[test]
    fn blanks_strings_and_comments() {
        assert_eq!(code("x = \"a#b\" # c", Lang::Python), "x = \"   \"    ");
        assert_eq!(code("f('//') // y", Lang::JavaScript), "f('  ')     ");
        assert_eq!(code("a /* b */ c", Lang::C), "a         c");
        assert_eq!(code("echo $# # n", Lang::Shell), "echo $#    ");
        assert_eq!(code("let a: &'a str = x;", Lang::Rust), "let a: &'a str = x;");
        assert_eq!(code("it's fine", Lang::Shell), "it's fine");
    }

    #[test]
    fn carries_state_over_lines() {
        let mut state = State::Code;
        scan("x = \"\"\"SELECT", Lang::Python, &mut state);
        assert_eq!(state, State::Long("\"\"\""));
        let middle = scan("  FROM t WHERE '#'", Lang::Python, &mut state);
        assert_eq!(middle.strings.len(), 1);
        assert_eq!(middle.code.trim(), "");
        let last = scan("\"\"\" + y", Lang::Python, &mut state);
        assert_eq!(state, State::Code);
        assert_eq!(last.code.trim(), "\"\"\" + y");
        let mut state = State::Code;
        scan("/* a", Lang::Go, &mut state);
        assert_eq!(scan("b */ c", Lang::Go, &mut state).live.trim(), "c");
    }
}
