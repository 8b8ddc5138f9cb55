//! Git unified diffs. Reads what git, GitHub and `diff -u` write, also cut off in the middle; never fails.

use std::borrow::Cow;

#[derive(Debug, Default, Clone)]
pub struct Diff {
    pub files: Vec<File>,
    /// The input ended inside a hunk.
    pub truncated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    Added,
    Deleted,
    #[default]
    Modified,
    Renamed,
    Copied,
}

#[derive(Debug, Default, Clone)]
pub struct File {
    /// None for an added file.
    pub old_path: Option<String>,
    /// None for a deleted file.
    pub new_path: Option<String>,
    pub status: Status,
    pub old_mode: Option<u32>,
    pub new_mode: Option<u32>,
    pub similarity: Option<u32>,
    pub binary: bool,
    pub hunks: Vec<Hunk>,
}

#[derive(Debug, Default, Clone)]
pub struct Hunk {
    pub old_start: u32,
    pub old_count: u32,
    pub new_start: u32,
    pub new_count: u32,
    /// What git prints after the second `@@`: mostly the head of the enclosing function.
    pub context: String,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    Context,
    Added,
    Removed,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub kind: LineKind,
    /// Number in the old file; 0 for an added line.
    pub old: u32,
    /// Number in the new file; 0 for a removed line.
    pub new: u32,
    /// Without the mark in front and without the line end.
    pub text: String,
    pub no_newline: bool,
}

impl File {
    /// The path to name in a finding: the new one, or the old one of a deleted file.
    pub fn path(&self) -> &str {
        self.new_path.as_deref().or(self.old_path.as_deref()).unwrap_or("")
    }

    pub fn added(&self) -> usize {
        self.count(LineKind::Added)
    }

    pub fn removed(&self) -> usize {
        self.count(LineKind::Removed)
    }

    fn count(&self, kind: LineKind) -> usize {
        self.hunks.iter().flat_map(|h| &h.lines).filter(|l| l.kind == kind).count()
    }

    /// A file as the list of a pull request's files gives it: paths apart, and hunks without a header.
    pub fn from_patch(old_path: Option<&str>, new_path: Option<&str>, status: Status, patch: &[u8]) -> File {
        let mut reader = Reader::new(patch);
        reader.file = Some(File {
            old_path: old_path.map(str::to_owned),
            new_path: new_path.map(str::to_owned),
            status,
            ..File::default()
        });
        reader.read();
        reader.diff.files.into_iter().next().unwrap_or_default()
    }
}

