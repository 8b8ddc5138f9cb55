//! From all that the rules say to the little that is worth posting.

use std::collections::HashSet;

use crate::finding::{Finding, Kind};
use crate::paths::Place;

/// Below this a finding is more likely noise than not.
const LEAST: u32 = 50;
/// So many findings of one change are shown at most.
pub const FINDINGS_MAX: usize = 3;
/// Findings so near to each other are about the same thing.
pub const NEAR: u32 = 3;

pub fn rank(mut findings: Vec<Finding>) -> Vec<Finding> {
    drop_echoes(&mut findings);
    drop_tests_of_checks(&mut findings);
    findings.retain(|f| f.score >= LEAST);
    findings.sort_by(|a, b| {
        b.score.cmp(&a.score).then(b.severity.cmp(&a.severity)).then(a.file.cmp(&b.file)).then(a.line.cmp(&b.line))
    });
    let mut kept: Vec<Finding> = Vec::new();
    let mut rules = HashSet::new();
    for finding in findings {
        let same = kept.iter().any(|k| k.file == finding.file && k.line.abs_diff(finding.line) <= NEAR);
        // One finding a rule: the reader looks for the others once told.
        if same || !rules.insert(finding.rule) {
            continue;
        }
        kept.push(finding);
        if kept.len() == FINDINGS_MAX {
            break;
        }
    }
    kept
}

/// What a lock file says again of a package whose manifest line was found already.
fn drop_echoes(findings: &mut Vec<Finding>) {
    const ECHOES: &[&str] = &["lost-source", "changed-source", "changed-registry", "unpublished-source"];
    let is_echo = |f: &Finding| f.kind == Kind::Dependency && Place::of(&f.file).lock && ECHOES.contains(&f.rule);
    if findings.iter().any(|f| f.kind == Kind::Dependency && !is_echo(f) && f.score >= LEAST) {
        findings.retain(|f| !is_echo(f));
    }
}

/// Where a check goes, its tests go with it: that is one story, and the check is its head.
fn drop_tests_of_checks(findings: &mut Vec<Finding>) {
    const TESTS: &[&str] = &["deleted-test", "lost-assertion"];
    if findings.iter().any(|f| f.kind != Kind::RemovedTest && f.score >= LEAST) {
        findings.retain(|f| !TESTS.contains(&f.rule));
    }
}
