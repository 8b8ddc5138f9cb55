//! Small changes of our own, one file for each kind under `tests/cases`. A case begins with `=== name`, or
//! `=== name | clean`; `title:` and `body:` may follow. `--- path` begins a file (`--- old > new` a renamed one,
//! `--- + path` an added, `--- - path` a deleted one), `@@ text` a hunk; `+!` and `-!` mark lines of which a finding
//! of the kind may name any.

use rules::diff::parse;
use rules::{review, Change, Finding, Side};

#[derive(Default, Debug)]
struct Case {
    name: String,
    clean: bool,
    title: String,
    body: String,
    patch: String,
    /// Path, line, whether on the old side.
    marks: Vec<(String, u32, bool)>,
}

fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut hunk: Vec<&str> = Vec::new();
    let mut head = String::new();
    let (mut path, mut start) = (String::new(), 1);
    for line in text.lines().chain(["=== end"]) {
        let begins = line.starts_with("=== ") || line.starts_with("--- ") || line.starts_with("@@");
        if !begins {
            if let (Some(case), true) = (cases.last_mut(), path.is_empty()) {
                if let Some(title) = line.strip_prefix("title: ") {
                    case.title = title.to_owned();
                } else if let Some(body) = line.strip_prefix("body: ") {
                    case.body = body.to_owned();
                }
                continue;
            }
            hunk.push(line);
            continue;
        }
        if let Some(case) = cases.last_mut() {
            start += finish(case, &path, &head, &hunk, start);
        }
        hunk.clear();
        if let Some(name) = line.strip_prefix("=== ") {
            let (name, clean) = name.split_once(" | ").map_or((name, false), |(name, _)| (name, true));
            cases.push(Case { name: name.to_owned(), clean, ..Case::default() });
            path.clear();
        } else if let Some(named) = line.strip_prefix("--- ") {
            let case = cases.last_mut().expect("a case before a file");
            path = begin_file(case, named);
            (start, head) = (1, String::new());
        } else {
            head = line.trim_start_matches("@@").to_owned();
            start += 40;
        }
    }
    cases.pop();
    cases
}

fn begin_file(case: &mut Case, named: &str) -> String {
    let (old, new, extra) = if let Some(path) = named.strip_prefix("+ ") {
        ("/dev/null".to_owned(), format!("b/{path}"), "new file mode 100644\n")
    } else if let Some(path) = named.strip_prefix("- ") {
        (format!("a/{path}"), "/dev/null".to_owned(), "deleted file mode 100644\n")
    } else if let Some((old, new)) = named.split_once(" > ") {
        (format!("a/{old}"), format!("b/{new}"), "")
    } else {
        (format!("a/{named}"), format!("b/{named}"), "")
    };
    let path = if new == "/dev/null" { &old[2..] } else { &new[2..] }.to_owned();
    case.patch += &format!("diff --git a/{path} b/{path}\n{extra}--- {old}\n+++ {new}\n");
    path
}

fn finish(case: &mut Case, path: &str, head: &str, hunk: &[&str], start: u32) -> u32 {
    if path.is_empty() || hunk.is_empty() {
        return 0;
    }
    let (mut old, mut new) = (0, 0);
    let mut body = String::new();
    for line in hunk {
        let (sign, rest) = match line.chars().next() {
            Some(sign @ ('+' | '-')) => (sign, &line[1..]),
            Some(' ') => (' ', &line[1..]),
            _ => (' ', *line),
        };
        let marked = sign != ' ' && rest.starts_with('!');
        let rest = if marked { &rest[1..] } else { rest };
        if marked {
            case.marks.push((path.to_owned(), start + if sign == '-' { old } else { new }, sign == '-'));
        }
        old += u32::from(sign != '+');
        new += u32::from(sign != '-');
        body += &format!("{sign}{rest}\n");
    }
    case.patch += &format!("@@ -{start},{old} +{start},{new} @@{head}\n{body}");
    old.max(new)
}

fn is_right(case: &Case, kind: &str, finding: &Finding) -> bool {
    finding.kind.name() == kind
        && case.marks.iter().any(|(path, line, old)| {
            let same_side = (finding.side == Side::Left) == *old || *old;
            *path == finding.file && finding.line.abs_diff(*line) <= 3 && same_side
        })
}

fn check(kind: &str, text: &str) {
    let mut wrong = Vec::new();
    for case in read(text) {
        let diff = parse(case.patch.as_bytes());
        let findings = review(&Change { title: &case.title, body: &case.body, diff: &diff });
        let good = findings.iter().filter(|f| is_right(&case, kind, f)).count();
        if case.clean && !findings.is_empty() || !case.clean && (good == 0 || good < findings.len()) {
            let seen: Vec<_> =
                findings.iter().map(|f| format!("\n    {}/{} {} {}", f.kind.name(), f.rule, f.line, f.quote)).collect();
            wrong.push(format!("{} ({}){}", case.name, if case.clean { "clean" } else { "defect" }, seen.concat()));
        }
    }
    assert!(wrong.is_empty(), "{} cases of {kind} went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! kinds {
    ($($name:ident $kind:literal)*) => {
        $(#[test]
        fn $name() {
            check($kind, include_str!(concat!("cases/", $kind, ".txt")));
        })*
    };
}

kinds! {
    secret "secret"
    sql_injection "sql-injection"
    shell_injection "shell-injection"
    removed_check "removed-check"
    removed_test "removed-test"
    swallowed_error "swallowed-error"
    unsafe_crypto "unsafe-crypto"
    dependency "dependency"
    ci_build "ci-build"
    migration "migration"
    api_break "api-break"
    resource "resource"
}
