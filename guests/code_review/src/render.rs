//! A report as the comment's Markdown: most important first, cut by rank where GitHub's limit is near.

use crate::report::{FileNote, Finding, Report};
use crate::state::State;
use crate::text::{code, count, fenced, one_line, prose, thousands, SENTENCE_MAX};

/// Below GitHub's 65,536, so that hidden marks and a status line find room; counted as UTF-16, the longer count.
const UNITS_MAX: usize = 60_000;

/// What comes after the risks may not push them out: each list ends early when so much is written.
const LISTED_MAX: usize = 150;
const QUOTE_MAX: usize = 300;
const SUMMARY_MAX: usize = 3_000;

struct Page {
    text: String,
    units: usize,
    max: usize,
}

impl Page {
    /// Adds a part if it fits.
    fn push(&mut self, part: &str) -> bool {
        let units = part.encode_utf16().count();
        if self.units + units > self.max {
            return false;
        }
        self.units += units;
        self.text.push_str(part);
        true
    }

    /// Adds what must stand there in any case: headings and ends, for which room was left.
    fn force(&mut self, part: &str) {
        self.units += part.encode_utf16().count();
        self.text.push_str(part);
    }

    /// Adds parts in order until one does not fit, then says how many are missing.
    fn list(&mut self, parts: impl ExactSizeIterator<Item = String>, of: &str) {
        self.first(usize::MAX, parts, of);
    }

    /// The same for details, of which nobody reads hundreds.
    fn some(&mut self, parts: impl ExactSizeIterator<Item = String>, of: &str) {
        self.first(LISTED_MAX, parts, of);
    }

    fn first(&mut self, most: usize, mut parts: impl ExactSizeIterator<Item = String>, of: &str) {
        let mut shown = 0;
        while parts.len() > 0 {
            let left = parts.len();
            let fits = shown < most && parts.next().is_some_and(|part| self.push(&part));
            if !fits {
                return self.force(&format!("- … and {} more\n", count(left, of)));
            }
            shown += 1;
        }
    }
}

/// The comment. `phrase` is what asks for a review.
pub fn comment(report: &Report, state: &State, phrase: &str) -> String {
    let tail = format!("{}{}", footer(report, phrase), state.mark());
    let reserved = tail.encode_utf16().count() + 2_000;
    let mut page = Page { text: String::new(), units: 0, max: UNITS_MAX.saturating_sub(reserved) };
    page.force("## Code review\n\n");
    summary(report, &mut page);
    risks(report, &mut page);
    if !report.changes.is_empty() {
        page.force("### Major changes\n\n");
        page.list(report.changes.iter().map(|text| format!("- {}\n", prose(text, SENTENCE_MAX))), "change");
        page.force("\n");
    }
    details(report, &mut page);
    page.text + &tail
}

fn summary(report: &Report, page: &mut Page) {
    if !report.prose.is_empty() {
        page.push(&format!("{}\n\n", prose(&report.prose, SUMMARY_MAX)));
    }
    page.list(report.facts.iter().map(|fact| format!("- {}\n", prose(fact, SENTENCE_MAX))), "fact");
    if !report.note.is_empty() {
        page.push(&format!("\n_{}_\n", prose(&report.note, SENTENCE_MAX)));
    }
    page.force("\n");
}

fn risks(report: &Report, page: &mut Page) {
    page.force("### Potential risks\n\n");
    if report.findings.is_empty() {
        let by_whom = if report.model.is_empty() { "The computed checks found none." } else { "None was found." };
        page.force(&format!("{by_whom}\n\n"));
    }
    page.list(report.findings.iter().map(risk), "risk");
    if report.hidden > 0 {
        page.push(&format!("{} of lower rank not shown (setting `max_findings`).\n\n", count(report.hidden, "risk")));
    }
    for settled in &report.settled {
        let how = if settled.dismissed { "dismissed" } else { "no longer in the change" };
        let line =
            format!("- ~~{}. {} {}~~ {how}\n", settled.number, code(&settled.file), prose(&settled.message, 200));
        page.push(&line);
    }
    if !report.settled.is_empty() {
        page.force("\n");
    }
}

fn risk(finding: &Finding) -> String {
    let origin = if finding.computed { "computed" } else { "model" };
    let side = if finding.side == rules::Side::Left { " (removed)" } else { "" };
    format!(
        "**{}. {}** · {} · {}{side} · {origin}\n\n{}\n\n{}\n",
        finding.number,
        finding.severity_name(),
        finding.kind,
        code(&format!("{}:{}", finding.file, finding.line)),
        prose(&finding.message, SENTENCE_MAX),
        fenced(finding.quote.trim(), "", QUOTE_MAX),
    )
}

