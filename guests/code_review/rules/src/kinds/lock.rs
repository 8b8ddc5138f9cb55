//! Lock files: where each package comes from, whether its content is still checked, and whether the manifest agrees.

use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::manifest::{compare, numbers, Ecosystem, Reader};
use crate::view::{Block, FileView, View};

fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) {
    let severity = if score >= 75 { Severity::High } else { Severity::Medium };
    let score = if file.place.example { score.saturating_sub(20) } else { score };
    report.add(file, at, Kind::Dependency, rule, severity, score, message);
}

pub fn look(file: &FileView, report: &mut Report) {
    if file.is_new_file() {
        return;
    }
    let usual = usual_hosts(file);
    for (at, line) in file.lines.iter().enumerate() {
        if line.is_new() {
            origin(file, at, usual.as_deref(), report);
        } else if line.is_gone() {
            lost_source(file, at, report);
        }
    }
    for block in &file.blocks {
        changed_checksum(file, block, report);
    }
    changed_sums(file, report);
}

fn host_of(text: &str) -> Option<&str> {
    let address = pattern!(
        r#"(?:resolved"?:?|tarball:|url\s*=|"url"\s*:|source\s*=|remote:
            |registry\s*=)\s*"?'?(?:\w+\+)?[a-z+]+://(?:[^@/\s"']+@)?([\w.-]+)"#
    );
    address.find(text).map(|hit| hit.group(1))
}

/// Domains of public registries and code hosts, by ending: whoever may publish there, the host itself is no surprise.
const PUBLIC: &[(&str, &[&str])] = &[
    ("org", &["npmjs", "rubygems", "pythonhosted", "pypi", "packagist", "cocoapods"]),
    ("com", &["yarnpkg", "github", "gitlab"]),
    ("io", &["crates", "terraform", "jsr"]),
    ("dev", &["pub"]),
    ("pm", &["hex"]),
    ("land", &["deno"]),
];

/// Whether the host is a public registry's, or below its domain.
fn is_public(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    let (Some(ending), Some(name)) = (labels.next(), labels.next()) else { return false };
    PUBLIC.iter().any(|(last, names)| *last == ending && names.contains(&name))
}

/// Hosts that the file named already, in lines that stay or go; None if the hunks show none.
fn usual_hosts<'f>(file: &'f FileView) -> Option<Vec<&'f str>> {
    let kept = file.lines.iter().filter(|l| !l.is_added() && !l.text().contains("git+"));
    let hosts: Vec<&str> = kept.filter_map(|l| host_of(l.text())).collect();
    (!hosts.is_empty()).then_some(hosts)
}

fn origin(file: &FileView, at: usize, usual: Option<&[&str]>, report: &mut Report) {
    let text = file.lines[at].text();
    let Some(host) = host_of(text) else { return };
    let plain = text.contains("http://") && !text.contains("localhost");
    let git = pattern!(r"git\+|codeload\.github\.com|\.git[#?\x22']|git://").is_match(text);
    let was_git = file.pair_of(at).is_some_and(|old| old.text().contains("git"));
    if plain && !file.pair_of(at).is_some_and(|old| old.text().contains("http://")) {
        let message = format!("The package is fetched from {host} without encryption; it can be replaced on the way.");
        return say(report, file, at, "insecure-registry", 82, message);
    }
    if git && !was_git && file.pair_of(at).is_some() {
        let message =
            "This package came from the registry and now comes from a repository. Make sure that this is meant."
                .to_owned();
        return say(report, file, at, "changed-source", 72, message);
    }
    if usual.is_some_and(|usual| !usual.contains(&host) && !is_public(host))
        && !git
        && Ecosystem::of(file.path) != Ecosystem::Php
    {
        let message = format!(
            "The lock file takes this package from {host}, where none came from before. Restore \
            the registry's address, or explain the new one."
        );
        say(report, file, at, "changed-registry", if file.pair_of(at).is_some() { 82 } else { 74 }, message);
    }
}

