//! Turns the text of a pattern into steps. Panics where it is not well formed: patterns are constants of this crate.

use crate::pattern::{Class, Step};

pub struct Builder<'s> {
    pub source: &'s [u8],
    pub at: usize,
    ignore_case: bool,
    pub groups: usize,
    pub steps: Vec<Step>,
}

impl<'s> Builder<'s> {
    pub fn new(source: &'s [u8], ignore_case: bool) -> Self {
        Builder { source, at: 0, ignore_case, groups: 1, steps: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    pub fn alternatives(&mut self) {
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
        assert!(silent || self.peek() != Some(b'?'), "unknown group in pattern");
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
        let split =
            |first: usize, second: usize| if lazy { Step::Split(second, first) } else { Step::Split(first, second) };
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
