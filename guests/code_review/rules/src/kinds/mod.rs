//! The rules, a file for each kind.

mod api;
mod assertion;
mod check;
mod ci;
mod column;
mod condition;
mod constant;
mod crypto;
mod dependency;
mod download;
mod dynamic;
mod guard;
mod lock;
mod migration;
mod names;
mod registry;
mod release;
mod resource;
mod secret;
mod secret_name;
mod shell;
mod sql;
mod swallow;
mod tests;
mod wire;

use crate::finding::{Finding, Kind, Severity, Side};
use crate::view::{FileView, View};

/// A pattern built once.
macro_rules! pattern {
    ($source:expr) => {{
        static PATTERN: std::sync::OnceLock<crate::pattern::Pattern> = std::sync::OnceLock::new();
        crate::pattern::once(&PATTERN, $source)
    }};
}
pub(crate) use pattern;

pub fn all(view: &View) -> Vec<Finding> {
    let mut report = Report::default();
    secret::find(view, &mut report);
    sql::find(view, &mut report);
    shell::find(view, &mut report);
    dependency::find(view, &mut report);
    ci::find(view, &mut report);
    migration::find(view, &mut report);
    crypto::find(view, &mut report);
    swallow::find(view, &mut report);
    tests::find(view, &mut report);
    check::find(view, &mut report);
    resource::find(view, &mut report);
    api::find(view, &mut report);
    report.findings
}

#[derive(Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// A finding at line `at` of a file, on the side the line is on.
    #[allow(clippy::too_many_arguments)]
    pub fn add(
        &mut self,
        file: &FileView,
        at: usize,
        kind: Kind,
        rule: &'static str,
        severity: Severity,
        score: u32,
        message: String,
    ) {
        // A line that was changed is shown as it is now.
        let at = file.lines[at].pair.filter(|_| file.lines[at].is_removed()).unwrap_or(at);
        let source = &file.lines[at];
        let removed = source.is_removed();
        self.findings.push(Finding {
            kind,
            severity,
            rule,
            file: file.path.to_owned(),
            line: if removed { source.line.old } else { source.line.new },
            side: if removed { Side::Left } else { Side::Right },
            quote: source.text().to_owned(),
            message,
            score: score.min(100),
        });
    }
}
