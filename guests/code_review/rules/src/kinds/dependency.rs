//! Package manifests: where packages come from, in which versions, and what runs when they are installed.

use std::collections::HashMap;

use super::names::look_alike;
use super::registry::settings;
use super::{lock, pattern, Report};
use crate::finding::{Kind, Severity};
use crate::manifest::{compare, is_source, Ecosystem, Entry, Reader};
use crate::view::{FileView, View};

pub fn find(view: &View, report: &mut Report) {
    let reader = Reader::new();
    for file in &view.files {
        let place = file.place;
        if place.test || place.vendored || file.is_deleted_file() {
            continue;
        }
        if place.lock {
            lock::look(file, report);
            continue;
        }
        if place.manifest {
            entries(view, file, &reader, report);
            scripts(file, report);
        }
        settings(file, report);
        versions(view, file, report);
        markup(file, report);
    }
    lock::compare_with_manifests(view, &reader, report);
}

pub fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) {
    let severity = if score >= 75 { Severity::High } else { Severity::Medium };
    let score = if file.place.example { score.saturating_sub(20) } else { score };
    report.add(file, at, Kind::Dependency, rule, severity, score, message);
}

fn entries(view: &View, file: &FileView, reader: &Reader, report: &mut Report) {
    let ecosystem = Ecosystem::of(file.path);
    let mut old: HashMap<String, (usize, Entry)> = HashMap::new();
    let mut new: Vec<(usize, Entry)> = Vec::new();
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if !line.is_added() && !line.is_removed() {
            continue;
        }
        let Some(entry) = reader.entry(file, at) else { continue };
        if line.is_removed() {
            old.insert(entry.name.clone(), (at, entry));
        } else {
            new.push((at, entry));
        }
    }
    for (at, entry) in &new {
        let before = old.get(&entry.name);
        let line = &file.lines[*at];
        if line.moved {
            continue;
        }
        source(file, *at, entry, before, report);
        version(view, file, *at, entry, before, report);
        let renamed = old.values().find(|(_, e)| {
            e.name.starts_with('@')
                && e.name.ends_with(&format!("/{}", entry.name))
                && !new.iter().any(|(_, n)| n.name == e.name)
        });
        if let Some((_, scoped)) = renamed {
            let message = format!(
                "`{}` became `{}` without its scope: on the public registry that name may belong to somebody else.",
                scoped.name, entry.name
            );
            say(report, file, *at, "lost-scope", 76, message);
        }
        let known = old.contains_key(&entry.name);
        if let Some(other) = look_alike(ecosystem, &entry.name).filter(|_| !known && !file.place.example) {
            let message = format!(
                "`{}` differs from the well-known `{other}` by one letter. Make sure that it is the package you \
                    mean.",
                entry.name
            );
            say(report, file, *at, "look-alike-name", 80, message);
        }
    }
}

