//! Reads a change and finds, without a model, what a reviewer should be told about it. Pure: text in, findings out.

pub mod diff;
mod facts;
mod finding;
mod kinds;
mod lang;
mod manifest;
mod mask;
mod paths;
mod pattern;
mod pattern_build;
mod rank;
mod scan;
mod symbols;
mod view;

pub use facts::{facts, thousands, ApiChange, DependencyChange, Facts};
pub use finding::{Finding, Kind, Severity, Side};
pub use lang::Lang;
pub use mask::{looks_secret, mask_secrets};
pub use paths::Place;
pub use rank::{FINDINGS_MAX, NEAR};

/// What a reviewer sees of a pull request.
pub struct Change<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub diff: &'a diff::Diff,
}

/// The findings worth posting, most serious first; mostly none or one.
pub fn review(change: &Change) -> Vec<Finding> {
    let view = view::View::new(change.title, change.body, change.diff);
    rank::rank(kinds::all(&view))
}