/// A source other than the public one that a package had.
fn lost_source(file: &FileView, at: usize, report: &mut Report) {
    let text = file.lines[at].text().trim();
    let here =
        text == "[package.source]" || (text.starts_with("source = \"registry+") && !text.contains("crates.io-index"));
    if !here
        || file.pair_of(at).is_some()
        || file.blocks.iter().any(|b| b.lines.contains(&at) && removes_package(file, b))
    {
        return;
    }
    let message = "This package no longer comes from its own source but from the public registry, where the name \
        may belong to somebody else.";
    say(report, file, at, "lost-source", 76, message.to_owned());
}

fn removes_package(file: &FileView, block: &Block) -> bool {
    block
        .removed
        .iter()
        .any(|at| file.lines[*at].text().trim() == "[[package]]" || file.lines[*at].text().starts_with("name = "))
        && !block.added.iter().any(|at| file.lines[*at].text().starts_with("version = "))
}

/// Another checksum for the same version, or none.
fn changed_checksum(file: &FileView, block: &Block, report: &mut Report) {
    let sum = pattern!(
        r#"^\s*"?(?:integrity|checksum|shasum|sha256|sha512|hash|contentHash|sha1)"?\s*[:= ]\s*"?([^"\s,]+)
            |\bintegrity:\s*(sha\d+-[^\s,}]+)|\{\s*(?:file|url)\s*=.*hash\s*=\s*"([^"]+)""#
    );
    let about = pattern!(
        r#"^\s*"?(?:version|resolved|tarball|name|reference|dist|source|rev|node_modules)"?|^\S.*@.*:\s*$
            |^\s*"?node_modules/|^\s*/?[\w@/.-]+@[^:]+:\s*$"#
    );
    let olds: Vec<usize> = block.removed.iter().copied().filter(|at| sum.is_match(file.lines[*at].text())).collect();
    let news: Vec<usize> = block.added.iter().copied().filter(|at| sum.is_match(file.lines[*at].text())).collect();
    let (Some(old), others) = (olds.first().copied(), block.lines.clone()) else { return };
    let versions = others.clone().filter(|at| about.is_match(file.lines[*at].text())).count();
    if versions > 0 || near_version_change(file, block) {
        return;
    }
    let algorithm = |at: usize| {
        let text = file.lines[at].text();
        ["sha1-", "sha256-", "sha384-", "sha512-", "sha256:", "sha512:", "sha1:"]
            .iter()
            .find(|a| text.contains(**a))
            .copied()
    };
    if news.is_empty() {
        let message = "The checksum of a package went, its version stayed: what is installed is no longer checked.";
        return say(report, file, old, "changed-checksum", 76, message.to_owned());
    }
    let new = news[0];
    let stronger = algorithm(old) != algorithm(new) && algorithm(old) == Some("sha1-");
    // Files of a release may be added later; then the others stay.
    let list = file.lines[old].text().contains("file =") && news.len() != olds.len();
    if !stronger && !list && !file.lines[new].moved {
        let message = "The checksum changed and the version did not: the content behind a released version is \
            another. Find out why before it is installed.";
        say(report, file, new, "changed-checksum", 84, message.to_owned());
    }
}

