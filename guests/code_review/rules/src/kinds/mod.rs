//! The rules, a file for each kind.

use crate::finding::{Finding, Kind, Severity, Side};
use crate::view::{FileView, View};

pub fn all(_view: &View) -> Vec<Finding> {
    Vec::new()
}

/// A finding at line `at` of a file, on the side the line is on.
pub fn at(
    file: &FileView,
    at: usize,
    kind: Kind,
    rule: &'static str,
    severity: Severity,
    score: u32,
    message: String,
) -> Finding {
    let source = &file.lines[at];
    let removed = source.is_removed();
    Finding {
        kind,
        severity,
        rule,
        file: file.path.to_owned(),
        line: if removed { source.line.old } else { source.line.new },
        side: if removed { Side::Left } else { Side::Right },
        quote: source.text().to_owned(),
        message,
        score: score.min(100),
    }
}
