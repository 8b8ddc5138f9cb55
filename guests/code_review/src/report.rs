//! A review as data: what the comment shows, what stdout prints, what the flow's keys hold between pushes.

use crate::text::one_line;
use millrace::{object, Value};
use rules::{mask_secrets, Side};

/// How many files and commits are spoken of one by one.
pub const DETAILS_MAX: usize = 500;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub head: String,
    /// The head of the earlier review where only what came after it was read; empty: the whole was.
    pub since: String,
    /// A sentence or more by the model; empty: there is none.
    pub prose: String,
    /// Why there is no prose, or not all of it; empty: nothing to say.
    pub note: String,
    /// What was computed of the change, a sentence each.
    pub facts: Vec<String>,
    pub findings: Vec<Finding>,
    /// Findings of earlier reviews that are no longer open.
    pub settled: Vec<Settled>,
    /// Findings beyond `max_findings`.
    pub hidden: usize,
    /// The major changes, by the model.
    pub changes: Vec<String>,
    pub files: Vec<FileNote>,
    pub commits: Vec<Commit>,
    /// Files or parts that no model read, and why.
    pub unread: Vec<Unread>,
    /// The model that wrote; empty: none did.
    pub model: String,
    pub tokens: i64,
    pub seconds: i64,
    /// Claims of the model that were left out because nothing in the change supports them.
    pub dropped: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub number: u32,
    pub print: String,
    pub kind: String,
    pub severity: u8,
    pub rule: String,
    pub file: String,
    pub line: u32,
    pub side: Side,
    /// Masked.
    pub quote: String,
    pub message: String,
    pub computed: bool,
    pub score: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    pub number: u32,
    pub file: String,
    pub message: String,
    /// Else it is fixed.
    pub dismissed: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileNote {
    pub path: String,
    /// `new`, `deleted`, `renamed from x` …; empty: changed.
    pub status: String,
    pub added: usize,
    pub removed: usize,
    /// What was done, by the model.
    pub note: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Commit {
    pub sha: String,
    pub subject: String,
    pub author: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unread {
    pub path: String,
    pub why: String,
}

/// From the least to the most serious.
pub const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

impl Finding {
    pub fn severity_name(&self) -> &'static str {
        SEVERITIES[usize::from(self.severity.min(3))]
    }

    fn write(&self) -> Value {
        let mut value = self.public();
        for (name, more) in [
            ("number", Value::from(self.number)),
            ("print", self.print.as_str().into()),
            ("rule", self.rule.as_str().into()),
            ("score", self.score.into()),
        ] {
            value.set(name, more);
        }
        value
    }

    /// As `millrace review --json` prints it.
    fn public(&self) -> Value {
        object! {
            "kind": self.kind.as_str(),
            "severity": self.severity_name(),
            "file": self.file.as_str(),
            "line": self.line,
            "side": self.side.name(),
            "quote": self.quote.as_str(),
            "message": self.message.as_str(),
            "computed": self.computed,
        }
    }

    fn read(value: &Value) -> Finding {
        let severity = SEVERITIES.iter().position(|name| *name == value["severity"].text()).unwrap_or(0);
        Finding {
            number: number(&value["number"]) as u32,
            print: text(&value["print"]),
            kind: text(&value["kind"]),
            severity: severity as u8,
            rule: text(&value["rule"]),
            file: text(&value["file"]),
            line: number(&value["line"]) as u32,
            side: if value["side"].text() == "LEFT" { Side::Left } else { Side::Right },
            quote: text(&value["quote"]),
            message: text(&value["message"]),
            computed: value["computed"].as_bool().unwrap_or(false),
            score: number(&value["score"]) as u32,
        }
    }
}

impl Report {
    /// The summary in one text: the model's, else the computed facts.
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        if !self.prose.is_empty() {
            parts.push(self.prose.clone());
        }
        parts.extend(self.facts.iter().cloned());
        if !self.note.is_empty() {
            parts.push(self.note.clone());
        }
        mask_secrets(&one_line(&parts.join(" ")))
    }

    /// The document on stdout.
    pub fn document(&self) -> Value {
        let model = if self.model.is_empty() { Value::Null } else { self.model.as_str().into() };
        object! {
            "summary": self.summary(),
            "model": model,
            "findings": self.findings.iter().map(Finding::public).collect::<Vec<_>>(),
            "dropped": self.dropped,
            "unread": self.unread.iter().map(|unread| unread.path.as_str()).collect::<Vec<_>>(),
            "tokens": self.tokens,
            "seconds": self.seconds,
        }
    }

    pub fn write(&self) -> Value {
        let strings = |list: &[String]| list.to_vec();
        let settled = |s: &Settled| {
            object! { "number": s.number, "file": s.file.as_str(), "message": s.message.as_str(), "dismissed": s.dismissed }
        };
        let file = |f: &FileNote| {
            object! { "path": f.path.as_str(), "status": f.status.as_str(), "added": f.added, "removed": f.removed,
            "note": f.note.as_str() }
        };
        let commit = |c: &Commit| {
            object! { "sha": c.sha.as_str(), "subject": c.subject.as_str(), "author": c.author.as_str() }
        };
        object! {
            "head": self.head.as_str(),
            "since": self.since.as_str(),
            "prose": self.prose.as_str(),
            "note": self.note.as_str(),
            "facts": strings(&self.facts),
            "findings": self.findings.iter().map(Finding::write).collect::<Vec<_>>(),
            "settled": self.settled.iter().map(settled).collect::<Vec<_>>(),
            "hidden": self.hidden,
            "changes": strings(&self.changes),
            "files": self.files.iter().take(DETAILS_MAX).map(file).collect::<Vec<_>>(),
            "commits": self.commits.iter().take(DETAILS_MAX).map(commit).collect::<Vec<_>>(),
            "unread": self.unread.iter().take(DETAILS_MAX)
                .map(|u| object! { "path": u.path.as_str(), "why": u.why.as_str() }).collect::<Vec<_>>(),
            "model": self.model.as_str(),
            "tokens": self.tokens,
            "seconds": self.seconds,
            "dropped": self.dropped,
        }
    }

    pub fn read(value: &Value) -> Report {
        let strings = |name: &str| value[name].items().iter().map(text).collect();
        Report {
            head: text(&value["head"]),
            since: text(&value["since"]),
            prose: text(&value["prose"]),
            note: text(&value["note"]),
            facts: strings("facts"),
            findings: value["findings"].items().iter().map(Finding::read).collect(),
            settled: value["settled"]
                .items()
                .iter()
                .map(|s| Settled {
                    number: number(&s["number"]) as u32,
                    file: text(&s["file"]),
                    message: text(&s["message"]),
                    dismissed: s["dismissed"].as_bool().unwrap_or(false),
                })
                .collect(),
            hidden: number(&value["hidden"]) as usize,
            changes: strings("changes"),
            files: value["files"]
                .items()
                .iter()
                .map(|f| FileNote {
                    path: text(&f["path"]),
                    status: text(&f["status"]),
                    added: number(&f["added"]) as usize,
                    removed: number(&f["removed"]) as usize,
                    note: text(&f["note"]),
                })
                .collect(),
            commits: value["commits"]
                .items()
                .iter()
                .map(|c| Commit { sha: text(&c["sha"]), subject: text(&c["subject"]), author: text(&c["author"]) })
                .collect(),
            unread: value["unread"]
                .items()
                .iter()
                .map(|u| Unread { path: text(&u["path"]), why: text(&u["why"]) })
                .collect(),
            model: text(&value["model"]),
            tokens: number(&value["tokens"]),
            seconds: number(&value["seconds"]),
            dropped: number(&value["dropped"]) as usize,
        }
    }
}

