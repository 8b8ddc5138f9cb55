//! Lines of package manifests and lock files: which package in which version from where.

use std::cmp::Ordering;

use crate::pattern::Pattern;
use crate::view::FileView;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ecosystem {
    Npm,
    Python,
    Cargo,
    Go,
    Ruby,
    Php,
    Maven,
    NuGet,
    Other,
}

impl Ecosystem {
    pub fn of(path: &str) -> Ecosystem {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        match name {
            "package.json"
            | "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "bun.lock"
            | ".npmrc"
            | ".yarnrc"
            | ".yarnrc.yml" => Ecosystem::Npm,
            "pyproject.toml" | "setup.py" | "setup.cfg" | "pipfile" | "pipfile.lock" | "poetry.lock" | "uv.lock"
            | "pdm.lock" | "environment.yml" | "pip.conf" => Ecosystem::Python,
            "cargo.toml" | "cargo.lock" => Ecosystem::Cargo,
            "go.mod" | "go.sum" => Ecosystem::Go,
            "gemfile" | "gemfile.lock" => Ecosystem::Ruby,
            "composer.json" | "composer.lock" => Ecosystem::Php,
            "pom.xml"
            | "build.gradle"
            | "build.gradle.kts"
            | "settings.gradle"
            | "settings.gradle.kts"
            | "libs.versions.toml"
            | "build.sbt"
            | "gradle.lockfile" => Ecosystem::Maven,
            "packages.config" | "directory.packages.props" | "packages.lock.json" | "nuget.config" => Ecosystem::NuGet,
            _ if name.ends_with(".csproj") || name.ends_with(".fsproj") || name.ends_with(".vbproj") => {
                Ecosystem::NuGet
            }
            _ if name.ends_with(".gemspec") => Ecosystem::Ruby,
            _ if name.starts_with("requirements") => Ecosystem::Python,
            _ if name.ends_with(".txt") || name.ends_with(".in") => Ecosystem::Python,
            _ => Ecosystem::Other,
        }
    }
}

/// One package as one line of a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// Version or range as written; empty if the line has none.
    pub version: String,
}

pub struct Reader {
    json: Pattern,
    pinned: Pattern,
    toml: Pattern,
    table: Pattern,
    go: Pattern,
    gem: Pattern,
    gradle: Pattern,
    reference: Pattern,
}

