//! A small regular-expression matcher over bytes, in time linear in text × pattern: no state is tried twice at one
//! place. Knows literals, `.`, classes, `\d \w \s \b` and their opposites, groups, `|`, `* + ? {m,n}` (and lazy
//! forms), `^`, `$` and a leading `(?i)`. Bytes above 127 belong to `.` and negated classes only.

use std::cell::RefCell;
use std::sync::OnceLock;

use crate::pattern_build::Builder;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class([u64; 4]);

impl Class {
    pub const NONE: Class = Class([0; 4]);

    pub fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub fn add_all(&mut self, other: Class) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }

    pub fn not(self) -> Class {
        Class([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    pub fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

#[derive(Clone, Debug)]
pub enum Step {
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
    /// Hashes of the two bytes that a match can begin with; None where that rules out too little.
    pairs: Option<Box<[u64; PAIR_WORDS]>>,
    groups: usize,
}

const PAIR_WORDS: usize = 128;

fn pair_hash(first: u8, second: u8) -> usize {
    (usize::from(first) * 67 + usize::from(second)) % (PAIR_WORDS * 64)
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

/// Builds a pattern when it is first asked for. Not inlined: there are hundreds of callers.
#[inline(never)]
pub fn once(pattern: &'static OnceLock<Pattern>, source: &str) -> &'static Pattern {
    pattern.get_or_init(|| Pattern::new(source))
}

impl Pattern {
    /// Panics on a pattern that is not well formed: patterns are constants of this crate, and a test builds them all.
    pub fn new(source: &str) -> Pattern {
        // Long patterns run over lines: a line's end and the next one's indentation are not part of them.
        let source: String =
            source.split('\n').enumerate().map(|(i, l)| if i == 0 { l } else { l.trim_start() }).collect();
        let (ignore_case, source) = match source.strip_prefix("(?i)") {
            Some(rest) => (true, rest),
            None => (false, source.as_str()),
        };
        let mut builder = Builder::new(source.as_bytes(), ignore_case);
        builder.steps.push(Step::Save(0));
        builder.alternatives();
        assert!(builder.at == builder.source.len(), "stray ) in pattern {source}");
        builder.steps.push(Step::Save(1));
        builder.steps.push(Step::Match);
        assert!(builder.groups * 2 <= SLOTS, "too many groups in pattern {source}");
        let mut first = Class::NONE;
        let mut seen = vec![false; builder.steps.len()];
        firsts(&builder.steps, 0, &mut seen, &mut first);
        let pairs = pairs(&builder.steps);
        Pattern { steps: builder.steps, first, pairs, groups: builder.groups }
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
                if let (Some(pairs), Some([a, b])) = (&self.pairs, bytes.get(start..start + 2)) {
                    let hash = pair_hash(*a, *b);
                    if pairs[hash / 64] >> (hash % 64) & 1 == 0 {
                        continue;
                    }
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

/// The steps that read a byte and can be reached from `at` without reading one; true if the end can be too.
fn readers(steps: &[Step], at: usize, seen: &mut [bool], out: &mut Vec<usize>) -> bool {
    if std::mem::replace(&mut seen[at], true) {
        return false;
    }
    match &steps[at] {
        Step::One(_) => {
            out.push(at);
            false
        }
        Step::Split(a, b) => {
            let first = readers(steps, *a, seen, out);
            readers(steps, *b, seen, out) || first
        }
        Step::Jump(to) => readers(steps, *to, seen, out),
        Step::Match => true,
        _ => readers(steps, at + 1, seen, out),
    }
}

fn pairs(steps: &[Step]) -> Option<Box<[u64; PAIR_WORDS]>> {
    let mut starts = Vec::new();
    if readers(steps, 0, &mut vec![false; steps.len()], &mut starts) {
        return None;
    }
    let mut table = Box::new([0u64; PAIR_WORDS]);
    for start in starts {
        let Step::One(class) = &steps[start] else { continue };
        let mut seconds = Vec::new();
        let mut second = Class::NONE;
        if readers(steps, start + 1, &mut vec![false; steps.len()], &mut seconds) {
            second = Class::NONE.not();
        }
        for next in seconds {
            if let Step::One(class) = &steps[next] {
                second.add_all(*class);
            }
        }
        let all = |class: &Class| (0..=255u8).filter(|b| class.has(*b)).collect::<Vec<_>>();
        let (firsts, seconds) = (all(class), all(&second));
        if firsts.len() * seconds.len() > 20_000 {
            return None;
        }
        for a in &firsts {
            for b in &seconds {
                let hash = pair_hash(*a, *b);
                table[hash / 64] |= 1 << (hash % 64);
            }
        }
    }
    Some(table)
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
                if entry.file_name().to_string_lossy().starts_with("pattern") {
                    continue;
                }
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                for begin in [
                    "pattern!(r",
                    "pattern!(\n",
                    "Pattern::new(r",
                    "Pattern::new(\n",
                    "pattern: r",
                    "&str = r",
                    "true, r",
                    "false, r",
                ] {
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
