//! What can be known of a change without judging it; the model is given this, and the summary says it.

use std::collections::BTreeMap;

use crate::diff::{Diff, Status};
use crate::manifest::{Entry, Reader};
use crate::symbols::Declarations;
use crate::view::{FileView, View};

#[derive(Debug, Default, Clone)]
pub struct Facts {
    pub files: usize,
    pub added_lines: usize,
    pub removed_lines: usize,
    pub new_files: Vec<String>,
    pub deleted_files: Vec<String>,
    /// Old and new path.
    pub renamed: Vec<(String, String)>,
    /// Path and how the mode changed, as git writes it.
    pub modes: Vec<(String, u32, u32)>,
    pub binary: Vec<String>,
    pub generated: Vec<String>,
    pub lock_files: Vec<String>,
    pub tests: Vec<String>,
    pub migrations: Vec<String>,
    pub workflows: Vec<String>,
    /// Lines of code outside tests changed, but no test.
    pub code_without_tests: bool,
    pub public_api: Vec<ApiChange>,
    pub dependencies: Vec<DependencyChange>,
    /// Language, files, changed lines; most lines first.
    pub languages: Vec<(&'static str, usize, usize)>,
    pub truncated: bool,
    areas: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiChange {
    pub file: String,
    pub name: String,
    pub change: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyChange {
    pub file: String,
    pub name: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

const LISTED: usize = 200;

pub fn facts(diff: &Diff) -> Facts {
    let view = View::new("", "", diff);
    let mut facts = Facts { files: diff.files.len(), truncated: diff.truncated, ..Facts::default() };
    let mut languages: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    let mut areas = std::collections::BTreeSet::new();
    let (reader, declarations) = (Reader::new(), Declarations::new());
    let mut code_lines = 0;
    for file in &view.files {
        let (added, removed) = (file.file.added(), file.file.removed());
        facts.added_lines += added;
        facts.removed_lines += removed;
        facts.note_file(file);
        let place = file.place;
        if !file.file.binary && !place.generated && !place.lock && !place.vendored {
            let entry = languages.entry(file.lang.name()).or_default();
            entry.0 += 1;
            entry.1 += added + removed;
            areas.insert(area(file.path));
        }
        if file.lang.is_code() && !place.is_harmless() {
            code_lines += added + removed;
            facts.note_api(file, &declarations);
        }
        if place.manifest && !place.is_harmless() {
            facts.note_dependencies(file, &reader);
        }
    }
    facts.code_without_tests = code_lines > 0 && facts.tests.is_empty();
    facts.areas = areas.len();
    facts.languages = languages.into_iter().map(|(name, (files, lines))| (name, files, lines)).collect();
    facts.languages.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(b.0)));
    facts
}

/// The first two folders of a path: about what one would call a part of a project.
fn area(path: &str) -> &str {
    let dirs = path.rsplit_once('/').map_or("", |(dirs, _)| dirs);
    match dirs.match_indices('/').nth(1) {
        Some((at, _)) => &dirs[..at],
        None => dirs,
    }
}

impl Facts {
    fn note_file(&mut self, view: &FileView) {
        let (file, place, path) = (view.file, view.place, view.path.to_owned());
        let pair = || (file.old_path.clone().unwrap_or_default(), path.clone());
        match file.status {
            Status::Added => self.new_files.push(path.clone()),
            Status::Deleted => self.deleted_files.push(path.clone()),
            Status::Renamed => self.renamed.push(pair()),
            Status::Copied | Status::Modified => {}
        }
        if let (Some(old), Some(new)) = (file.old_mode, file.new_mode) {
            self.modes.push((path.clone(), old, new));
        }
        let lists: [(bool, &mut Vec<String>); 6] = [
            (file.binary, &mut self.binary),
            (place.generated, &mut self.generated),
            (place.lock, &mut self.lock_files),
            (place.test, &mut self.tests),
            (place.migration && !place.test, &mut self.migrations),
            (place.workflow, &mut self.workflows),
        ];
        for (_, list) in lists.into_iter().filter(|(fits, _)| *fits) {
            list.push(path.clone());
        }
    }

    fn note_api(&mut self, file: &FileView, declarations: &Declarations) {
        let names = |removed: bool| -> BTreeMap<&str, &str> {
            let lines = file.lines.iter().filter(move |l| if removed { l.is_removed() } else { l.is_added() });
            lines.filter_map(|l| declarations.of(file.lang, &l.code)).map(|s| (s.name, s.rest)).collect()
        };
        let (old, new) = (names(true), names(false));
        for (name, rest) in &old {
            let change = match new.get(name) {
                None => "removed",
                Some(other) if other != rest => "changed",
                Some(_) => continue,
            };
            self.push_api(file, name, change);
        }
        for name in new.keys().filter(|name| !old.contains_key(*name)) {
            self.push_api(file, name, "added");
        }
    }

    fn push_api(&mut self, file: &FileView, name: &str, change: &'static str) {
        if self.public_api.len() < LISTED {
            self.public_api.push(ApiChange { file: file.path.to_owned(), name: name.to_owned(), change });
        }
    }

    fn note_dependencies(&mut self, file: &FileView, reader: &Reader) {
        let mut changes: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
        for (at, line) in file.lines.iter().enumerate() {
            let side = line.is_added() as usize;
            if !line.is_added() && !line.is_removed() {
                continue;
            }
            let Some(Entry { name, version }) = reader.entry(file, at) else { continue };
            let entry = changes.entry(name).or_default();
            if side == 1 {
                entry.1 = Some(version);
            } else {
                entry.0 = Some(version);
            }
        }
        for (name, (from, to)) in changes {
            if from != to && self.dependencies.len() < LISTED {
                self.dependencies.push(DependencyChange { file: file.path.to_owned(), name, from, to });
            }
        }
    }

    /// For the summary: that a change is too large, or about too many things, to be reviewed well at once.
    pub fn size_sentence(&self) -> Option<String> {
        let lines = self.added_lines + self.removed_lines;
        let large = self.files > 50 || lines > 1500;
        let mixed = self.areas > 8 && lines > 300;
        let size = format!("{} files and {} changed lines", thousands(self.files), thousands(lines));
        match (large, mixed) {
            (true, true) => Some(format!(
                "This change is very large and touches {} parts of the project ({size}); smaller changes would be \
                    reviewed better.",
                self.areas
            )),
            (true, false) => Some(format!(
                "This change is very large ({size}); smaller changes would be reviewed \
                better."
            )),
            (false, true) => {
                Some(format!("This change is mixed: it touches {} parts of the project ({size}).", self.areas))
            }
            (false, false) => None,
        }
    }
}

/// `12,345`
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let commas = |(i, c)| if i > 0 && (digits.len() - i) % 3 == 0 { vec![',', c] } else { vec![c] };
    digits.chars().enumerate().flat_map(commas).collect()
}
