//! From what rules and model found now, and what was known before, to the numbered list that is shown.

use crate::claims::Lines;
use crate::report::{Finding, Report, Settled};
use crate::settings::Settings;
use crate::state::{fingerprint, Standing, State};
use crate::text::one_line;
use rules::{mask_secrets, FINDINGS_MAX, NEAR};

const SETTLED_MAX: usize = 20;

/// A finding of the rules, not numbered yet.
pub fn computed(finding: &rules::Finding) -> Finding {
    Finding {
        number: 0,
        print: fingerprint(finding.rule, &finding.file, &finding.quote),
        kind: finding.kind.name().to_string(),
        severity: finding.severity as u8,
        rule: finding.rule.to_string(),
        file: finding.file.clone(),
        line: finding.line,
        side: finding.side,
        quote: mask_secrets(finding.quote.trim()),
        message: mask_secrets(&one_line(&finding.message)),
        computed: true,
        score: finding.score,
    }
}

/// Numbers the findings, strikes those of the earlier review that are fixed, leaves out the dismissed ones.
pub fn settle(
    computed: Vec<Finding>,
    model: Vec<Finding>,
    earlier: Option<&Report>,
    lines: &Lines,
    settings: &Settings,
    state: &mut State,
    report: &mut Report,
) {
    let mut now: Vec<Finding> = computed.into_iter().filter(|f| !settings.ignores(&f.file)).collect();
    let by_rules = now.len();
    for finding in model {
        add(&mut now, finding);
    }
    let mut fixed = Vec::new();
    for old in earlier.map_or(&[][..], |report| &report.findings) {
        if now.iter().any(|f| f.print == old.print) {
            continue;
        }
        let may_stay = !old.computed || is_shadowed(old, &now[..by_rules]);
        match lines.line_of(&old.file, old.side, &old.quote, old.line) {
            Some(line) if may_stay => add(&mut now, Finding { line, ..old.clone() }),
            _ => fixed.push(Settled::of(old, false)),
        }
    }
    now.sort_by(|a, b| {
        (b.severity, b.score, b.computed)
            .cmp(&(a.severity, a.score, a.computed))
            .then_with(|| (&a.file, a.line).cmp(&(&b.file, b.line)))
    });
    now.retain(|finding| state.find(&finding.print).is_none_or(|known| known.standing != Standing::Dismissed));
    report.hidden = now.len().saturating_sub(settings.max_findings);
    now.truncate(settings.max_findings);
    for finding in &mut now {
        finding.number = state.find(&finding.print).map_or(state.next_number(), |known| known.number);
        state.note(finding.number, &finding.print, Standing::Open);
    }
    let open = |number: u32| now.iter().any(|finding| finding.number == number);
    let gone: Vec<_> =
        state.known.iter().filter(|k| k.standing == Standing::Open && !open(k.number)).cloned().collect();
    for known in gone {
        state.note(known.number, &known.print, Standing::Fixed);
    }
    let before = earlier.map_or(&[][..], |report| &report.settled);
    report.settled = fixed.into_iter().chain(before.iter().cloned()).filter(|s| !open(s.number)).collect();
    report.settled.truncate(SETTLED_MAX);
    report.findings = now;
}

/// Adds a finding unless one near it says the same already.
fn add(now: &mut Vec<Finding>, finding: Finding) {
    let same = |f: &Finding| f.file == finding.file && f.side == finding.side && f.line.abs_diff(finding.line) <= NEAR;
    let repeats = now.iter().any(|f| f.print == finding.print || (same(f) && (f.computed || f.kind == finding.kind)));
    if !repeats {
        now.push(finding);
    }
}

/// Whether the rules may still see it, and only show others instead.
fn is_shadowed(old: &Finding, now: &[Finding]) -> bool {
    let near = |f: &Finding| f.file == old.file && f.line.abs_diff(old.line) <= NEAR;
    // With fewer than the rules show at most, one that is missing is gone and not only crowded out.
    now.len() >= FINDINGS_MAX || now.iter().any(|f| f.rule == old.rule || near(f))
}

impl Settled {
    fn of(finding: &Finding, dismissed: bool) -> Settled {
        Settled { number: finding.number, file: finding.file.clone(), message: finding.message.clone(), dismissed }
    }
}

