//! Workflows, build images and build scripts: rights, triggers, what is run unseen.

use super::download::{download, image};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::view::{FileView, View};

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        let place = file.place;
        if place.vendored || place.test || (place.docs && !place.workflow) || file.is_deleted_file() {
            continue;
        }
        let script = matches!(file.lang, Lang::Shell | Lang::Make | Lang::Dockerfile | Lang::PowerShell);
        if !(place.workflow || script || file.lang == Lang::Yaml) {
            continue;
        }
        for at in 0..file.lines.len() {
            let line = &file.lines[at];
            if line.is_gone() && place.workflow {
                lost(file, at, report);
            }
            if !line.is_new() || line.is_blank() {
                continue;
            }
            if place.workflow {
                rights(file, at, report);
                trigger(file, at, report);
                action(file, at, report);
                pasted_event(file, at, report);
                leak(file, at, report);
                ignored_failure(file, at, report);
            }
            if file.lang == Lang::Dockerfile {
                image(file, at, report);
            }
            if script || place.workflow {
                download(file, at, report);
            }
        }
    }
}

pub fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) {
    let severity = if score >= 75 { Severity::High } else { Severity::Medium };
    let score = if file.place.example { score.saturating_sub(20) } else { score };
    report.add(file, at, Kind::CiBuild, rule, severity, score, message);
}

fn rights(file: &FileView, at: usize, report: &mut Report) {
    let live = file.lines[at].live.as_str();
    if pattern!(r"^\s*permissions:\s*write-all").is_match(live) {
        let message = "Every step of this workflow gets a token that may write everything. Name the few permissions \
            that are needed.";
        return say(report, file, at, "broad-permissions", 84, message.to_owned());
    }
    let scope = pattern!(
        r"^\s*(contents|packages|actions|pull-requests|deployments|statuses|checks|security-events|id-token
            |repository-projects|pages|issues):\s*write"
    );
    let Some(hit) = scope.find(live) else { return };
    let whole = file.lines.iter().map(|l| l.live.as_str()).collect::<Vec<_>>().join("\n");
    let strangers = pattern!(r"pull_request_target|issue_comment|workflow_run").is_match(&whole);
    let was_read = file.pair_of(at).is_some_and(|old| old.live.contains("read") || old.live.contains("none"));
    let releases = pattern!(
        r"(?i)release|publish|deploy|push|upload|pages|tag|changelog|sarif|codeql|label|comment
        |cosign|attest|sign|bump|commit|gh pr|gh api|create-pull-request|scorecard|stale|docker/|registry
        |provenance|coverage|preview"
    )
    .is_match(&whole)
        || pattern!(r"(?i)release|publish|deploy|pages|docs|stale|label|codeql|scan|bump|update").is_match(file.path);
    let serious = matches!(hit.group(1), "contents" | "packages" | "actions" | "id-token" | "deployments");
    let score = match (was_read, strangers, releases) {
        (true, true, _) => 80,
        (true, false, false) if serious => 74,
        (true, false, true) if serious => 56,
        (false, true, false) if serious => 68,
        (false, false, false) if serious && !file.is_new_file() => 58,
        _ => return,
    };
    let message = format!(
        "`{}: write` lets every step here, third-party actions among them, change the \
        repository's {}. Keep `read`, or give it only to the job that needs it.",
        hit.group(1),
        hit.group(1)
    );
    say(report, file, at, "broad-permissions", score, message);
}

fn trigger(file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let whole =
        || file.lines.iter().filter(|l| !l.is_removed()).map(|l| l.live.as_str()).collect::<Vec<_>>().join("\n");
    if pattern!(r"^\s*(?:-\s*)?pull_request_target\b|\bon:.*\bpull_request_target\b").is_match(&line.live) {
        let text = whole();
        let checks_out = pattern!(r"github\.event\.pull_request\.head|github\.head_ref|refs/pull/").is_match(&text);
        let switched = file.lines.iter().any(|l| l.is_removed() && pattern!(r"\bpull_request\b").is_match(&l.live));
        let runs_code = pattern!(r"actions/checkout|\brun:").is_match(&text);
        let score = match (checks_out, switched, runs_code) {
            (true, ..) => 90,
            (false, true, _) => 82,
            (false, false, true) => 66,
            _ => return,
        };
        let message = "`pull_request_target` runs with the repository's secrets and a token that writes, for \
            changes of strangers too. Use `pull_request`, or never run or check out what the change brings.";
        return say(report, file, at, "unsafe-trigger", score, message.to_owned());
    }
    let head = pattern!(
        r"ref:\s*.*(?:github\.event\.pull_request\.head|github\.head_ref|refs/pull/)
            |repository:\s*.*pull_request\.head\.repo|git (?:fetch|checkout).*(?:pull_request\.head|refs/pull/)
            |gh pr checkout"
    );
    if head.is_match(&line.live) {
        let text = whole();
        let privileged = pattern!(r"pull_request_target|issue_comment|workflow_run").is_match(&text);
        if privileged {
            let message = "The code of a stranger's change is checked out in a workflow that has the repository's \
                secrets. Run it under `pull_request` instead.";
            say(report, file, at, "unsafe-trigger", 88, message.to_owned());
        }
    }
}

