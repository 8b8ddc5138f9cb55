//! Settings of package managers: registries, checks, replacements.

use super::dependency::say;
use super::{pattern, Report};
use crate::lang::Lang;
use crate::manifest::Ecosystem;
use crate::view::FileView;

struct Setting {
    rule: &'static str,
    score: u32,
    names: &'static [&'static str],
    pattern: &'static str,
    message: &'static str,
}

const UNENCRYPTED: &str = "Packages come over an unencrypted or unchecked connection, where they can be replaced on \
    the way. Use https and check certificates.";
const SECOND_INDEX: &str = "A further index makes names of private packages ambiguous: whoever registers such a \
    name publicly is installed instead. Use one index that proxies the other, or bind names to indexes.";
const UNCHECKED: &str = "Checksums of downloaded packages are no longer checked. Keep the check.";

const SETTINGS: &[Setting] = &[
    Setting {
        rule: "insecure-registry",
        score: 82,
        names: &[
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            "pip.conf",
            "pipfile",
            "nuget.config",
            "settings.xml",
            "config.toml",
            "requirements",
            "pyproject.toml",
            "pom.xml",
            ".gradle",
            ".kts",
            "gemfile",
            "composer.json",
            "dockerfile",
            "gradle-wrapper.properties",
            "build.sbt",
            ".sh",
        ],
        pattern: r#"(?i)(?:registry|index-url|index_url|extra-index-url|find-links|<url>|url\s*[=:(]?|source\s
            |value=|maven\s*\{\s*url|distributionUrl|repository|resolver
            |at\s)[\s=:("']*http(?:\\)?://(?:[a-z0-9-]+\.)+[a-z]{2,}"#,
        message: UNENCRYPTED,
    },
    Setting {
        rule: "insecure-registry",
        score: 80,
        names: &[],
        pattern: r"(?i)^\s*strict-ssl\s*[=:]?\s*false
        |--trusted-host[ =]|^\s*trusted-host\s*=|allowInsecureProtocol\s*=?\s*\(?true
        |isAllowInsecureProtocol\s*=\s*true|\x22secure-http\x22\s*:\s*false|\x22disable-tls\x22\s*:\s*true
        |enableStrictSsl:\s*false|unsafeHttpWhitelist:|^\s*verify_ssl\s*=\s*false
        |npm (?:config )?set strict-ssl false|allowInsecureConnections=\x22true\x22",
        message: UNENCRYPTED,
    },
    Setting {
        rule: "second-index",
        score: 76,
        names: &[],
        pattern: r"--extra-index-url[ =]|^\s*extra-index-url\s*=
        |PIP_EXTRA_INDEX_URL",
        message: SECOND_INDEX,
    },
    Setting {
        rule: "unchecked-packages",
        score: 78,
        names: &[],
        pattern: r"GONOSUMCHECK|GONOSUMDB=|GOSUMDB=off
        |GOFLAGS=-insecure|GONOSUMDB\s*[:=]|GOINSECURE=|checksumBehavior:\s*[\x22']?(?:ignore|update)
        |--no-verify-checksums?|npm ci --no-audit --force|<TrustedSigners>\s*</|signatureValidationMode.*accept",
        message: UNCHECKED,
    },
    Setting {
        rule: "changed-registry",
        score: 72,
        names: &[".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf"],
        pattern: r"^\s*(?:registry|npmRegistryServer:?|index-url)\s*[=: ]\s*[\x22']?https://",
        message: "All packages come \
            from another registry now. Make sure that it is trusted and meant for everyone who installs this.",
    },
];

pub fn settings(file: &FileView, report: &mut Report) {
    let lower = file.path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let fits_any = file.place.manifest
        || file.place.workflow
        || matches!(file.lang, Lang::Ini | Lang::Dockerfile | Lang::Shell | Lang::Make);
    if file.place.docs && !file.place.manifest {
        return;
    }
    for (at, line) in file.lines.iter().enumerate() {
        if line.is_gone() {
            lost_setting(file, at, name, report);
        }
        if !line.is_new() || line.text().len() > 400 {
            continue;
        }
        let text = line.live.as_str();
        for setting in SETTINGS {
            let fits = if setting.names.is_empty() { fits_any } else { setting.names.iter().any(|n| name.contains(n)) };
            if !fits || !text.contains(['=', ':', ' ', '<', '(']) {
                continue;
            }
            let by_address = setting.rule == "insecure-registry" && !setting.names.is_empty();
            let found = compiled(setting).is_match(text);
            let before = file.pair_of(at).is_some_and(|old| compiled(setting).is_match(&old.live));
            let harmless = pattern!(
                r"(?i)localhost|127\.0\.0\.1|xmlns|schemaLocation|w3\.org|maven\.apache\.org/(?:POM|xsd)
                    |<(?:project)?url>.*</url>\s*$"
            );
            let in_scope = setting.rule != "insecure-registry" || name != "pom.xml" || in_repository(file, at);
            let project_page = name == "pom.xml" && !in_repository(file, at)
                || (by_address && harmless.is_match(text) && name != "pom.xml" && name != "settings.xml");
            let homepage = name == "pyproject.toml" && !text.trim_start().starts_with("url")
                || name == "composer.json" && !text.contains("\"url\"");
            if found && !before && in_scope && !project_page && !(by_address && homepage) {
                say(report, file, at, setting.rule, setting.score, setting.message.to_owned());
                break;
            }
        }
        go_replace(file, at, name, report);
        requirement_url(file, at, report);
    }
}

fn in_repository(file: &FileView, at: usize) -> bool {
    file.above(at, 8).any(|l| {
        l.text().contains("<repository>") || l.text().contains("<pluginRepository>") || l.text().contains("<mirror>")
    })
}

fn compiled(setting: &Setting) -> &'static crate::pattern::Pattern {
    static PATTERNS: std::sync::OnceLock<Vec<crate::pattern::Pattern>> = std::sync::OnceLock::new();
    let all = PATTERNS.get_or_init(|| SETTINGS.iter().map(|s| crate::pattern::Pattern::new(s.pattern)).collect());
    let number = SETTINGS.iter().position(|s| std::ptr::eq(s, setting)).unwrap_or(0);
    &all[number]
}

fn go_replace(file: &FileView, at: usize, name: &str, report: &mut Report) {
    if name != "go.mod" {
        return;
    }
    let line = pattern!(r"^\s*(?:replace\s+)?([\w./-]+)(?:\s+v\S+)?\s+=>\s+(\S+)");
    let Some(hit) = line.find(file.lines[at].text()) else { return };
    if file.pair_of(at).is_some_and(|old| line.find(old.text()).is_some_and(|o| o.group(2) == hit.group(2))) {
        return;
    }
    let target = hit.group(2);
    let local = target.starts_with('.') || target.starts_with('/');
    let nested = local && !target.starts_with('/') && !target.starts_with("../../");
    if nested || target == hit.group(1) {
        return;
    }
    let message = format!(
        "`{}` is replaced by `{target}`{}",
        hit.group(1),
        if local {
            ", which exists on one machine only."
        } else {
            ", somebody's copy. Say why in a comment, and make sure that it is trusted and kept up to date."
        }
    );
    say(report, file, at, "replaced-module", 68, message);
}

/// `git+https://…` and `name @ https://…` in lists of requirements.
fn requirement_url(file: &FileView, at: usize, report: &mut Report) {
    if Ecosystem::of(file.path) != Ecosystem::Python || file.place.lock || !file.place.manifest {
        return;
    }
    let direct = pattern!(
        r#"^\s*["']?(?:-e\s+)?(?:[\w.\[\]-]+\s*@\s*)?((?:git\+|hg\+|svn\+)\S+|https?://\S+\.(?:zip|tar\.gz|whl
            |tgz)\S*)"#
    );
    let text = file.lines[at].text();
    let Some(hit) = direct.find(text) else { return };
    if file.pair_of(at).is_some_and(|old| direct.is_match(old.text())) {
        return;
    }
    let pinned = pattern!(r"@[0-9a-f]{7,40}\b|--hash|#sha256").is_match(text);
    let score = if hit.group(1).starts_with("http://") { 84 } else { 70 } - if pinned { 12 } else { 0 };
    let message = "A requirement comes straight from a repository or an address, not from the package index. \
        Nothing keeps its content the same; use a released version, or at least a fixed commit.";
    say(report, file, at, "unpublished-source", score, message.to_owned());
}

/// Lines whose loss makes installing less safe.
fn lost_setting(file: &FileView, at: usize, name: &str, report: &mut Report) {
    let line = &file.lines[at];
    let text = line.live.trim();
    let gone = |pattern: &crate::pattern::Pattern| {
        pattern.is_match(text) && !file.lines.iter().any(|l| l.is_added() && pattern.is_match(&l.live))
    };
    if name == "gradle-wrapper.properties" && gone(pattern!(r"^distributionSha256Sum")) {
        say(report, file, at, "unchecked-packages", 76, UNCHECKED.to_owned());
    } else if (name == ".npmrc" || name.starts_with(".yarnrc"))
        && gone(pattern!(r"^@[\w-]+:registry\s*=|^\s*ignore-scripts\s*=\s*true|^\s*enableScripts:\s*false"))
    {
        let message = "This setting kept private names on their own registry, or install scripts from running. \
            Without it packages of strangers may be taken.";
        say(report, file, at, "lost-source", 76, message.to_owned());
    } else if name.starts_with("nuget.config")
        && gone(pattern!(r"(?i)<packageSourceMapping>|<packageSource key=|<clear\s*/>"))
    {
        let message = "Without the source mapping a package of a private name is taken from whichever source \
            answers, the public one among them.";
        say(report, file, at, "lost-source", 74, message.to_owned());
    } else if file.place.manifest && gone(pattern!(r"--require-hashes")) {
        say(report, file, at, "unchecked-packages", 76, UNCHECKED.to_owned());
    }
}
