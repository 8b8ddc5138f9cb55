//! A diff made ready for the rules: lines scanned, changed lines in blocks and pairs, moved lines known.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::diff::{Diff, File, Line, LineKind, Status};
use crate::lang::Lang;
use crate::paths::Place;
use crate::scan::{scan, Quoted, State};

/// Longer lines are minified or data; only the secret rules read a part of them.
pub const LONGEST_LINE: usize = 1000;
/// Blocks beyond this are rewrites: pairing their lines says nothing.
const LARGEST_PAIRED_BLOCK: usize = 80;

pub struct View<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub files: Vec<FileView<'a>>,
    /// Changed lines by their text without indentation: how often removed and added in the whole diff.
    moves: HashMap<&'a str, (u32, u32)>,
    words_added: HashSet<&'a str>,
}

pub struct FileView<'a> {
    pub file: &'a File,
    pub path: &'a str,
    pub lang: Lang,
    pub place: Place,
    pub lines: Vec<Source<'a>>,
    pub blocks: Vec<Block>,
    /// Lines of each hunk.
    pub hunks: Vec<Range<usize>>,
}

pub struct Source<'a> {
    pub line: &'a Line,
    /// Comments blanked.
    pub live: String,
    /// Comments and the contents of strings blanked.
    pub code: String,
    pub strings: Vec<Quoted>,
    pub hunk: usize,
    /// The line of the other side this one was changed from or to.
    pub pair: Option<usize>,
    /// Stands, but for indentation, on the other side too.
    pub moved: bool,
}

/// A run of changed lines.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub lines: Range<usize>,
    pub removed: Vec<usize>,
    pub added: Vec<usize>,
}

impl Source<'_> {
    pub fn is_added(&self) -> bool {
        self.line.kind == LineKind::Added
    }

    pub fn is_removed(&self) -> bool {
        self.line.kind == LineKind::Removed
    }

    /// Added and new: not only moved or indented anew.
    pub fn is_new(&self) -> bool {
        self.is_added() && !self.moved
    }

    pub fn is_gone(&self) -> bool {
        self.is_removed() && !self.moved
    }

    pub fn text(&self) -> &str {
        &self.line.text
    }

    pub fn indent(&self) -> usize {
        let text = self.text();
        text.bytes().take_while(|b| *b == b' ' || *b == b'\t').map(|b| if b == b'\t' { 4 } else { 1 }).sum()
    }

    pub fn is_blank(&self) -> bool {
        self.live.trim().is_empty()
    }

    pub fn string(&self, quoted: &Quoted) -> &str {
        self.line.text.get(quoted.start..quoted.end).unwrap_or("")
    }
}

impl<'a> FileView<'a> {
    fn new(file: &'a File) -> Self {
        let path = file.path();
        let lang = Lang::of(path);
        let mut place = Place::of(path);
        place.generated |= says_generated(file);
        let mut view = FileView { file, path, lang, place, lines: Vec::new(), blocks: Vec::new(), hunks: Vec::new() };
        view.read();
        view.find_blocks();
        view.pair();
        view
    }

    fn read(&mut self) {
        for (number, hunk) in self.file.hunks.iter().enumerate() {
            let from = self.lines.len();
            let begin = state_at_start(&hunk.lines, self.lang);
            let (mut old, mut new) = (begin, begin);
            for line in &hunk.lines {
                if line.text.len() > LONGEST_LINE {
                    self.lines.push(Source::unread(line, number));
                    continue;
                }
                let state = if line.kind == LineKind::Removed { &mut old } else { &mut new };
                let scanned = scan(&line.text, self.lang, state);
                if line.kind == LineKind::Context {
                    old = new;
                }
                self.lines.push(Source {
                    line,
                    live: scanned.live,
                    code: scanned.code,
                    strings: scanned.strings,
                    hunk: number,
                    pair: None,
                    moved: false,
                });
            }
            self.hunks.push(from..self.lines.len());
        }
    }

    fn find_blocks(&mut self) {
        let mut open: Option<Block> = None;
        let mut hunk = usize::MAX;
        for (at, line) in self.lines.iter().enumerate() {
            if line.hunk != hunk || line.line.kind == LineKind::Context {
                self.blocks.extend(open.take());
                hunk = line.hunk;
            }
            if line.line.kind == LineKind::Context {
                continue;
            }
            let block = open.get_or_insert_with(|| Block { lines: at..at, ..Block::default() });
            block.lines.end = at + 1;
            if line.is_added() {
                block.added.push(at);
            } else {
                block.removed.push(at);
            }
        }
        self.blocks.extend(open);
    }

    fn pair(&mut self) {
        for number in 0..self.blocks.len() {
            let block = self.blocks[number].clone();
            if block.removed.is_empty() || block.added.is_empty() || block.lines.len() > LARGEST_PAIRED_BLOCK {
                continue;
            }
            let mut scores = Vec::new();
            for &old in &block.removed {
                for &new in &block.added {
                    let alike = likeness(self.lines[old].text(), self.lines[new].text());
                    if alike >= 40 {
                        scores.push((alike, old, new));
                    }
                }
            }
            scores.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            for (_, old, new) in scores {
                if self.lines[old].pair.is_none() && self.lines[new].pair.is_none() {
                    self.lines[old].pair = Some(new);
                    self.lines[new].pair = Some(old);
                }
            }
        }
    }