fn near_version_change(file: &FileView, block: &Block) -> bool {
    let version = pattern!(r#"^\s*"?(?:version|resolved|tarball|name)"?[\s:=]|resolution:|^\S.*@"#);
    let hunk = file.hunks[file.lines[block.lines.start].hunk].clone();
    let from = hunk.start.max(block.lines.start.saturating_sub(8));
    let to = hunk.end.min(block.lines.end + 4);
    (from..to).any(|at| {
        let line = &file.lines[at];
        (line.is_added() || line.is_removed()) && !block.lines.contains(&at) && version.is_match(line.text())
    })
}

/// go.sum: one module, one version, another hash.
fn changed_sums(file: &FileView, report: &mut Report) {
    if !file.path.ends_with("go.sum") {
        return;
    }
    let key = |text: &str| text.rsplit_once(' ').map(|(key, _)| key.to_owned());
    let removed: Vec<String> = file.lines.iter().filter(|l| l.is_gone()).filter_map(|l| key(l.text())).collect();
    for (at, line) in file.lines.iter().enumerate().filter(|(_, l)| l.is_new()) {
        if key(line.text()).is_some_and(|k| removed.contains(&k)) {
            let message = "The hash of a module changed and its version did not: the content behind a released \
                version is another. Find out why before it is built.";
            return say(report, file, at, "changed-checksum", 86, message.to_owned());
        }
    }
}

/// A version asked for in the manifest that the lock file, changed in the same commit, does not have.
pub fn compare_with_manifests(view: &View, reader: &Reader, report: &mut Report) {
    for manifest in view.files.iter().filter(|f| f.place.manifest && !f.place.test && !f.place.lock) {
        let dir = manifest.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let ecosystem = Ecosystem::of(manifest.path);
        let lock = view.files.iter().find(|f| {
            f.place.lock && Ecosystem::of(f.path) == ecosystem && f.path.rsplit_once('/').map_or("", |(d, _)| d) == dir
        });
        let Some(lock) = lock.filter(|l| !l.lines.is_empty()) else { continue };
        for at in 0..manifest.lines.len() {
            if !manifest.lines[at].is_new() {
                continue;
            }
            let Some(entry) = reader.entry(manifest, at) else { continue };
            let Some(wanted) =
                numbers(&entry.version).filter(|_| !entry.version.contains("||") && !entry.version.starts_with('<'))
            else {
                continue;
            };
            if let Some((line, locked)) = locked_version(lock, ecosystem, &entry.name) {
                let lower = compare(&locked, &entry.version) == Some(std::cmp::Ordering::Less);
                let major = numbers(&locked).is_some_and(|have| have[0] != wanted[0])
                    && entry.version.starts_with(['^', '~', '=']);
                if lower || major {
                    let message = format!(
                        "The manifest asks for `{}` {}, the lock file has {locked}. Write the lock file anew from \
                            the manifest.",
                        entry.name, entry.version
                    );
                    say(report, lock, line, "lock-mismatch", 78, message);
                    return;
                }
            } else if ecosystem == Ecosystem::Go
                && !lock
                    .lines
                    .iter()
                    .any(|l| !l.is_removed() && l.text().starts_with(&format!("{} {}", entry.name, entry.version)))
            {
                let message = format!(
                    "go.sum, changed here too, has no line for `{} {}`. Run `go mod tidy`.",
                    entry.name, entry.version
                );
                say(report, manifest, at, "lock-mismatch", 60, message);
                return;
            }
        }
    }
}

/// The new version of a package in the lock file, if one of its changed lines tells it.
fn locked_version(lock: &FileView, ecosystem: Ecosystem, name: &str) -> Option<(usize, String)> {
    let heads: Vec<String> = match ecosystem {
        Ecosystem::Npm => vec![format!("\"node_modules/{name}\": {{"), format!("{name}@"), format!("\"{name}@")],
        Ecosystem::Cargo | Ecosystem::Python => vec![format!("name = \"{name}\"")],
        Ecosystem::Php => vec![format!("\"name\": \"{name}\"")],
        _ => return None,
    };
    let version = pattern!(r#"^\s*"?version"?\s*[:= ]\s*"?v?([\d][\w.+-]*)"#);
    for at in 0..lock.lines.len() {
        let line = &lock.lines[at];
        let text = line.text().trim_start();
        if line.is_removed() || line.indent() > 6 || !heads.iter().any(|h| text.starts_with(h.as_str())) {
            continue;
        }
        let end = lock.hunks[line.hunk].end.min(at + 6);
        let found = (at + 1..end)
            .filter(|i| !lock.lines[*i].is_removed())
            .find_map(|i| version.find(lock.lines[i].text()).map(|hit| (i, hit.group(1).to_owned())));
        // Two versions of one crate may stand side by side; then the manifest means either.
        let twice = lock
            .lines
            .iter()
            .filter(|l| !l.is_removed() && heads.iter().any(|h| l.text().trim_start().starts_with(h.as_str())))
            .count()
            > 1;
        if let Some(found) = found.filter(|_| !twice) {
            return Some(found);
        }
    }
    None
}