impl Reader {
    pub fn new() -> Reader {
        Reader {
            json: Pattern::new(r#"^\s*"([@\w][\w@./-]*)"\s*:\s*"([^"]*)""#),
            pinned: Pattern::new(
                r#"^\s*["']?([A-Za-z][\w.-]*(?:\[[^\]]*\])?)\s*((?:===?|~=|>=|<=|!=|>
                    |<)[^;#"']*)?(?:;[^#"']*)?["']?,?\s*(?:#.*)?\\?$"#,
            ),
            toml: Pattern::new(r#"^\s*"?([A-Za-z][\w.-]*)"?\s*=\s*"([^"]*)"\s*$"#),
            table: Pattern::new(r#"^\s*"?([A-Za-z][\w.-]*)"?\s*=\s*\{(.*)\}?"#),
            go: Pattern::new(r"^\s*(?:require\s+)?([\w.-]+\.[\w-]+/[\w./~-]+)\s+(v[\w.+-]+)"),
            gem: Pattern::new(
                r#"^\s*(?:gem|(?:s|spec|gem)\.add_\w*dependency)[\s(]+["']([\w-]+)["'](?:\s*,\s*["']([^"']*)["'])?"#,
            ),
            gradle: Pattern::new(r#"["']([\w.-]+:[\w.-]+):([\w.+-]+)(?:@\w+)?["']"#),
            reference: Pattern::new(
                r#"(?i)<Package(?:Reference|Version)?\s[^>]*?(?:Include|Update
                    |id)="([^"]+)"(?:[^>]*?version="([^"]*)")?"#,
            ),
        }
    }

    /// The package of line `at`, if it names one.
    pub fn entry(&self, file: &FileView, at: usize) -> Option<Entry> {
        let text = file.lines[at].text();
        let made =
            |name: &str, version: &str| Some(Entry { name: name.to_owned(), version: version.trim().to_owned() });
        match Ecosystem::of(file.path) {
            Ecosystem::Npm | Ecosystem::Php if file.path.ends_with(".json") => {
                let hit = self.json.find(text)?;
                let (name, value) = (hit.group(1), hit.group(2));
                let known = !NOT_PACKAGES.contains(&name) && is_version(value);
                if known && self.in_dependencies(file, at) {
                    made(name, value)
                } else {
                    None
                }
            }
            Ecosystem::Python
                if file.path.ends_with(".toml") || file.path.to_ascii_lowercase().ends_with("pipfile") =>
            {
                self.python_toml(file, at, text)
            }
            Ecosystem::Python if !file.place.lock => {
                if file.path.ends_with("setup.cfg") || file.path.ends_with(".yml") {
                    return None;
                }
                let trimmed = text.trim();
                let quoted = trimmed.starts_with(['"', '\'']);
                if file.path.ends_with("setup.py") && !(quoted && trimmed.contains(['=', '<', '>', '~'])) {
                    return None;
                }
                let hit = self.pinned.find(text)?;
                made(hit.group(1), hit.group(2))
            }
            Ecosystem::Cargo => self.cargo(file, at, text),
            Ecosystem::Go => {
                let hit = self.go.find(text)?;
                made(hit.group(1), hit.group(2))
            }
            Ecosystem::Ruby => {
                let hit = self.gem.find(text)?;
                made(hit.group(1), hit.group(2))
            }
            Ecosystem::Maven => {
                let hit = self.gradle.find(text)?;
                made(hit.group(1), hit.group(2))
            }
            Ecosystem::NuGet => {
                let hit = self.reference.find(text)?;
                made(hit.group(1), hit.group(2))
            }
            _ => None,
        }
    }

    fn python_toml(&self, file: &FileView, at: usize, text: &str) -> Option<Entry> {
        let section = section(file, at);
        let quoted = text.trim_start().starts_with(['"', '\'']);
        if quoted {
            let hit = self.pinned.find(text)?;
            let known = !hit.group(2).is_empty() || section.as_deref().is_some_and(|s| s.contains("dependenc"));
            return known.then(|| Entry { name: hit.group(1).to_owned(), version: hit.group(2).trim().to_owned() });
        }
        if section.as_deref().is_some_and(|s| !s.contains("dependenc") && !s.contains("packages")) {
            return None;
        }
        self.toml_entry(text)
    }

    fn cargo(&self, file: &FileView, at: usize, text: &str) -> Option<Entry> {
        if section(file, at).as_deref().is_some_and(|s| !s.contains("dependenc") && !s.contains("patch")) {
            return None;
        }
        self.toml_entry(text)
    }

    fn toml_entry(&self, text: &str) -> Option<Entry> {
        if let Some(hit) = self.toml.find(text) {
            let known = !NOT_PACKAGES.contains(&hit.group(1)) && is_version(hit.group(2));
            return known.then(|| Entry { name: hit.group(1).to_owned(), version: hit.group(2).to_owned() });
        }
        let hit = self.table.find(text)?;
        let body = hit.group(2);
        let known = ["version", "git", "path", "workspace", "source", "url", "index", "registry", "features"];
        if !known.iter().any(|key| body.contains(key)) {
            return None;
        }
        let version = body.split_once("version").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("");
        Some(Entry { name: hit.group(1).to_owned(), version: version.to_owned() })
    }

    /// In a JSON manifest: whether the nearest opening above, as far as the hunk shows it, is of dependencies.
    fn in_dependencies(&self, file: &FileView, at: usize) -> bool {
        if file.place.lock {
            return false;
        }
        let indent = file.lines[at].indent();
        for line in file.above(at, 400) {
            let text = line.text().trim();
            if line.indent() < indent && text.ends_with('{') {
                let lower = text.to_ascii_lowercase();
                return ["dependencies", "require", "resolutions", "overrides", "catalog"]
                    .iter()
                    .any(|s| lower.contains(s));
            }
        }
        // The hunk begins among the entries: then they are taken for packages if they look like it.
        indent >= 2 && is_range(json_value(file.lines[at].text()))
    }
}

fn json_value(text: &str) -> &str {
    text.split_once(':').map_or("", |(_, value)| value.trim().trim_end_matches(',').trim_matches('"'))
}

/// The table header above a line of a TOML file, if the hunk shows it.
pub fn section(file: &FileView, at: usize) -> Option<String> {
    let header = file.above(at, 400).find(|l| l.text().starts_with('['))?;
    Some(header.text().to_ascii_lowercase())
}

const NOT_PACKAGES: &[&str] = &[
    "version",
    "name",
    "description",
    "license",
    "edition",
    "main",
    "module",
    "types",
    "node",
    "npm",
    "resolved",
    "integrity",
    "type",
    "packageManager",
    "rust-version",
    "requires-python",
    "homepage",
    "repository",
    "documentation",
    "readme",
    "engines",
    "url",
    "ref",
    "reference",
    "shasum",
    "source",
    "python",
    "php",
];

/// Something that may stand behind a package's name.
fn is_version(value: &str) -> bool {
    is_range(value) || is_source(value)
}

pub fn is_range(value: &str) -> bool {
    let value = value.trim();
    value == "*"
        || matches!(value, "latest" | "next")
        || value.trim_start_matches(['^', '~', '=', '>', '<', 'v', ' ', '!']).starts_with(|c: char| c.is_ascii_digit())
        || value.starts_with("dev-")
}

/// A package taken from elsewhere than a registry.
pub fn is_source(value: &str) -> bool {
    let value = value.trim();
    [
        "git+",
        "git://",
        "git@",
        "github:",
        "gitlab:",
        "bitbucket:",
        "gist:",
        "http://",
        "https://",
        "ssh://",
        "file:",
        "link:",
        "workspace:",
        "npm:",
        "portal:",
        "patch:",
        "catalog:",
    ]
    .iter()
    .any(|prefix| value.starts_with(prefix))
        || (value.matches('/').count() == 1
            && !value.starts_with(['@', '.', '/'])
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./#".contains(&b))
            && value.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// The numbers of the lowest version that a range allows; None if it is no plain version.
pub fn numbers(version: &str) -> Option<Vec<u64>> {
    let version = version.trim().trim_start_matches(['^', '~', '=', '>', '<', 'v', ' ', '!']);
    let version = version.split([',', ' ', '|', ';']).next().unwrap_or(version);
    let main = version.split(['-', '+']).next().unwrap_or(version);
    let numbers: Vec<u64> = main.split('.').map_while(|part| part.parse().ok()).collect();
    (!numbers.is_empty()).then_some(numbers)
}

pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (mut a, mut b) = (numbers(a)?, numbers(b)?);
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    Some(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions() {
        assert_eq!(compare("^1.10.0", "~1.9.9"), Some(Ordering::Greater));
        assert_eq!(compare("v2.0", "2.0.0"), Some(Ordering::Equal));
        assert_eq!(compare("latest", "1.0"), None);
    }

    #[test]
    fn knows_sources_from_ranges() {
        assert!(is_source("github:a/b") && is_source("a/b#main") && is_source("git+https://x.org/a.git"));
        assert!(!is_source("^1.0.0") && !is_source("1.x"));
        assert!(is_range("*") && is_range(">=1 <2") && !is_range("a/b"));
    }
}
