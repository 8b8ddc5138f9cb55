//! A small regular-expression matcher over bytes, in time linear in text × pattern: no state is tried twice at one
//! place. Knows literals, `.`, classes, `\d \w \s \b` and their opposites, groups, `|`, `* + ? {m,n}` (and lazy
//! forms), `^`, `$` and a leading `(?i)`. Bytes above 127 belong to `.` and negated classes only.

use std::cell::RefCell;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Class([u64; 4]);

impl Class {
    const NONE: Class = Class([0; 4]);

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn add_all(&mut self, other: Class) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }

    fn not(self) -> Class {
        Class([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

#[derive(Clone, Debug)]
enum Step {
    One(Class),
    Split(usize, usize),
    Jump(usize),
    Save(usize),
    Start,
    End,
    Edge(bool),
    Match,
}

#[derive(Debug)]
pub struct Pattern {
    steps: Vec<Step>,
    first: Class,
    groups: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct Match<'t> {
    text: &'t str,
    slots: [usize; SLOTS],
}

const SLOTS: usize = 12;
const UNSET: usize = usize::MAX;

impl<'t> Match<'t> {
    pub fn start(&self) -> usize {
        self.slots[0]
    }

    pub fn end(&self) -> usize {
        self.slots[1]
    }

    /// The text of a group; empty if the group took no part.
    pub fn group(&self, number: usize) -> &'t str {
        let (from, to) = (self.slots[number * 2], self.slots[number * 2 + 1]);
        if from == UNSET || to == UNSET {
            return "";
        }
        self.text.get(from..to).unwrap_or("")
    }

    pub fn group_start(&self, number: usize) -> Option<usize> {
        Some(self.slots[number * 2]).filter(|at| *at != UNSET)
    }
}

thread_local! {
    static WORK: RefCell<(Vec<u64>, Vec<(usize, usize, usize)>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

impl Pattern {
    /// Panics on a pattern that is not well formed: patterns are constants of this crate, and a test builds them all.
    pub fn new(source: &str) -> Pattern {
        let (ignore_case, source) = match source.strip_prefix("(?i)") {
            Some(rest) => (true, rest),
            None => (false, source),
        };
        let mut builder = Builder { source: source.as_bytes(), at: 0, ignore_case, groups: 1, steps: Vec::new() };
        builder.steps.push(Step::Save(0));
        builder.alternatives();
        assert!(builder.at == builder.source.len(), "stray ) in pattern {source}");
        builder.steps.push(Step::Save(1));
        builder.steps.push(Step::Match);
        assert!(builder.groups * 2 <= SLOTS, "too many groups in pattern {source}");
        let mut first = Class::NONE;
        let mut seen = vec![false; builder.steps.len()];
        firsts(&builder.steps, 0, &mut seen, &mut first);
        Pattern { steps: builder.steps, first, groups: builder.groups }
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.find_at(text, 0)
    }

    pub fn find_at<'t>(&self, text: &'t str, from: usize) -> Option<Match<'t>> {
        let bytes = text.as_bytes();
        WORK.with(|work| {
            let (visited, stack) = &mut *work.borrow_mut();
            visited.clear();
            let mut slots = [UNSET; SLOTS];
            for start in from..=bytes.len() {
                let possible = match bytes.get(start) {
                    Some(byte) => self.first.has(*byte),
                    None => self.first == Class::NONE.not(),
                };
                if !possible {
                    continue;
                }
                if visited.is_empty() {
                    visited.resize((self.steps.len() * (bytes.len() + 1)) / 64 + 1, 0);
                }
                if self.run(bytes, start, visited, stack, &mut slots) {
                    return Some(Match { text, slots });
                }
            }
            None
        })
    }

    pub fn all<'t>(&self, text: &'t str) -> Vec<Match<'t>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(hit) = self.find_at(text, from) {
            from = hit.end().max(hit.start() + 1);
            found.push(hit);
            if from > text.len() {
                break;
            }
        }
        found
    }

    fn run(
        &self,
        bytes: &[u8],
        start: usize,
        visited: &mut [u64],
        stack: &mut Vec<(usize, usize, usize)>,
        slots: &mut [usize; SLOTS],
    ) -> bool {
        // An entry with a step past the program restores a slot: (steps + slot, old value, _).
        slots[..self.groups * 2].fill(UNSET);
        stack.clear();
        stack.push((0, start, 0));
        while let Some((mut step, mut at, _)) = stack.pop() {
            if step >= self.steps.len() {
                slots[step - self.steps.len()] = at;
                continue;
            }
            loop {
                let key = step * (bytes.len() + 1) + at;
                if visited[key / 64] >> (key % 64) & 1 == 1 {
                    break;
                }
                visited[key / 64] |= 1 << (key % 64);
                match &self.steps[step] {
                    Step::One(class) => {
                        if !bytes.get(at).is_some_and(|byte| class.has(*byte)) {
                            break;
                        }
                        at += 1;
                        step += 1;
                    }
                    Step::Split(first, second) => {
                        stack.push((*second, at, 0));
                        step = *first;
                    }
                    Step::Jump(to) => step = *to,
                    Step::Save(slot) => {
                        stack.push((self.steps.len() + slot, slots[*slot], 0));
                        slots[*slot] = at;
                        step += 1;
                    }
                    Step::Start if at == 0 => step += 1,
                    Step::End if at == bytes.len() => step += 1,
                    Step::Edge(wanted) if edge(bytes, at) == *wanted => step += 1,
                    Step::Match => return true,
                    Step::Start | Step::End | Step::Edge(_) => break,
                }
            }
        }
        false
    }
}