pub fn parse(bytes: &[u8]) -> Diff {
    let mut reader = Reader::new(bytes);
    reader.read();
    reader.diff
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    diff: Diff,
    file: Option<File>,
    /// Lines the open hunk still has to deliver, on the old and on the new side.
    left: (u32, u32),
    next: (u32, u32),
    /// The open file was begun by a `diff --git` line.
    git: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, diff: Diff::default(), file: None, left: (0, 0), next: (0, 0), git: false }
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        self.at += end + 1;
        Some(&rest[..end])
    }

    fn read(&mut self) {
        while let Some(line) = self.line() {
            if self.left != (0, 0) && self.body(line) {
                continue;
            }
            self.header(line);
        }
        self.diff.truncated |= self.left != (0, 0);
        self.close();
    }

    /// A line of the open hunk; false if it cannot be one.
    fn body(&mut self, line: &[u8]) -> bool {
        let (kind, text) = match line.first() {
            Some(b'+') => (LineKind::Added, &line[1..]),
            Some(b'-') => (LineKind::Removed, &line[1..]),
            Some(b' ') => (LineKind::Context, &line[1..]),
            Some(b'\\') => return self.no_newline(),
            // Mailers cut the blank of an empty context line.
            None | Some(b'\r') => (LineKind::Context, &line[0..0]),
            _ => {
                self.left = (0, 0);
                self.diff.truncated = true;
                return false;
            }
        };
        let (old, new) = (kind != LineKind::Added, kind != LineKind::Removed);
        if (old && self.left.0 == 0) || (new && self.left.1 == 0) {
            self.left = (0, 0);
            return false;
        }
        let Some(hunk) = self.file.as_mut().and_then(|f| f.hunks.last_mut()) else {
            self.left = (0, 0);
            return false;
        };
        hunk.lines.push(Line {
            kind,
            old: if old { self.next.0 } else { 0 },
            new: if new { self.next.1 } else { 0 },
            text: String::from_utf8_lossy(trim_cr(text)).into_owned(),
            no_newline: false,
        });
        self.left.0 -= u32::from(old);
        self.left.1 -= u32::from(new);
        self.next.0 = self.next.0.saturating_add(u32::from(old));
        self.next.1 = self.next.1.saturating_add(u32::from(new));
        true
    }

    fn no_newline(&mut self) -> bool {
        let file = self.file.as_mut();
        if let Some(line) = file.and_then(|f| f.hunks.last_mut()).and_then(|h| h.lines.last_mut()) {
            line.no_newline = true;
        }
        true
    }

    fn header(&mut self, raw: &[u8]) {
        let line = trim_cr(raw);
        if let Some(rest) = line.strip_prefix(b"diff --git ") {
            self.begin(true);
            let (old, new) = git_paths(rest);
            let file = self.open();
            file.old_path = old;
            file.new_path = new;
        } else if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") {
            // A merge's combined diff has no two sides to name lines of.
            self.close();
        } else if line.starts_with(b"--- ") && self.starts_file() {
            let path = header_path(&line[4..], true);
            self.open().old_path = path;
        } else if line.starts_with(b"+++ ") && self.file.as_ref().is_some_and(|f| f.hunks.is_empty()) {
            let path = header_path(&line[4..], true);
            self.finish_paths(path);
        } else if line.starts_with(b"@@ ") {
            self.hunk(line);
        } else if line.first() == Some(&b'\\') {
            self.no_newline();
        } else if self.git && self.file.as_ref().is_some_and(|f| f.hunks.is_empty()) {
            self.extended(line);
        } else if line.starts_with(b"Binary files ") && line.ends_with(b" differ") {
            self.binary_without_git(line);
        }
    }

    /// A `--- ` line begins a file unless a `diff --git` line just did; it must be followed by `+++ `.
    fn starts_file(&mut self) -> bool {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"+++ ")) {
            return false;
        }
        if !(self.git && self.file.as_ref().is_some_and(|f| f.hunks.is_empty())) {
            self.begin(false);
        }
        true
    }

    fn finish_paths(&mut self, new: Option<String>) {
        let file = self.open();
        file.new_path = new;
        if file.status == Status::Modified {
            file.status = match (&file.old_path, &file.new_path) {
                (None, Some(_)) => Status::Added,
                (Some(_), None) => Status::Deleted,
                _ => Status::Modified,
            };
        }
    }

    fn extended(&mut self, line: &[u8]) {
        let file = self.open();
        let value = |prefix: &[u8]| line.strip_prefix(prefix);
        if let Some(mode) = value(b"old mode ") {
            file.old_mode = octal(mode);
        } else if let Some(mode) = value(b"new mode ") {
            file.new_mode = octal(mode);
        } else if let Some(mode) = value(b"new file mode ") {
            file.status = Status::Added;
            file.new_mode = octal(mode);
            file.old_path = None;
        } else if let Some(mode) = value(b"deleted file mode ") {
            file.status = Status::Deleted;
            file.old_mode = octal(mode);
            file.new_path = None;
        } else if let Some(percent) = value(b"similarity index ") {
            file.similarity = String::from_utf8_lossy(percent).trim_end_matches('%').parse().ok();
        } else if let Some(path) = value(b"rename from ").or(value(b"copy from ")) {
            file.status = if line[0] == b'r' { Status::Renamed } else { Status::Copied };
            file.old_path = header_path(path, false);
        } else if let Some(path) = value(b"rename to ").or(value(b"copy to ")) {
            file.new_path = header_path(path, false);
        } else if line.starts_with(b"Binary files ") || line.starts_with(b"GIT binary patch") {
            file.binary = true;
        }
    }

    fn binary_without_git(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(&line[13..line.len() - 7]).into_owned();
        self.begin(false);
        let file = self.open();
        file.binary = true;
        if let Some((old, new)) = text.split_once(" and ") {
            file.old_path = header_path(old.as_bytes(), true);
            self.finish_paths(header_path(new.as_bytes(), true));
        }
    }

    fn hunk(&mut self, line: &[u8]) {
        if self.file.is_none() {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let Some((ranges, context)) = text[3..].split_once(" @@") else { return };
        let Some((old, new)) = ranges.split_once(' ') else { return };
        let (Some(old), Some(new)) = (range(old, '-'), range(new, '+')) else { return };
        self.left = (old.1, new.1);
        self.next = (old.0, new.0);
        let context = context.trim().to_owned();
        self.open().hunks.push(Hunk {
            old_start: old.0,
            old_count: old.1,
            new_start: new.0,
            new_count: new.1,
            context,
            lines: Vec::new(),
        });
    }

    fn begin(&mut self, git: bool) {
        self.close();
        self.git = git;
        self.file = Some(File::default());
    }

    fn open(&mut self) -> &mut File {
        self.file.get_or_insert_with(File::default)
    }

    fn close(&mut self) {
        self.left = (0, 0);
        self.git = false;
        if let Some(file) = self.file.take() {
            if file.old_path.is_some() || file.new_path.is_some() {
                self.diff.files.push(file);
            }
        }
    }
}