/// Puts findings away by their numbers; the answer is the numbers that no open finding has.
pub fn dismiss(numbers: &[u32], state: &mut State, report: &mut Report) -> Vec<u32> {
    let mut unknown = Vec::new();
    for &number in numbers {
        let shown = report.findings.iter().position(|finding| finding.number == number);
        let print = state.known.iter().find(|known| known.number == number).map(|known| known.print.clone());
        let Some(print) = print else {
            unknown.push(number);
            continue;
        };
        state.note(number, &print, Standing::Dismissed);
        if let Some(at) = shown {
            report.settled.insert(0, Settled::of(&report.findings.remove(at), true));
        }
    }
    report.settled.truncate(SETTLED_MAX);
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use millrace::Value;

    fn finding(rule: &str, file: &str, line: u32, quote: &str, computed: bool) -> Finding {
        Finding {
            print: fingerprint(rule, file, quote),
            rule: rule.into(),
            file: file.into(),
            line,
            quote: quote.into(),
            computed,
            ..sample().findings[0].clone()
        }
    }

    fn lines(added: &[&str]) -> Lines {
        let body: String = added.iter().map(|line| format!("+{line}\n")).collect();
        let patch = format!("diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -0,0 +1,{} @@\n{body}", added.len());
        Lines::of(&rules::diff::parse(patch.as_bytes()))
    }

    fn run(
        now: Vec<Finding>,
        model: Vec<Finding>,
        earlier: Option<&Report>,
        added: &[&str],
        state: &mut State,
    ) -> Report {
        let mut report = Report::default();
        settle(now, model, earlier, &lines(added), &Settings::read(&Value::Null), state, &mut report);
        report
    }

    #[test]
    fn numbers_stay_over_pushes_and_fixed_ones_are_struck() {
        let mut state = State::new();
        let (a, b) = (finding("r1", "f", 1, "aaaa", true), finding("r2", "f", 9, "bbbb", true));
        let first = run(vec![a.clone(), b.clone()], vec![], None, &["aaaa", "bbbb"], &mut state);
        assert_eq!(vec![1, 2], first.findings.iter().map(|f| f.number).collect::<Vec<_>>());

        let c = finding("r3", "f", 20, "cccc", true);
        let second = run(vec![Finding { line: 30, ..b }, c], vec![], Some(&first), &["bbbb", "cccc"], &mut state);
        assert_eq!(
            vec![(3, "cccc"), (2, "bbbb")],
            second.findings.iter().map(|f| (f.number, &*f.quote)).collect::<Vec<_>>()
        );
        assert_eq!((1, false), (second.settled[0].number, second.settled[0].dismissed));

        let third = run(vec![a], vec![], Some(&second), &["aaaa"], &mut state);
        assert_eq!(vec![1], third.findings.iter().map(|f| f.number).collect::<Vec<_>>());
        assert!(third.settled.iter().all(|settled| settled.number != 1));
    }

    #[test]
    fn a_dismissed_finding_stays_away() {
        let mut state = State::new();
        let a = finding("r1", "f", 1, "aaaa", true);
        let mut report = run(vec![a.clone()], vec![], None, &["aaaa"], &mut state);
        assert_eq!(vec![7], dismiss(&[1, 7], &mut state, &mut report));
        assert!(report.findings.is_empty() && report.settled[0].dismissed);

        let again = run(vec![a], vec![], Some(&report), &["aaaa"], &mut state);
        assert!(again.findings.is_empty());
        assert_eq!(1, again.settled.len());
    }

    #[test]
    fn a_models_finding_stays_while_its_line_does() {
        let mut state = State::new();
        let m = finding("model", "f", 1, "mmmm", false);
        let first = run(vec![], vec![m], None, &["mmmm"], &mut state);
        let second = run(vec![], vec![], Some(&first), &["x", "x", "x", "  mmmm"], &mut state);
        assert_eq!((1, 4), (second.findings[0].number, second.findings[0].line));
        let third = run(vec![], vec![], Some(&second), &["other"], &mut state);
        assert!(third.findings.is_empty() && third.settled.len() == 1);
    }

    #[test]
    fn a_model_does_not_repeat_the_rules() {
        let mut state = State::new();
        let report = run(
            vec![finding("r", "f", 1, "aaaa", true)],
            vec![finding("model", "f", 2, "bbbb", false)],
            None,
            &[],
            &mut state,
        );
        assert_eq!(1, report.findings.len());
    }
}
