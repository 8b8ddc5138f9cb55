//! `score DIR [CASE…]`: runs the rules over a folder of cases and prints how they did. `score --diff FILE…` prints
//! the findings of diffs; with `--each` every file of a diff is a change of its own, with `--new` every file named is
//! taken as one that a change adds.

mod json;

use std::collections::BTreeMap;
use std::path::Path;

use json::Json;
use rules::{diff, review, Change, Finding, Side};

#[derive(Default)]
struct Tally {
    seeded: u32,
    found: u32,
    half: u32,
    first: u32,
    top: u32,
}

#[derive(Default)]
struct Score {
    kinds: BTreeMap<(bool, String), Tally>,
    right: u32,
    wrong: u32,
    wrong_by_kind: BTreeMap<&'static str, u32>,
    clean: [u32; 3],
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        None => {
            eprintln!("usage: score DIR [CASE...] | score --diff|--each|--new FILE...");
            std::process::exit(2);
        }
        Some("--diff") => arguments[1..].iter().for_each(|path| print_diff(path)),
        Some("--each") => arguments[1..].iter().for_each(|path| print_each(path)),
        Some("--new") => arguments[1..].iter().for_each(|path| print_new(path)),
        Some(dir) => run(Path::new(dir), &arguments[1..]),
    }
}

fn print_diff(path: &str) {
    let bytes = std::fs::read(path).expect("a readable diff");
    let diff = diff::parse(&bytes);
    let findings = review(&Change { title: "", body: "", diff: &diff });
    println!("{path}: {} files, {} findings", diff.files.len(), findings.len());
    findings.iter().for_each(print_finding);
}

fn print_each(path: &str) {
    let bytes = std::fs::read(path).expect("a readable diff");
    let diff = diff::parse(&bytes);
    let (mut files, mut found) = (0, 0);
    for file in diff.files {
        let alone = diff::Diff { files: vec![file], truncated: false };
        let findings = review(&Change { title: "", body: "", diff: &alone });
        files += 1;
        found += findings.len();
        findings.iter().for_each(print_finding);
    }
    println!("{path}: {files} files, {found} findings");
}

fn print_new(path: &str) {
    let Ok(bytes) = std::fs::read(path) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let count = text.lines().count();
    let body: String = text.lines().map(|line| format!("+{line}\n")).collect();
    let patch = format!("diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{count} @@\n{body}");
    let diff = diff::parse(patch.as_bytes());
    review(&Change { title: "", body: "", diff: &diff }).iter().for_each(print_finding);
}

fn print_finding(finding: &Finding) {
    println!(
        "    {} {}/{} {}:{} {}\n        {}\n        {}",
        finding.score,
        finding.kind.name(),
        finding.rule,
        finding.file,
        finding.line,
        finding.side.name(),
        finding.quote.trim(),
        finding.message
    );
}

fn run(dir: &Path, only: &[String]) {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .expect("a folder of cases")
        .flatten()
        .filter(|entry| entry.path().join("case.json").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.retain(|name| only.is_empty() || only.contains(name));
    let mut score = Score::default();
    for name in &names {
        let read = |file: &str| std::fs::read(dir.join(name).join(file)).expect("a file of the case");
        let case = Json::parse(&String::from_utf8_lossy(&read("case.json")));
        let diff = diff::parse(&read("change.patch"));
        let findings = review(&Change { title: case.get("title").text(), body: case.get("body").text(), diff: &diff });
        score.add(name, &case, &findings);
    }
    score.print();
}

/// 0 = elsewhere, 1 = right place but another kind, 2 = right.
fn judge(case: &Json, finding: &Finding) -> u32 {
    let near = |place: &Json| {
        let side = place.get("side").text();
        let same = finding.file == place.get("file").text() && finding.line.abs_diff(place.get("line").number()) <= 3;
        same && (side == finding.side.name() || (side == "LEFT" && finding.side == Side::Right))
    };
    if !near(case) && !case.get("also").list().iter().any(near) {
        return 0;
    }
    1 + u32::from(finding.kind.name() == case.get("kind").text())
}

impl Score {
    fn add(&mut self, name: &str, case: &Json, findings: &[Finding]) {
        let kind = case.get("kind").text();
        let judged: Vec<u32> = findings.iter().map(|f| judge(case, f)).collect();
        let right = judged.iter().filter(|j| **j == 2).count() as u32;
        self.right += right.min(1);
        for (finding, _) in findings.iter().zip(&judged).filter(|(_, j)| **j < 2) {
            self.wrong += 1;
            *self.wrong_by_kind.entry(finding.kind.name()).or_default() += 1;
        }
        let model = case.get("needs_model").is_true();
        if kind.is_empty() {
            self.clean[findings.len().min(2)] += 1;
        } else {
            let tally = self.kinds.entry((model, kind.to_owned())).or_default();
            tally.seeded += 1;
            tally.found += right.min(1);
            tally.half += u32::from(right == 0 && judged.contains(&1));
            let rank = judged.iter().position(|j| *j == 2);
            tally.first += u32::from(rank == Some(0));
            tally.top += u32::from(rank.is_some_and(|r| r < 3));
        }
        let verdict = match (kind.is_empty(), right, findings.len()) {
            (true, _, 0) => "clean, silent",
            (true, ..) => "CLEAN, NOISE",
            (false, 0, _) => "MISSED",
            _ => "found",
        };
        println!("{name} {} {kind} model={model}: {verdict}", case.get("language").text());
        for (finding, judged) in findings.iter().zip(&judged) {
            println!("  [{}]", ["wrong", "half", "right"][*judged as usize]);
            print_finding(finding);
        }
    }

    fn print(&self) {
        for model in [false, true] {
            let mut all = Tally::default();
            println!("\nneeds_model={model}: kind seeded found half rank1 rank<=3");
            for ((_, kind), t) in self.kinds.iter().filter(|((m, _), _)| *m == model) {
                println!("  {kind:16} {:3} {:3} {:3} {:3} {:3}", t.seeded, t.found, t.half, t.first, t.top);
                all.seeded += t.seeded;
                all.found += t.found;
                all.half += t.half;
                all.first += t.first;
                all.top += t.top;
            }
            println!("  {:16} {:3} {:3} {:3} {:3} {:3}", "all", all.seeded, all.found, all.half, all.first, all.top);
        }
        let total = (self.right + self.wrong).max(1);
        println!(
            "\nright {} wrong {} precision {:.2}",
            self.right,
            self.wrong,
            f64::from(self.right) / f64::from(total)
        );
        println!("wrong by kind {:?}", self.wrong_by_kind);
        println!("clean cases with none, one, more findings: {:?}", self.clean);
    }
}