fn edge(bytes: &[u8], at: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    word(at.checked_sub(1).and_then(|i| bytes.get(i))) != word(bytes.get(at))
}

/// The bytes a match can begin with; all of them if it can be empty.
fn firsts(steps: &[Step], at: usize, seen: &mut [bool], out: &mut Class) {
    if std::mem::replace(&mut seen[at], true) {
        return;
    }
    match &steps[at] {
        Step::One(class) => out.add_all(*class),
        Step::Split(a, b) => {
            firsts(steps, *a, seen, out);
            firsts(steps, *b, seen, out);
        }
        Step::Jump(to) => firsts(steps, *to, seen, out),
        Step::Match => *out = Class::NONE.not(),
        _ => firsts(steps, at + 1, seen, out),
    }
}

struct Builder<'s> {
    source: &'s [u8],
    at: usize,
    ignore_case: bool,
    groups: usize,
    steps: Vec<Step>,
}

impl Builder<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn alternatives(&mut self) {
        let begin = self.steps.len();
        self.sequence();
        if self.peek() != Some(b'|') {
            return;
        }
        self.at += 1;
        self.insert(begin, Step::Split(begin + 1, self.steps.len() + 2));
        let jump = self.steps.len();
        self.steps.push(Step::Jump(0));
        self.alternatives();
        self.steps[jump] = Step::Jump(self.steps.len());
    }

    fn sequence(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'|' || byte == b')' {
                break;
            }
            let begin = self.steps.len();
            self.atom();
            self.repeat(begin);
        }
    }

    fn atom(&mut self) {
        let byte = self.source[self.at];
        self.at += 1;
        match byte {
            b'(' => self.group(),
            b'[' => {
                let class = self.class();
                self.steps.push(Step::One(class));
            }
            b'.' => self.steps.push(Step::One(Class::NONE.not())),
            b'^' => self.steps.push(Step::Start),
            b'$' => self.steps.push(Step::End),
            b'\\' => {
                let escaped = self.source[self.at];
                self.at += 1;
                match escaped {
                    b'b' => self.steps.push(Step::Edge(true)),
                    b'B' => self.steps.push(Step::Edge(false)),
                    _ => {
                        let class = self.escape(escaped);
                        self.steps.push(Step::One(class));
                    }
                }
            }
            _ => {
                let class = self.literal(byte);
                self.steps.push(Step::One(class));
            }
        }
    }

    fn group(&mut self) {
        let silent = self.source[self.at..].starts_with(b"?:");
        let number = self.groups;
        if silent {
            self.at += 2;
        } else {
            self.groups += 1;
            self.steps.push(Step::Save(number * 2));
        }
        self.alternatives();
        assert!(self.peek() == Some(b')'), "open group in pattern");
        self.at += 1;
        if !silent {
            self.steps.push(Step::Save(number * 2 + 1));
        }
    }

    fn literal(&self, byte: u8) -> Class {
        let mut class = Class::NONE;
        class.add(byte);
        if self.ignore_case {
            class.add(byte.to_ascii_lowercase());
            class.add(byte.to_ascii_uppercase());
        }
        class
    }

    fn escape(&mut self, byte: u8) -> Class {
        let mut class = Class::NONE;
        match byte.to_ascii_lowercase() {
            b'x' => {
                let digits = std::str::from_utf8(&self.source[self.at..self.at + 2]).expect("two hex digits");
                class.add(u8::from_str_radix(digits, 16).expect("two hex digits"));
                self.at += 2;
            }
            b'd' => (b'0'..=b'9').for_each(|b| class.add(b)),
            b'w' => (0..=127u8).filter(|b| b.is_ascii_alphanumeric() || *b == b'_').for_each(|b| class.add(b)),
            b's' => [b' ', b'\t', b'\r', b'\n', 11, 12].into_iter().for_each(|b| class.add(b)),
            b't' => class.add(b'\t'),
            b'n' => class.add(b'\n'),
            _ => {
                assert!(!byte.is_ascii_alphanumeric(), "unknown escape in pattern");
                class.add(byte);
            }
        }
        if byte.is_ascii_uppercase() {
            class.not()
        } else {
            class
        }
    }

    fn class(&mut self) -> Class {
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let mut class = Class::NONE;
        let begin = self.at;
        loop {
            let mut byte = self.source[self.at];
            self.at += 1;
            match byte {
                b']' if self.at > begin + 1 => break,
                b'\\' => {
                    byte = self.source[self.at];
                    self.at += 1;
                    let escaped = self.escape(byte);
                    class.add_all(escaped);
                }
                _ if self.peek() == Some(b'-') && self.source.get(self.at + 1) != Some(&b']') => {
                    let last = self.source[self.at + 1];
                    self.at += 2;
                    (byte..=last).for_each(|b| class.add_all(self.literal(b)));
                }
                _ => class.add_all(self.literal(byte)),
            }
        }
        if negated {
            class.not()
        } else {
            class
        }
    }

    fn repeat(&mut self, begin: usize) {
        let (least, most) = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => self.bounds(),
            _ => return,
        };
        self.at += 1;
        let lazy = self.peek() == Some(b'?');
        self.at += usize::from(lazy);
        let atom: Vec<Step> = self.steps.drain(begin..).collect();
        for _ in 0..least {
            self.copy(&atom, begin);
        }
        let split = |first: usize, second: usize| if lazy { Step::Split(second, first) } else { Step::Split(first, second) };
        match most {
            None => {
                let at = self.steps.len();
                self.steps.push(Step::Match);
                self.copy(&atom, begin);
                self.steps.push(Step::Jump(at));
                self.steps[at] = split(at + 1, self.steps.len());
            }
            Some(most) => {
                let mut splits = Vec::new();
                for _ in least..most {
                    splits.push(self.steps.len());
                    self.steps.push(Step::Match);
                    self.copy(&atom, begin);
                }
                for at in splits {
                    self.steps[at] = split(at + 1, self.steps.len());
                }
            }
        }
    }

    fn bounds(&mut self) -> (usize, Option<usize>) {
        let close = self.source[self.at..].iter().position(|b| *b == b'}').expect("open { in pattern");
        let text = std::str::from_utf8(&self.source[self.at + 1..self.at + close]).expect("digits in { }");
        self.at += close;
        match text.split_once(',') {
            None => (text.parse().expect("a count"), Some(text.parse().expect("a count"))),
            Some((least, "")) => (least.parse().expect("a count"), None),
            Some((least, most)) => (least.parse().expect("a count"), Some(most.parse().expect("a count"))),
        }
    }

    /// Appends a copy of steps that were built at `origin`.
    fn copy(&mut self, atom: &[Step], origin: usize) {
        let shift = self.steps.len() - origin;
        self.steps.extend(atom.iter().map(|step| match step {
            Step::Split(a, b) => Step::Split(a + shift, b + shift),
            Step::Jump(to) => Step::Jump(to + shift),
            other => other.clone(),
        }));
    }

    /// Inserts a step; jumps behind it move along.
    fn insert(&mut self, at: usize, step: Step) {
        for other in &mut self.steps[at..] {
            match other {
                Step::Split(a, b) => {
                    *a += usize::from(*a >= at);
                    *b += usize::from(*b >= at);
                }
                Step::Jump(to) => *to += usize::from(*to >= at),
                _ => {}
            }
        }
        self.steps.insert(at, step);
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn finds_what_a_pattern_says() {
        let cases = [
            ("abc", "xxabcx", Some("abc")),
            ("a|bc|d", "xbc", Some("bc")),
            ("(?i)select\\b", "a SELECT x", Some("SELECT")),
            ("select\\b", "selected", None),
            ("[a-c]+[^x]", "zzabcab!", Some("abcab!")),
            ("a{2,3}", "aaaa", Some("aaa")),
            ("a{2,3}?", "aaaa", Some("aa")),
            ("^\\s*#", "   # x", Some("   #")),
            ("x$", "xyx", Some("x")),
            ("(?:ab)*c", "ababc", Some("ababc")),
            ("\"[^\"]*\"", "a \"b c\" d", Some("\"b c\"")),
            ("a.*b", "axbxxb", Some("axbxxb")),
            ("a.*?b", "axbxxb", Some("axb")),
            ("[\\w.]+", "-é-a.b", Some("a.b")),
            ("(?:a|b|cd)+e", "abcde", Some("abcde")),
            ("[]x]+", "a]x", Some("]x")),
            ("[-a]", "b-", Some("-")),
        ];

        for (pattern, text, expected) in cases {
            let found = Pattern::new(pattern).find(text).map(|m| text[m.start()..m.end()].to_owned());
            assert_eq!(found.as_deref(), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn gives_groups_of_the_last_way_taken() {
        let pattern = Pattern::new("(\\w+)=(?:\"([^\"]*)\"|(\\w+))");

        let first = pattern.find("a=\"x y\"").expect("a match");
        assert_eq!((first.group(1), first.group(2), first.group(3)), ("a", "x y", ""));
        let all: Vec<_> = pattern.all("a=1 b=\"2\"").iter().map(|m| m.group(1)).collect();
        assert_eq!(all, ["a", "b"]);
    }

    /// Patterns are built when first used; one that is not well formed must not wait for its day.
    #[test]
    fn every_pattern_of_the_crate_is_well_formed() {
        let mut count = 0;
        for folder in ["src", "src/kinds"] {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
                if entry.file_name() == "pattern.rs" {
                    continue;
                }
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                for begin in ["pattern!(r", "pattern!(\n", "Pattern::new(r", "Pattern::new(\n", "pattern: r", "&str = r", "true, r", "false, r"] {
                    for (at, _) in text.match_indices(begin) {
                        let rest = text[at + begin.len()..].trim_start().trim_start_matches('r');
                        let hashes = rest.bytes().take_while(|b| *b == b'#').count();
                        let close = format!("\"{}", "#".repeat(hashes));
                        let Some(body) = rest[hashes..].strip_prefix('"') else { continue };
                        let source = &body[..body.find(&close).expect("the end of a raw string")];
                        assert!(std::panic::catch_unwind(|| Pattern::new(source)).is_ok(), "{source}");
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 200, "only {count} patterns found");
    }

    #[test]
    fn is_linear_where_backtracking_would_explode() {
        let text = "a".repeat(2000);

        assert!(!Pattern::new("(?:a*)*(?:a|aa)+b").is_match(&text));
    }
}
