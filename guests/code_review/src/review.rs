//! The way of a review: look, say that one is under way, read, write it over the same comment, remember.

use crate::ask::{Ask, PullId};
use crate::change;
use crate::claims::Lines;
use crate::findings;
use crate::pull::{OwnComment, Patch, Pull};
use crate::reading::{self, stem, Reader};
use crate::render;
use crate::report::{Commit, Report, DETAILS_MAX};
use crate::settings::Settings;
use crate::state::{with_status, Memory, Phase, State};
use crate::text::{one_line, sentence, SENTENCE_MAX};
use millrace::door::wait_any;
use millrace::{object, Call, Problem, Value};
use rules::diff::File;
use rules::{mask_secrets, Change};
use std::collections::HashSet;
use std::time::Instant;

/// What a run has to show.
pub enum Outcome {
    /// The document for stdout.
    Reviewed(Value),
    /// There was nothing to do, and why.
    Nothing(String),
}

pub struct Review<'a> {
    pub settings: &'a Settings,
    pub started: Instant,
    pull: Pull,
    memory: Option<Memory>,
    comment: Option<OwnComment>,
    state: State,
}

/// A step that could not be done; the sentence stands on the pull request if it could be put there.
pub struct Failed {
    pub sentence: String,
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Failed {
        let why = if problem.detail.is_empty() { &problem.kind } else { &problem.detail };
        Failed { sentence: sentence(&format!("The review could not be made: {why}"), SENTENCE_MAX) }
    }
}

pub fn key(id: &PullId) -> String {
    format!("pull/{}/{}/{}", id.owner, id.repo, id.number)
}

pub fn run(id: &PullId, ask: Ask, settings: &Settings, started: Instant) -> Result<Outcome, Failed> {
    let pull = id.get()?;
    if ask == Ask::Changed && !pull.is_open {
        return Ok(Outcome::Nothing("the pull request is closed".into()));
    }
    if ask == Ask::Changed && pull.is_draft && !settings.drafts {
        return Ok(Outcome::Nothing("the pull request is a draft (setting `drafts`)".into()));
    }
    let memory = Memory::load(&key(id))?;
    let comment = id.own_comment(memory.as_ref().map(|memory| memory.comment))?;
    let state = match (&comment, &memory) {
        (Some(comment), _) => State::of_comment(&comment.body),
        (None, Some(memory)) => memory.state.clone(),
        (None, None) => State::new(),
    };
    Review { settings, started, pull, memory, comment, state }.answer(ask)
}