fn action(file: &FileView, at: usize, report: &mut Report) {
    let uses = pattern!(r#"^\s*(?:-\s*)?uses:\s*["']?([\w.-]+/[\w./-]+)@([\w./-]+)"#);
    let line = &file.lines[at];
    let Some(hit) = uses.find(&line.live) else {
        return remote_template(file, at, report);
    };
    let (name, version) = (hit.group(1), hit.group(2));
    let is_hash = |v: &str| v.len() >= 40 && v.bytes().all(|b| b.is_ascii_hexdigit());
    let old = file.pair_of(at).and_then(|old| uses.find(&old.live)).filter(|o| o.group(1) == name);
    let was_hash = old.is_some_and(|o| is_hash(o.group(2)));
    let branch = matches!(
        version,
        "main"
            | "master"
            | "latest"
            | "develop"
            | "dev"
            | "trunk"
            | "HEAD"
            | "stable"
            | "nightly"
            | "next"
            | "beta"
            | "edge"
    );
    let own = ["actions/", "github/", "docker/", "azure/", "aws-actions/", "google-github-actions/"]
        .iter()
        .any(|o| name.to_ascii_lowercase().starts_with(o));
    // The toolchain actions name their version this way.
    let by_design = name.ends_with("rust-toolchain") || name.ends_with(".yml") || name.ends_with(".yaml");
    let others_pinned = || {
        let all: Vec<bool> = file
            .lines
            .iter()
            .filter(|l| !l.is_added())
            .filter_map(|l| uses.find(&l.live).map(|h| is_hash(h.group(2))))
            .collect();
        all.len() >= 2 && all.iter().all(|hash| *hash)
    };
    let score = if is_hash(version) {
        return;
    } else if was_hash {
        80
    } else if branch && !by_design {
        if old.is_some_and(|o| o.group(2) == version) {
            return;
        }
        if own {
            62
        } else {
            72
        }
    } else if others_pinned() {
        74
    } else {
        return;
    };
    let message = format!(
        "`{name}@{version}` can become other code at any time, and runs with this workflow's \
        token. Pin it to the full hash of a commit."
    );
    say(report, file, at, "unpinned-action", score, message);
}

/// Other systems: GitLab's remote includes, images and orbs without a version.
fn remote_template(file: &FileView, at: usize, report: &mut Report) {
    let live = file.lines[at].live.as_str();
    let remote = pattern!(r#"^\s*(?:-\s*)?remote:\s*["']?https?://"#);
    let orb = pattern!(r"^\s*\w[\w-]*:\s*[\w-]+/[\w-]+@(?:volatile|dev:)");
    let branch = pattern!(r#"^\s*ref:\s*["']?(?:main|master|HEAD|develop)["']?\s*$"#);
    let plain = live.contains("http://");
    if remote.is_match(live) {
        let pinned =
            pattern!(r"[0-9a-f]{40}").is_match(live) || file.below(at, 2).any(|l| l.live.contains("integrity:"));
        if !pinned {
            let message = "This part of the pipeline is fetched at each run from an address that may change. Pin it \
                to a commit, or copy it in.";
            say(report, file, at, "unpinned-include", if plain { 82 } else { 68 }, message.to_owned());
        }
    } else if orb.is_match(live) {
        say(
            report,
            file,
            at,
            "unpinned-include",
            70,
            "This orb's version changes without notice. Name a version.".to_owned(),
        );
    } else if branch.is_match(live) && file.above(at, 3).any(|l| pattern!(r"^\s*-?\s*project:").is_match(&l.live)) {
        let old = file.pair_of(at).is_some_and(|old| pattern!(r"[0-9a-f]{40}|v?\d+\.").is_match(&old.live));
        if old {
            let message = "This part of the pipeline was taken from a fixed state and now follows a branch. Name a \
                commit or a tag.";
            say(report, file, at, "unpinned-include", 72, message.to_owned());
        }
    }
}

/// `${{ github.event.….title }}` in a script: text of strangers becomes shell text.
fn pasted_event(file: &FileView, at: usize, report: &mut Report) {
    let live = file.lines[at].live.as_str();
    let event = pattern!(
        r"\$\{\{\s*[^}]*(github\.event\.(?:issue|pull_request|comment|review|review_comment|discussion|head_commit
            |commits|pages|workflow_run)[\w.*\[\]-]*\.(?:title|body|message|name|email|ref|label|head_branch
            |display_title|page_name)\b|github\.head_ref|github\.event\.inputs\.[\w-]+|inputs\.[\w-]+)[^}]*\}\}"
    );
    let Some(hit) = event.find(live) else { return };
    let source = hit.group(1);
    if !in_script(file, at) {
        return;
    }
    let stranger = !source.contains("inputs.");
    let composite = source.starts_with("inputs.");
    let score = if stranger {
        86
    } else if composite {
        54
    } else {
        60
    };
    let message = format!(
        "`{source}` is pasted into the script before the shell reads it; whoever writes that text \
        runs commands here. Hand it over in `env:` and use \"$NAME\"."
    );
    say(report, file, at, "pasted-event-text", score, message);
}