fn trim_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn octal(text: &[u8]) -> Option<u32> {
    u32::from_str_radix(String::from_utf8_lossy(text).trim(), 8).ok()
}

fn range(text: &str, sign: char) -> Option<(u32, u32)> {
    let text = text.strip_prefix(sign)?;
    match text.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

/// The path of a `---`, `+++`, `rename` or `copy` line; None for `/dev/null`.
fn header_path(raw: &[u8], prefixed: bool) -> Option<String> {
    let path: Cow<[u8]> = if raw.first() == Some(&b'"') {
        Cow::Owned(unquote(raw).0)
    } else {
        // `diff -u` and git (for names with blanks) put a tab, and perhaps a date, behind the name.
        Cow::Borrowed(raw.split(|b| *b == b'\t').next().unwrap_or(raw))
    };
    if prefixed && &*path == b"/dev/null" {
        return None;
    }
    let bare = if prefixed { strip_prefix(&path) } else { &path };
    Some(String::from_utf8_lossy(bare).into_owned())
}

/// `a/x` and `b/x` without their letter; git's mnemonic prefixes (i, w, c, o) too.
fn strip_prefix(path: &[u8]) -> &[u8] {
    match path {
        [b'a' | b'b' | b'i' | b'w' | b'c' | b'o', b'/', rest @ ..] => rest,
        _ => path,
    }
}

/// Undoes git's quoting; gives the name and how many bytes it took.
fn unquote(raw: &[u8]) -> (Vec<u8>, usize) {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 1;
    while at < raw.len() && raw[at] != b'"' {
        if raw[at] != b'\\' {
            out.push(raw[at]);
            at += 1;
            continue;
        }
        at += 1;
        let digits = raw[at.min(raw.len())..].iter().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
        if digits > 0 {
            let value = raw[at..at + digits].iter().fold(0u32, |sum, b| sum * 8 + u32::from(b - b'0'));
            out.push(value as u8);
            at += digits;
            continue;
        }
        match raw.get(at) {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'a') => out.push(7),
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'v') => out.push(11),
            Some(other) => out.push(*other),
            None => {}
        }
        at += 1;
    }
    (out, (at + 1).min(raw.len()))
}

/// Both names of a `diff --git` line. Blanks are not quoted there, so the names are taken to be equal but for the
/// prefix; later header lines mend renames.
fn git_paths(rest: &[u8]) -> (Option<String>, Option<String>) {
    let name = |bytes: &[u8]| Some(String::from_utf8_lossy(strip_prefix(bytes)).into_owned());
    if rest.first() == Some(&b'"') {
        let (old, used) = unquote(rest);
        let after = rest[used..].strip_prefix(b" ").unwrap_or(&rest[used..]);
        return (name(&old), header_path(after, true));
    }
    if rest.last() == Some(&b'"') {
        if let Some(at) = rest.windows(2).position(|w| w == b" \"") {
            return (name(&rest[..at]), header_path(&rest[at + 1..], true));
        }
    }
    let middle = rest.len() / 2;
    if rest.len() % 2 == 1 && rest[middle] == b' ' && strip_prefix(&rest[..middle]) == strip_prefix(&rest[middle + 1..])
    {
        return (name(&rest[..middle]), name(&rest[middle + 1..]));
    }
    match rest.windows(3).position(|w| w == b" b/") {
        Some(at) => (name(&rest[..at]), name(&rest[at + 1..])),
        None => match rest.iter().position(|b| *b == b' ') {
            Some(at) => (name(&rest[..at]), name(&rest[at + 1..])),
            None => (name(rest), name(rest)),
        },
    }
}