impl Review<'_> {
    fn answer(mut self, ask: Ask) -> Result<Outcome, Failed> {
        let is_current = self.comment.is_some() && self.state.phase == Phase::Done && self.state.head == self.pull.head;
        let earlier = self.memory.as_ref().map(|memory| memory.report.clone()).filter(|r| r.head == self.state.head);
        if let Ask::Dismiss(numbers) = &ask {
            let mut report = earlier.clone().unwrap_or_default();
            let unknown = findings::dismiss(numbers, &mut self.state, &mut report);
            if is_current && earlier.is_some() {
                return self.dismissed(report, &unknown);
            }
        }
        if let (Ask::Changed, true, Some(report)) = (&ask, is_current, &earlier) {
            eprintln!("{} is reviewed already", render::short(&report.head));
            return Ok(Outcome::Reviewed(report.document()));
        }
        let reviewed = self.announce().and_then(|()| self.review(&ask, earlier));
        if let Err(problem) = &reviewed {
            self.admit(problem)?;
        }
        Ok(Outcome::Reviewed(reviewed?.document()))
    }

    /// Says at once that a review is under way: in a placeholder, or over the earlier review.
    fn announce(&mut self) -> Result<(), Problem> {
        self.state.phase = Phase::Pending;
        let body = match &self.comment {
            None => render::placeholder(&self.pull.head, &self.state),
            Some(old) => {
                with_status(&old.body, &render::being_reviewed(&self.pull.head, &self.state.head), &self.state)
            }
        };
        self.write(body)
    }

    fn write(&mut self, body: String) -> Result<(), Problem> {
        let id = self.pull.id.write_comment(self.comment.as_ref().map(|comment| comment.id), &body)?;
        self.comment = Some(OwnComment { id, body });
        Ok(())
    }

    /// Puts the failure where the announcement stands.
    fn admit(&mut self, problem: &Problem) -> Result<(), Failed> {
        self.state.phase = Phase::Failed;
        let line = render::failure(&Failed::from(problem.clone()).sentence, &self.settings.trigger_phrase);
        let body = match (&self.comment, self.state.head.is_empty()) {
            (Some(old), false) => with_status(&old.body, &line, &self.state),
            (Some(_), true) => render::failed_comment(&line, &self.state),
            (None, _) => return Ok(()),
        };
        Ok(self.write(body)?)
    }

    fn review(&mut self, ask: &Ask, earlier: Option<Report>) -> Result<Report, Problem> {
        let id = self.pull.id.clone();
        let mut side = [id.start_commits(), Call::start("llm.models", &object! {}, &[])];
        let patch = id.patch()?;
        let since = match (&earlier, ask) {
            (Some(old), Ask::Changed | Ask::Dismiss(_)) if old.head != self.pull.head => {
                id.since(&old.head, &self.pull.head)?
            }
            _ => None,
        };
        let mut answers = [Err(lost()), Err(lost())];
        while let Some((place, answer)) = wait_any(&mut side, None) {
            answers[place] = answer;
        }
        let [commits, models] = answers;
        let commits = commits?.head;
        let models = models.map(|answer| answer.head);
        let report = self.read(&patch, since, earlier, commits_of(&commits), models);
        self.post(report)
    }

    /// All that is said of the change: computed first, then by the model, then numbered.
    fn read(
        &mut self,
        patch: &Patch,
        since: Option<Vec<File>>,
        earlier: Option<Report>,
        commits: Vec<Commit>,
        models: Result<Value, Problem>,
    ) -> Report {
        let (pull, diff) = (&self.pull, &patch.diff);
        let computed: Vec<_> = rules::review(&Change { title: &pull.title, body: &pull.body, diff })
            .iter()
            .map(findings::computed)
            .collect();
        let facts: Vec<String> =
            change::facts(pull, patch, &rules::facts(diff)).iter().map(|fact| mask_secrets(fact)).collect();
        let lines = Lines::of(diff);
        let (pieces, left_out) = change::pieces(diff, since.as_deref(), &computed, self.settings);
        let mut report = Report {
            head: pull.head.clone(),
            files: change::file_notes(diff),
            facts,
            commits,
            unread: left_out,
            ..Report::default()
        };
        if let (Some(_), Some(old)) = (&since, &earlier) {
            carry(old, &mut report);
        }
        let facts = report.facts.clone();
        let words = words(pull, patch, &facts);
        let reader = Reader {
            pull,
            settings: self.settings,
            facts: &facts,
            lines: &lines,
            words: &words,
            started: self.started,
            carries_on: !report.since.is_empty(),
        };
        let by_model = reading::read(&reader, models, &pieces, &mut report);
        findings::settle(computed, by_model, earlier.as_ref(), &lines, self.settings, &mut self.state, &mut report);
        report.seconds = (self.started.elapsed().as_millis() as i64 + 500) / 1000;
        report
    }

    fn post(&mut self, report: Report) -> Result<Report, Problem> {
        self.state.phase = Phase::Done;
        self.state.head = report.head.clone();
        self.write(render::comment(&report, &self.state, &self.settings.trigger_phrase))?;
        self.remember(report)
    }

    fn remember(&self, report: Report) -> Result<Report, Problem> {
        let comment = self.comment.as_ref().map_or(0, |comment| comment.id);
        let memory = Memory { comment, state: self.state.clone(), report };
        // The comment is there; without the memory the next review only starts from the whole again.
        if let Err(problem) = memory.save(&key(&self.pull.id)) {
            eprintln!("the review is not remembered: {problem}");
        }
        Ok(memory.report)
    }

    fn dismissed(mut self, report: Report, unknown: &[u32]) -> Result<Outcome, Failed> {
        let mut body = render::comment(&report, &self.state, &self.settings.trigger_phrase);
        if !unknown.is_empty() {
            let numbers: Vec<String> = unknown.iter().map(u32::to_string).collect();
            body = with_status(&body, &format!("There is no risk {} to put away.", numbers.join(", ")), &self.state);
        }
        self.write(body)?;
        let report = self.remember(report)?;
        Ok(Outcome::Reviewed(report.document()))
    }
}

fn lost() -> Problem {
    Problem::new("unavailable", "no answer came")
}

fn commits_of(answer: &Value) -> Vec<Commit> {
    let commits = answer["commits"].items().iter().take(DETAILS_MAX);
    commits
        .map(|commit| Commit {
            sha: commit["sha"].text().to_string(),
            subject: mask_secrets(&one_line(commit["message"].text().lines().next().unwrap_or(""))),
            author: commit["author"].text().to_string(),
        })
        .collect()
}

/// What an earlier review said of files that are still in the change.
fn carry(old: &Report, report: &mut Report) {
    report.since = old.head.clone();
    report.prose = old.prose.clone();
    report.changes = old.changes.clone();
    report.model = old.model.clone();
    for file in &mut report.files {
        if let Some(known) = old.files.iter().find(|known| known.path == file.path) {
            file.note = known.note.clone();
        }
    }
    let still = |path: &str| report.files.iter().any(|file| file.path == path);
    let unread: Vec<_> = old.unread.iter().filter(|unread| still(&unread.path)).cloned().collect();
    for unread in unread {
        if !report.unread.iter().any(|known| known.path == unread.path) {
            report.unread.push(unread);
        }
    }
}

/// The words of a change: what a sentence about it must share some of.
fn words(pull: &Pull, patch: &Patch, facts: &[String]) -> HashSet<String> {
    let lines = patch.diff.files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
    let texts = lines.map(|line| line.text.as_str());
    let paths = patch.diff.files.iter().map(File::path);
    let mut words = HashSet::new();
    for text in texts.chain(paths).chain([pull.title.as_str(), pull.body.as_str(), &facts.join(" ")]) {
        for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            let lower = word.to_lowercase();
            let parts = camel(word).into_iter().chain(lower.split('_').map(str::to_string));
            words.extend(parts.filter(|part| part.len() >= 4).map(|part| stem(&part).to_string()));
        }
    }
    words
}

/// `readCache` holds the words `read` and `cache`.
fn camel(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in word.chars() {
        if c.is_uppercase() && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.extend(c.to_lowercase());
        }
    }
    parts
}