/// Whether a line of a workflow belongs to a `run:` or `script:` text.
fn in_script(file: &FileView, at: usize) -> bool {
    let opens = pattern!(r"^\s*(?:-\s*)?(?:run|script):");
    let line = &file.lines[at];
    if opens.is_match(&line.live) {
        return true;
    }
    let indent = line.indent();
    for above in file.above(at, 60) {
        if above.is_blank() {
            continue;
        }
        let key = pattern!(r"^\s*(?:-\s*)?[\w-]+:(?:\s|$)");
        if above.indent() < indent && key.is_match(&above.live) {
            return pattern!(r"^\s*(?:-\s*)?(?:run|script):\s*[|>]").is_match(&above.live);
        }
    }
    false
}

fn leak(file: &FileView, at: usize, report: &mut Report) {
    let live = file.lines[at].live.as_str();
    let prints = pattern!(
        r"\b(?:echo|printf|cat|print)\b[^|>]*\$\{\{\s*secrets\.(\w+)[^|>]*$|toJSON\(secrets\)|toJson\(secrets\)"
    );
    if prints.is_match(live) && !live.contains("::add-mask::") {
        let message = "A secret is written into the log or handed over with all others. Pass only the one that is \
            needed, in `env:`.";
        return say(report, file, at, "printed-secret", 72, message.to_owned());
    }
    let inherit =
        pattern!(r"^\s*(?:ACTIONS_ALLOW_UNSECURE_COMMANDS:\s*[\x22']?true|persist-credentials:\s*[\x22']?true)")
            .is_match(live);
    let unsafe_switch = pattern!(r"^\s*(?:if:.*always\(\).*secrets|allow-unsafe|allow_failure_on_fork)").is_match(live);
    if inherit && (file.pair_of(at).is_some() || live.contains("UNSECURE")) || unsafe_switch {
        let message = "This switches off a protection of the workflow's credentials.";
        return say(report, file, at, "unsafe-switch", 66, message.to_owned());
    }
    let privileged = pattern!(r"^\s*privileged:\s*true|--privileged\b|/var/run/docker\.sock:");
    if privileged.is_match(live) && file.pair_of(at).is_some_and(|old| old.live.contains("false")) {
        let message = "The job gets full rights on its host. Run it without, or on a machine of its own.";
        say(report, file, at, "unsafe-switch", 66, message.to_owned());
    }
}