    pub fn pair_of(&self, at: usize) -> Option<&Source<'a>> {
        self.lines[at].pair.map(|other| &self.lines[other])
    }

    pub fn is_new_file(&self) -> bool {
        self.file.status == Status::Added
    }

    pub fn is_deleted_file(&self) -> bool {
        self.file.status == Status::Deleted
    }

    /// Indexes of the lines of the new side around `at`, in its hunk, nearest first going up.
    pub fn above(&self, at: usize, most: usize) -> impl Iterator<Item = &Source<'a>> {
        let hunk = self.hunks[self.lines[at].hunk].clone();
        let removed = self.lines[at].is_removed();
        self.lines[hunk.start..at]
            .iter()
            .rev()
            .filter(move |l| if removed { !l.is_added() } else { !l.is_removed() })
            .take(most)
    }

    pub fn below(&self, at: usize, most: usize) -> impl Iterator<Item = &Source<'a>> {
        let hunk = self.hunks[self.lines[at].hunk].clone();
        let removed = self.lines[at].is_removed();
        self.lines[at + 1..hunk.end]
            .iter()
            .filter(move |l| if removed { !l.is_added() } else { !l.is_removed() })
            .take(most)
    }

    /// The line with its neighbours of the same side, comments blanked, as one text.
    pub fn around(&self, at: usize, up: usize, down: usize) -> String {
        let mut above: Vec<&str> = self.above(at, up).map(|l| l.live.as_str()).collect();
        above.reverse();
        let below = self.below(at, down).map(|l| l.live.as_str());
        above.into_iter().chain([self.lines[at].live.as_str()]).chain(below).collect::<Vec<_>>().join("\n")
    }

    pub fn context_of(&self, at: usize) -> &str {
        &self.file.hunks[self.lines[at].hunk].context
    }
}

impl<'a> Source<'a> {
    fn unread(line: &'a Line, hunk: usize) -> Self {
        Source { line, live: String::new(), code: String::new(), strings: Vec::new(), hunk, pair: None, moved: false }
    }
}

impl<'a> View<'a> {
    pub fn new(title: &'a str, body: &'a str, diff: &'a Diff) -> Self {
        let files: Vec<FileView> = diff.files.iter().map(FileView::new).collect();
        let mut view = View { title, body, files, moves: HashMap::new(), words_added: HashSet::new() };
        view.index(diff);
        view
    }

    fn index(&mut self, diff: &'a Diff) {
        for line in diff.files.iter().flat_map(|f| &f.hunks).flat_map(|h| &h.lines) {
            let key = line.text.trim();
            if line.kind == LineKind::Context || line.text.len() > LONGEST_LINE || key.is_empty() {
                continue;
            }
            let added = line.kind == LineKind::Added;
            let counts = self.moves.entry(key).or_default();
            if added {
                counts.1 += 1;
            } else {
                counts.0 += 1;
            }
            if added {
                self.words_added.extend(words_of(key));
            }
        }
        for file in &mut self.files {
            for line in &mut file.lines {
                let key = line.line.text.trim();
                let (removed, added) = self.moves.get(key).copied().unwrap_or_default();
                line.moved = removed > 0 && added > 0 && line.line.kind != LineKind::Context;
            }
        }
    }

    /// An identifier that stands on an added line anywhere in the diff.
    pub fn adds_word(&self, word: &str) -> bool {
        self.words_added.contains(word)
    }

    /// Title or body uses one of the words (given in lower case).
    pub fn says(&self, words: &[&str]) -> bool {
        let lower = format!("{}\n{}", self.title, self.body).to_ascii_lowercase();
        words.iter().any(|word| lower.contains(word))
    }
}

/// Identifiers of a text, keywords among them.
pub fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).filter(|w| !w.is_empty())
}

/// How alike two lines are, in percent: shared identifiers, counted twice, of all.
pub fn likeness(a: &str, b: &str) -> u32 {
    let mut left: Vec<&str> = words_of(a).collect();
    let mut right: Vec<&str> = words_of(b).collect();
    if left.is_empty() && right.is_empty() {
        return if a.trim() == b.trim() { 100 } else { 0 };
    }
    left.sort_unstable();
    right.sort_unstable();
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < left.len() && j < right.len() {
        match left[i].cmp(right[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, shared) = (i + 1, j + 1, shared + 1);
            }
        }
    }
    (200 * shared / (left.len() + right.len())) as u32
}

/// A hunk may begin inside a comment or a string; its end tells.
fn state_at_start(lines: &[Line], lang: Lang) -> State {
    let syntax = lang.syntax();
    if let Some((begin, end)) = syntax.block {
        for line in lines.iter().take(200) {
            let (opens, closes) = (line.text.find(begin), line.text.find(end));
            match (opens, closes) {
                (None, Some(_)) => return State::Comment,
                (Some(o), Some(c)) if c < o => return State::Comment,
                (Some(_), _) => break,
                (None, None) => {}
            }
        }
    }
    for delimiter in syntax.long.iter().filter(|d| d.len() == 3) {
        let mut marks = lines.iter().filter(|l| l.kind != LineKind::Removed && l.text.contains(delimiter));
        let count: usize = marks.clone().map(|l| l.text.matches(delimiter).count()).sum();
        let alone = marks.next().is_some_and(|l| l.text.trim() == *delimiter);
        if count % 2 == 1 && alone {
            return State::Long(delimiter);
        }
    }
    State::Code
}

fn says_generated(file: &File) -> bool {
    let Some(hunk) = file.hunks.first().filter(|h| h.new_start <= 1) else { return false };
    hunk.lines.iter().take(12).any(|line| {
        let text = line.text.get(..line.text.len().min(200)).unwrap_or(&line.text);
        ["@generated", "DO NOT EDIT", "Do not edit", "do not edit", "auto-generated", "autogenerated", "Autogenerated"]
            .iter()
            .any(|mark| text.contains(mark))
    })
}