fn text(value: &Value) -> String {
    value.text().to_string()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0).max(0)
}

#[cfg(test)]
pub fn sample() -> Report {
    let finding = Finding {
        number: 3,
        print: "ab".into(),
        kind: "secret".into(),
        severity: 3,
        rule: "r".into(),
        file: "a.py".into(),
        line: 7,
        side: Side::Right,
        quote: "key = 1".into(),
        message: "A key.".into(),
        computed: true,
        score: 90,
    };
    Report {
        head: "0123456789".into(),
        prose: "It adds `x`.".into(),
        facts: vec!["1 file changed.".into()],
        findings: vec![finding],
        settled: vec![Settled { number: 1, file: "b".into(), message: "m".into(), dismissed: true }],
        changes: vec!["c".into()],
        files: vec![FileNote { path: "a.py".into(), status: "new".into(), added: 2, removed: 1, note: "n".into() }],
        commits: vec![Commit { sha: "s".into(), subject: "t".into(), author: "u".into() }],
        unread: vec![Unread { path: "z".into(), why: "w".into() }],
        model: "m".into(),
        tokens: 5,
        seconds: 6,
        dropped: 1,
        ..Report::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_writing_and_reading() {
        assert_eq!(sample(), Report::read(&sample().write()));
    }

    #[test]
    fn the_document_has_the_promised_members() {
        let document = sample().document();
        let names: Vec<&str> = document.members().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(["summary", "model", "findings", "dropped", "unread", "tokens", "seconds"], names[..]);
        let names: Vec<&str> = document["findings"][0].members().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(["kind", "severity", "file", "line", "side", "quote", "message", "computed"], names[..]);
        assert!(Report::default().document()["model"].is_null());
    }
}