/// A check that may fail without anyone being stopped.
fn ignored_failure(file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let tests = pattern!(
        r"(?i)\b(?:test|tests|pytest|jest|lint|clippy|audit|scan|check|verify|codeql|trivy|snyk|semgrep|build|tsc
            |mypy|gosec|cosign|sign|coverage)\b"
    );
    let ignores = pattern!(
        r"\|\|\s*(?:true|:|exit 0|echo\b.*)\s*['\x22]?$|--passWithNoTests|\bset \+e\b|-DskipTests
            |-Dmaven\.test\.skip|--no-verify|--exit-zero|-x test\b"
    );
    let switch =
        pattern!(r"^\s*(?:continue-on-error|allow_failure|continueOnError|soft_fail|ignore_errors):\s*['\x22]?true");
    if switch.is_match(live) {
        let indent = line.indent();
        let about = file
            .above(at, 12)
            .chain(file.below(at, 8))
            .filter(|l| l.indent() + 2 >= indent.saturating_sub(2))
            .any(|l| tests.is_match(&l.live));
        let experimental =
            pattern!(r"(?i)experimental|nightly|allow|canary|upload|coverage|codecov|comment|notify|cache|next|beta")
                .is_match(&file.around(at, 6, 6));
        if about && !experimental && !file.is_new_file() {
            let message =
                "A failure here no longer stops anything, so nobody will notice it. Mend or remove the step instead.";
            say(report, file, at, "ignored-failure", 66, message.to_owned());
        }
        return;
    }
    let lost = file.pair_of(at).is_some_and(|old| tests.is_match(&old.live) && !ignores.is_match(&old.live));
    if ignores.is_match(live) && tests.is_match(live) && lost {
        let message = "The step now succeeds whatever its check says. Let it fail, or say which failures are known.";
        say(report, file, at, "ignored-failure", 72, message.to_owned());
    }
}

/// Protections that a workflow had.
fn lost(file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    if line.pair.is_some() {
        return;
    }
    let text = line.live.as_str();
    let block = file.blocks.iter().find(|b| b.lines.contains(&at));
    let added = |word: &str| file.lines.iter().any(|l| l.is_added() && l.live.contains(word));
    if block.is_some_and(|b| b.removed.len() > 12) || file.is_deleted_file() {
        return;
    }
    let condition =
        pattern!(r"^\s*if:\s*.*(?:fork|author_association|repository ==|repository_owner|github\.actor|label)");
    let checks = pattern!(
        r"\b(?:sha\d+sum|shasum)\b.*(?:-c\b|--check)|gpgv?\b.*--verify|\bcosign verify|\bminisign -V|\bslsa-verifier"
    );
    let scans = pattern!(
        r"^\s*-?\s*uses:\s*\S*(?:wrapper-validation|codeql-action/analyze|dependency-review|harden-runner
            |scorecard-action|trivy-action|snyk|gitleaks|semgrep|cargo-deny|cargo-audit)
            |^\s*-?\s*run:.*\b(?:npm audit|yarn audit|cargo (?:audit|deny|test)|govulncheck|pip-audit
            |bundle[- ]audit|npm (?:run )?test|yarn test|pytest|go test|make (?:test|check)|mvn (?:test|verify)
            |gradlew? (?:test|check)|dotnet test|rspec|phpunit|bandit|gosec)\b"
    );
    let alike = |l: &&crate::view::Source| {
        l.is_added()
            && (scans.is_match(&l.live)
                || pattern!(r"(?i)\b(?:tests?|audit|scan|check|verify|coverage|tox|nox)\b").is_match(&l.live))
    };
    if scans.is_match(text) && !file.lines.iter().any(|l| alike(&l)) {
        let message = "This check of every change no longer runs, so what it would find comes in unseen. Keep it, \
            or show where it runs now.";
        say(report, file, at, "lost-check", 70, message.to_owned());
    } else if condition.is_match(text) && !added("if:") {
        let message = "The condition that kept forks and strangers out of this job went. Put it back, or take the \
            secrets away from the job.";
        say(report, file, at, "lost-condition", 76, message.to_owned());
    } else if checks.is_match(text) && !added("sha256") && !added("verify") {
        let message = "What is downloaded here is no longer compared with its checksum or signature. Keep the check.";
        say(report, file, at, "unchecked-download", 76, message.to_owned());
    } else if pattern!(r"^\s*permissions:\s*(?:\{\}|read-all)?\s*$").is_match(text) && !added("permissions:") {
        let message = "Without `permissions:` the token gets the repository's default rights, which may write. Keep \
            the narrow ones.";
        say(report, file, at, "broad-permissions", 66, message.to_owned());
    }
}