fn details(report: &Report, page: &mut Page) {
    if !report.files.is_empty() {
        page.force(&format!("<details><summary>{}</summary>\n\n", count(report.files.len(), "file")));
        // In a very long list those count that a sentence was written about, then the large ones.
        let mut files: Vec<&FileNote> = report.files.iter().collect();
        if files.len() > LISTED_MAX {
            files.sort_by_key(|file| (file.note.is_empty(), std::cmp::Reverse(file.added + file.removed)));
        }
        page.some(files.into_iter().map(file), "file");
        page.force("\n</details>\n\n");
    }
    if report.commits.len() > 1 {
        page.force(&format!("<details><summary>{}</summary>\n\n", count(report.commits.len(), "commit")));
        let lines = report.commits.iter().map(|commit| {
            let author = match commit.author.as_str() {
                "" => String::new(),
                name => format!(" ({})", prose(name, 60)),
            };
            format!("- {} {}{author}\n", code(short(&commit.sha)), prose(&commit.subject, 200))
        });
        page.some(lines, "commit");
        page.force("\n</details>\n\n");
    }
    if !report.unread.is_empty() && !report.model.is_empty() {
        let head =
            format!("<details><summary>Not read by a model: {}</summary>\n\n", count(report.unread.len(), "file"));
        page.force(&head);
        let lines =
            report.unread.iter().map(|unread| format!("- {} — {}\n", code(&unread.path), prose(&unread.why, 200)));
        page.some(lines, "file");
        page.force("\n</details>\n\n");
    }
}

fn file(file: &FileNote) -> String {
    let status = if file.status.is_empty() { String::new() } else { format!(", {}", prose(&file.status, 300)) };
    let note = if file.note.is_empty() { String::new() } else { format!(": {}", prose(&file.note, SENTENCE_MAX)) };
    format!("- {} (+{} −{}{status}){note}\n", code(&file.path), file.added, file.removed)
}

fn footer(report: &Report, phrase: &str) -> String {
    let mut parts = vec![match report.since.is_empty() {
        true => format!("Reviewed {}, the whole change", code(short(&report.head))),
        false => {
            format!("Reviewed {}, read what is new since {}", code(short(&report.head)), code(short(&report.since)))
        }
    }];
    match report.model.is_empty() {
        true => parts.push("computed, no model".into()),
        false => parts.push(format!("model {}, {} tokens", code(&report.model), thousands(report.tokens as usize))),
    }
    parts.push(format!("{} s", report.seconds));
    if report.dropped > 0 {
        parts.push(format!("{} of the model left out as unsupported", count(report.dropped, "claim")));
    }
    let again = code(&one_line(phrase));
    let dismiss = code(&format!("{} dismiss N", one_line(phrase)));
    format!("---\n{}. Comment {again} for a new review, {dismiss} to put risk N away.\n\n", parts.join(" · "))
}

/// The first comment on a pull request.
pub fn placeholder(head: &str, state: &State) -> String {
    format!("## Code review\n\n⏳ The change up to {} is being reviewed.\n\n{}", code(short(head)), state.mark())
}

/// What stands on top of an earlier review while a new one is made.
pub fn being_reviewed(new: &str, old: &str) -> String {
    match old.is_empty() {
        true => format!("⏳ The change up to {} is being reviewed.", code(short(new))),
        false if old == new => format!("⏳ {} is being reviewed anew.", code(short(new))),
        false => format!("⏳ {} is being reviewed; below is the review of {}.", code(short(new)), code(short(old))),
    }
}

/// What a failure leaves on the pull request: one line over the earlier review, or instead of the placeholder.
pub fn failure(sentence: &str, phrase: &str) -> String {
    format!("⚠️ {} Push again or comment {} to try again.", prose(sentence, SENTENCE_MAX), code(&one_line(phrase)))
}

pub fn failed_comment(line: &str, state: &State) -> String {
    format!("## Code review\n\n{line}\n\n{}", state.mark())
}

pub fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_comment_has_its_parts_in_order() {
        let text = comment(&sample(), &State::new(), "/review");
        let places: Vec<usize> = [
            "## Code review",
            "It adds `x`.",
            "1 file changed",
            "### Potential risks",
            "**3. critical** · secret · `a.py:7` · computed",
            "```text\nkey = 1\n```",
            "~~1. `b` m~~ dismissed",
            "### Major changes",
            "- c",
            "- `a.py` (+2 −1, new): n",
            "Not read by a model: 1 file",
            "Reviewed `0123456`, the whole change",
            "model `m`, 5 tokens",
            "1 claim of the model left out",
            "`/review dismiss N`",
            "<!-- millrace-review ",
        ]
        .iter()
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part} in {text}")))
        .collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn a_long_report_is_cut_by_rank() {
        let mut report = sample();
        report.findings =
            (0..40).map(|n| Finding { number: n, message: "m".repeat(590), ..sample().findings[0].clone() }).collect();
        report.files = (0..3000)
            .map(|n| FileNote { path: format!("dir/{n}"), note: "é".repeat(600), ..FileNote::default() })
            .collect();
        let text = comment(&report, &State::new(), "/review");
        assert!(text.encode_utf16().count() < 61_000);
        assert!(text.contains("**39. critical**") && text.contains("more\n") && text.contains("Reviewed `0123456`"));
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "open details");
    }
}