/// Taken from elsewhere than before, or from where nobody checks it.
fn source(file: &FileView, at: usize, entry: &Entry, before: Option<&(usize, Entry)>, report: &mut Report) {
    let text = file.lines[at].text();
    let old = before.map_or("", |(line, _)| file.lines[*line].text());
    let git = pattern!(r#"\bgit\s*=\s*"|\bgit:\s*["']|\bgithub:\s*["']|:git\s*=>|:github\s*=>"#);
    let from_git = git.is_match(text) || is_remote(&entry.version);
    let url = pattern!(r#"\b(?:url|registry|index|source)\s*[=:]\s*"?([^"\s,}]+)"#);
    let plain = pattern!(r"\bhttp://").is_match(text);
    if from_git && !(git.is_match(old) || before.is_some_and(|(_, e)| is_remote(&e.version))) {
        let pinned = pattern!(r#"[#@][0-9a-f]{7,40}\b|(?:rev|ref|tag|commit)\s*(?:=>?|:)\s*"?'?"#).is_match(text);
        let score = if plain {
            84
        } else if before.is_some() {
            74
        } else {
            68
        } - if pinned { 12 } else { 0 };
        let message = format!(
            "`{}` comes straight from a repository or an address{}. Nothing there keeps its content the same; use a \
                released version from the registry{}.",
            entry.name,
            if before.is_some() { " now, no longer from the registry" } else { ", not from the registry" },
            if pinned { "" } else { ", or at least a fixed commit" }
        );
        return say(report, file, at, "unpublished-source", score, message);
    }
    if from_git && before.is_some() && host(text) != host(old) {
        let message =
            format!("`{}` is taken from another place than before. Make sure that it is trusted.", entry.name);
        return say(report, file, at, "changed-source", 70, message);
    }
    let named = url.find(old).filter(|hit| !hit.group(1).starts_with("./"));
    if let Some(hit) = named.filter(|_| before.is_some() && !url.is_match(text) && !from_git && !git.is_match(old)) {
        let message = format!(
            "`{}` no longer names its source `{}`, so it is looked up in the public registry, where that name may \
                belong to somebody else.",
            entry.name,
            hit.group(1)
        );
        say(report, file, at, "lost-source", 80, message);
    }
}

fn is_remote(version: &str) -> bool {
    is_source(version)
        && !["workspace:", "file:", "link:", "portal:", "npm:", "catalog:", "patch:"]
            .iter()
            .any(|p| version.starts_with(p))
}

fn host(text: &str) -> &str {
    let after = text.split_once("://").map_or(text, |(_, rest)| rest);
    after.split(['#', '"', '\'', '@']).find(|part| part.contains('/')).unwrap_or("")
}

fn version(
    view: &View,
    file: &FileView,
    at: usize,
    entry: &Entry,
    before: Option<&(usize, Entry)>,
    report: &mut Report,
) {
    let open = matches!(entry.version.as_str(), "*" | "latest" | "x" | "next" | ">=0" | "+")
        || entry.version.ends_with(":latest");
    let was_open = before.is_some_and(|(_, e)| matches!(e.version.as_str(), "*" | "latest" | "x"));
    if open && !was_open && !file.path.ends_with("composer.json") {
        let message = format!(
            "`{}` takes whatever version is newest, so two builds may differ and a bad release comes in by itself. \
                Give a range.",
            entry.name
        );
        return say(report, file, at, "any-version", if before.is_some() { 72 } else { 64 }, message);
    }
    let Some((line, old)) = before else { return };
    let exact = old.version.starts_with("==") || file.lines[*line].text().contains("--hash");
    if exact && entry.version.is_empty() && Ecosystem::of(file.path) == Ecosystem::Python && !file.path.ends_with(".in")
    {
        let message = format!(
            "`{}` was pinned to `{}` and no longer is. Pin it again, or give a range.",
            entry.name, old.version
        );
        return say(report, file, at, "lost-pin", 64, message);
    }
    let meant = view.says(&[
        "revert",
        "downgrade",
        "roll back",
        "rollback",
        "rolls back",
        "back to",
        "pin ",
        "pins ",
        "pinned",
    ]);
    if compare(&entry.version, &old.version) == Some(std::cmp::Ordering::Less) && !meant {
        let lower = pattern!(r"^(?:>=|>|\^|~|~>)").is_match(&entry.version);
        // A lower bound moved down in a library widens what it works with.
        let widened = entry.version.starts_with('>') || (lower && entry.version.contains("||"));
        if !widened {
            let message = format!(
                "`{}` goes back from {} to {}: fixes of the versions between, security fixes among them, are lost. \
                    Say why, or keep the newer one.",
                entry.name, old.version, entry.version
            );
            say(report, file, at, "downgrade", 64, message);
        }
    }
}

/// Versions that stand apart from the name: pom.xml, tables of versions, properties.
fn versions(view: &View, file: &FileView, report: &mut Report) {
    let element = pattern!(r"^\s*<([\w.-]*version)>\s*(\d[\w.-]*)\s*</");
    let property = pattern!(r#"^\s*([\w.-]*)\s*=\s*["'](\d+(?:\.\d+)+[\w.-]*)["']\s*$"#);
    let maven = file.path.ends_with("pom.xml");
    let table = file.path.ends_with("libs.versions.toml");
    if !(maven || table) || view.says(&["revert", "downgrade", "rollback", "roll back", "back to"]) {
        return;
    }
    let pattern = if maven { element } else { property };
    for (at, line) in file.lines.iter().enumerate().filter(|(_, l)| l.is_new()) {
        let (Some(new), Some(old)) =
            (pattern.find(line.text()), file.pair_of(at).and_then(|old| pattern.find(old.text())))
        else {
            continue;
        };
        let own = new.group(1) == "version"
            && !file.above(at, 4).any(|l| l.text().contains("<artifactId>") && l.indent() > 4);
        if new.group(1) == old.group(1) && !own && compare(new.group(2), old.group(2)) == Some(std::cmp::Ordering::Less)
        {
            let message = format!(
                "The version goes back from {} to {}: fixes of the versions between, security \
                fixes among them, are lost. Say why, or keep the newer one.",
                old.group(2),
                new.group(2)
            );
            say(report, file, at, "downgrade", 64, message);
        }
    }
}

/// Scripts of a page, and submodules.
fn markup(file: &FileView, report: &mut Report) {
    let script = pattern!(r"<(?:script|link)\b[^>]*(?:src|href)=['\x22](?:https?:)?//");
    let checked = pattern!(r"\bintegrity\s*=");
    let module = file.path.ends_with(".gitmodules");
    let url = pattern!(r"^\s*url\s*=\s*(\S+)");
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if module && line.is_new() {
            let (Some(new), Some(old)) = (url.find(line.text()), file.pair_of(at).and_then(|old| url.find(old.text())))
            else {
                continue;
            };
            let owner = |text: &str| {
                host(text).trim_end_matches(".git").rsplit_once('/').map_or(String::new(), |(o, _)| o.replace(':', "/"))
            };
            if owner(new.group(1)) != owner(old.group(1)) {
                let score = if new.group(1).starts_with("http://") { 80 } else { 68 };
                say(
                    report,
                    file,
                    at,
                    "changed-source",
                    score,
                    "The submodule comes from another place than before. Make sure that it is trusted.".to_owned(),
                );
            }
        } else if line.is_gone() && script.is_match(line.text()) && checked.is_match(line.text()) {
            let kept = file.pair_of(at).filter(|new| script.is_match(new.text()) && !checked.is_match(new.text()));
            if kept.is_some() && !file.place.test {
                say(
                    report,
                    file,
                    at,
                    "unchecked-packages",
                    74,
                    "The script of another host is no longer checked \
                    against its hash: whoever controls that host controls the page. Keep `integrity`."
                        .to_owned(),
                );
            }
        }
    }
}

/// What a package manager runs by itself.
fn scripts(file: &FileView, report: &mut Report) {
    let hook = pattern!(
        r#"^\s*"(preinstall|install|postinstall|preuninstall|prepare|prepublish|post-install-cmd|post-update-cmd
            |post-autoload-dump)"\s*:\s*\[?\s*"?(.*)"#
    );
    let loads = pattern!(
        r"(?i)\bcurl\b|\bwget\b|https?://|\bnode\s+-e|\beval\b|base64|\|\s*(?:ba)?sh\b|powershell|Invoke-
            |\bpython3?\s+-c|/dev/tcp|child_process"
    );
    let usual = pattern!(
        r"(?:husky|patch-package|\btsc\b|build|node-gyp|prebuild|npm run|yarn\b|pnpm\b|lerna|ngcc|is-ci|git-hooks
            |lefthook|electron|prisma|nuxt|svelte-kit|opencollective|bower|@php|Illuminate|Composer\\\\|link|check
            |playwright|cypress|codegen|generate|compile|bundle|setup|bootstrap|rollup|clean)"
    );
    for (at, line) in file.lines.iter().enumerate().filter(|(_, l)| l.is_new()) {
        let Some(hit) = hook.find(line.text()) else { continue };
        let command = hit.group(2);
        let early = matches!(hit.group(1), "preinstall" | "install" | "postinstall");
        let score = if loads.is_match(command) {
            86
        } else if early && !usual.is_match(command) && file.pair_of(at).is_none_or(|old| !hook.is_match(old.text())) {
            62
        } else {
            continue;
        };
        let message = format!(
            "The `{}` script runs on every machine that installs this package, before anyone looked at it{}. Drop \
                it, or move it to a command that is called on purpose.",
            hit.group(1),
            if score > 80 { ", and fetches or evaluates code" } else { "" }
        );
        say(report, file, at, "install-script", score, message);
    }
}
