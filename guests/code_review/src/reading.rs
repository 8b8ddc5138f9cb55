//! The model's part: which model, what it reads within the time budget, and what of its answers holds.

use crate::answer::{self, Answer, Claim};
use crate::change::Piece;
use crate::claims::Lines;
use crate::prompt::{self, Chunk};
use crate::pull::Pull;
use crate::report::{Finding, Report, Unread, SEVERITIES};
use crate::settings::Settings;
use crate::state::fingerprint;
use crate::text::{cut, one_line, sentence, SENTENCE_MAX};
use millrace::{call, object, Problem, Value};
use rules::mask_secrets;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A model with less context cannot hold the question.
const CONTEXT_TOKENS_MIN: usize = 1_500;
/// Prompts are kept smaller than a large context allows: a long wait for one answer cannot be cut short.
const PROMPT_TOKENS_MAX_LOCAL: usize = 4_000;
const PROMPT_TOKENS_MAX_REMOTE: usize = 16_000;
const ANSWER_TOKENS_MAX: usize = 900;
/// The question around the change: form, facts, title.
const QUESTION_TOKENS: usize = 1_200;
/// So many useless answers in a row end the reading.
const USELESS_MAX: usize = 2;

struct Model {
    name: String,
    context_tokens: usize,
    is_remote: bool,
}

pub struct Reader<'a> {
    pub pull: &'a Pull,
    pub settings: &'a Settings,
    pub facts: &'a [String],
    pub lines: &'a Lines,
    /// Stems of the change's words, lower case.
    pub words: &'a HashSet<String>,
    pub started: Instant,
    /// An earlier review of the same change is carried on: its prose stays until there is a new summary.
    pub carries_on: bool,
}

/// Reads the pieces and adds to the report what the model says of them; findings are returned unnumbered.
pub fn read(reader: &Reader, models: Result<Value, Problem>, pieces: &[Piece], report: &mut Report) -> Vec<Finding> {
    let all_unread =
        |report: &mut Report, why: &str| unread(report, pieces.iter().map(|p| p.file.path().to_string()), why);
    let model = match models.map_err(|p| p.detail).and_then(|list| choose(&list, &reader.settings.model)) {
        Ok(model) => model,
        Err(why) => {
            report.note = no_prose(&why);
            all_unread(report, "no model");
            return Vec::new();
        }
    };
    if pieces.is_empty() {
        return Vec::new();
    }
    report.model = model.name.clone();
    let limit = if model.is_remote { PROMPT_TOKENS_MAX_REMOTE } else { PROMPT_TOKENS_MAX_LOCAL };
    let answer_max = (model.context_tokens / 4).min(ANSWER_TOKENS_MAX);
    let room = (model.context_tokens - answer_max).min(limit).saturating_sub(QUESTION_TOKENS).max(200);
    let chunks = prompt::chunks(pieces, room);
    let mut session = Session { reader, model, answer_max, report, findings: Vec::new(), slowest: Duration::ZERO };
    session.read_all(&chunks);
    session.findings
}

fn no_prose(why: &str) -> String {
    format!("No model wrote here, only computed checks: {}", sentence(why, SENTENCE_MAX))
}

/// The model to ask, or why there is none.
fn choose(list: &Value, wanted: &str) -> Result<Model, String> {
    let name = if wanted.is_empty() { list["default"].text() } else { wanted };
    if name.is_empty() {
        return Err("no model is set up".into());
    }
    let Some(model) = list["models"].items().iter().find(|model| model["name"].text() == name) else {
        return Err(format!("there is no model `{name}`"));
    };
    if model["passed"].as_bool() != Some(true) {
        let reason = model["reason"].text();
        let reason = if reason.is_empty() { "it was not checked" } else { reason };
        return Err(format!("the model `{name}` did not pass the check ({reason})"));
    }
    let context = model["context_tokens"].as_i64().unwrap_or(0).max(0) as usize;
    if context < CONTEXT_TOKENS_MIN {
        return Err(format!("the model `{name}` holds {context} tokens, too few to read a change"));
    }
    Ok(Model { name: name.to_string(), context_tokens: context, is_remote: model["remote"].as_bool() == Some(true) })
}

fn unread(report: &mut Report, paths: impl Iterator<Item = String>, why: &str) {
    for path in paths {
        if !report.unread.iter().any(|unread| unread.path == path) {
            report.unread.push(Unread { path, why: why.to_string() });
        }
    }
}

struct Session<'a, 'b> {
    reader: &'a Reader<'a>,
    model: Model,
    answer_max: usize,
    report: &'b mut Report,
    findings: Vec<Finding>,
    slowest: Duration,
}

impl Session<'_, '_> {
    fn read_all(&mut self, chunks: &[Chunk]) {
        let (mut useless, mut answered) = (0, 0);
        let with_summary = chunks.len() == 1 && !self.reader.carries_on;
        for (i, chunk) in chunks.iter().enumerate() {
            let rest = || chunks[i..].iter().flat_map(|chunk| chunk.files.iter().cloned());
            if self.is_out_of_time() {
                return self.stop(rest(), "the time budget was used up", chunks.len(), answered);
            }
            let messages =
                prompt::review(self.reader.pull, self.reader.facts, chunk, with_summary, self.reader.settings);
            match self.ask(messages) {
                Ok(answer) if self.take(&answer, with_summary) => (useless, answered) = (0, answered + 1),
                Ok(_) => {
                    useless += 1;
                    unread(self.report, chunk.files.iter().cloned(), "the model's answer could not be used");
                }
                Err(problem) if problem.is("context-exceeded") => {
                    unread(self.report, chunk.files.iter().cloned(), "longer than the model's context");
                }
                Err(problem) => {
                    let why = format!("the model did not answer ({})", cut(&one_line(&problem.to_string()), 200));
                    return self.stop(rest(), &why, chunks.len(), answered);
                }
            }
            if useless >= USELESS_MAX {
                let rest = chunks[i + 1..].iter().flat_map(|chunk| chunk.files.iter().cloned());
                return self.stop(rest, "the model's answers could not be used", chunks.len(), answered);
            }
        }
        self.finish(chunks.len(), answered, "the model's answer could not be used");
    }

    fn stop(&mut self, rest: impl Iterator<Item = String>, why: &str, chunks: usize, answered: usize) {
        unread(self.report, rest, why);
        self.finish(chunks, answered, why);
    }

    /// The summary where the chunks were not asked for it; a note where something is missing.
    fn finish(&mut self, chunks: usize, answered: usize, why: &str) {
        if answered == 0 {
            self.report.note = no_prose(why);
            self.report.model.clear();
            return;
        }
        if answered < chunks {
            self.report.note = format!("The model read only part of the change: {}", sentence(why, SENTENCE_MAX));
        }
        let notes = self.notes();
        if (chunks > 1 || self.reader.carries_on) && !notes.is_empty() && !self.is_out_of_time() {
            let messages = prompt::summary(self.reader.pull, self.reader.facts, &notes, self.reader.settings);
            match self.ask(messages) {
                Ok(answer) => {
                    self.take(&Answer { files: Vec::new(), claims: Vec::new(), ..answer }, true);
                }
                Err(problem) => eprintln!("no summary: {problem}"),
            }
        }
    }

    /// What was done, file by file, as much as a prompt holds.
    fn notes(&self) -> Vec<String> {
        let room = (self.model.context_tokens - self.answer_max).saturating_sub(QUESTION_TOKENS);
        let mut room = room.min(PROMPT_TOKENS_MAX_LOCAL);
        let noted = self.report.files.iter().filter(|file| !file.note.is_empty());
        let lines = noted.map(|file| format!("{}: {}", file.path, file.note));
        lines
            .take_while(|line| {
                let cost = prompt::tokens(line) + 1;
                let fits = cost <= room;
                room = room.saturating_sub(cost);
                fits
            })
            .collect()
    }

    fn left(&self) -> Duration {
        let budget = Duration::from_millis(self.reader.settings.time_budget_ms.max(0) as u64);
        budget.saturating_sub(self.reader.started.elapsed())
    }

    /// Nothing is begun that would probably not end in time.
    fn is_out_of_time(&self) -> bool {
        self.left() < Duration::from_millis(500).max(self.slowest / 2)
    }

    fn ask(&mut self, messages: Value) -> Result<Answer, Problem> {
        let begun = Instant::now();
        let head = object! {
            "model": self.model.name.as_str(),
            "messages": messages,
            "max_tokens": self.answer_max,
            "temperature": 0.0,
            "timeout_ms": self.left().as_millis().max(1_000) as u64,
        };
        let answer = call("llm.chat", &head, &[])?.head;
        self.slowest = self.slowest.max(begun.elapsed());
        let usage = &answer["usage"];
        self.report.tokens +=
            ["prompt_tokens", "completion_tokens"].iter().filter_map(|n| usage[*n].as_i64()).sum::<i64>();
        Ok(answer::read(answer["content"].text()))
    }

    /// Keeps what holds: prose about this change, notes on files that are in it, claims whose quote is in it. False if
    /// the answer was of no use.
    fn take(&mut self, answer: &Answer, with_summary: bool) -> bool {
        let mut used = answer.says_none;
        if with_summary {
            used |= self.take_summary(answer);
        }
        for (path, note) in &answer.files {
            let file = self.reader.lines.file_named(path);
            match file.and_then(|file| self.report.files.iter_mut().find(|known| known.path == file)) {
                Some(file) if !answer::names_a_line(note) => {
                    file.note = cut(&one_line(&mask_secrets(note)), SENTENCE_MAX);
                    used = true;
                }
                _ => self.report.dropped += 1,
            }
        }
        for claim in &answer.claims {
            match self.finding(claim) {
                Some(finding) if self.findings.iter().any(|known| known.print == finding.print) => {}
                Some(finding) => {
                    self.findings.push(finding);
                    used = true;
                }
                None => self.report.dropped += 1,
            }
        }
        used
    }

    fn take_summary(&mut self, answer: &Answer) -> bool {
        // In another language the prose need not share a word with the change.
        let is_english = self.reader.settings.language.eq_ignore_ascii_case("english");
        let known = |word: &str| !is_english || self.reader.words.contains(stem(word));
        let holds = |text: &str| answer::is_plausible(text, &known) && !answer::names_a_line(text);
        let prose = holds(&answer.summary);
        if prose {
            self.report.prose = cut(&one_line(&mask_secrets(&answer.summary)), 2_000);
        }
        let (kept, gone): (Vec<&String>, Vec<&String>) = answer.changes.iter().partition(|change| holds(change));
        self.report.dropped += gone.len() + usize::from(!prose && !answer.summary.is_empty());
        if !kept.is_empty() {
            self.report.changes =
                kept.iter().map(|change| cut(&one_line(&mask_secrets(change)), SENTENCE_MAX)).collect();
        }
        prose || !kept.is_empty()
    }

    fn finding(&self, claim: &Claim) -> Option<Finding> {
        let found = self.reader.lines.locate(&claim.file, claim.line, &claim.quote)?;
        let message = sentence(&mask_secrets(&claim.message), SENTENCE_MAX);
        if message.chars().filter(|c| c.is_alphabetic()).count() < 8 {
            return None;
        }
        let severity = SEVERITIES.iter().position(|name| *name == claim.severity).unwrap_or(1);
        Some(Finding {
            number: 0,
            print: fingerprint("model", &found.file, &found.text),
            kind: kind(&claim.kind).to_string(),
            severity: severity as u8,
            rule: "model".into(),
            file: found.file,
            line: found.line,
            side: found.side,
            quote: mask_secrets(found.text.trim()),
            message,
            computed: false,
            score: [40, 55, 70, 85][severity],
        })
    }
}

/// What `count` and `counting` have in common.
pub fn stem(word: &str) -> &str {
    word.char_indices().nth(5).map_or(word, |(at, _)| &word[..at])
}

/// The kind that a model's word means.
fn kind(word: &str) -> &'static str {
    let name = word.replace(['_', ' '], "-");
    let known = rules::Kind::ALL.iter().map(|kind| kind.name()).find(|known| *known == name);
    known.unwrap_or(match name.as_str() {
        n if n.contains("sql") => "sql-injection",
        n if n.contains("shell") || n.contains("command") => "shell-injection",
        n if n.contains("secret") || n.contains("credential") => "secret",
        n if n.contains("crypto") => "unsafe-crypto",
        n if n.contains("test") => "removed-test",
        n if n.contains("error") || n.contains("exception") => "swallowed-error",
        n if n.contains("check") || n.contains("validation") || n.contains("auth") => "removed-check",
        n if n.contains("leak") || n.contains("race") || n.contains("performance") => "resource",
        _ => "other",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_model_that_passed_writes() {
        let model = |passed: bool, context: i32| {
            object! { "default": "m", "models": vec![object! { "name": "m", "context_tokens": context, "remote": false,
            "passed": passed, "reason": "3 of 10 tasks" }] }
        };
        assert!(choose(&model(true, 4096), "").is_ok());
        assert!(choose(&model(false, 4096), "").err().unwrap().contains("3 of 10 tasks"));
        assert!(choose(&model(true, 512), "").err().unwrap().contains("512"));
        assert!(choose(&model(true, 4096), "other").err().unwrap().contains("`other`"));
        assert!(choose(&object! { "default": Value::Null }, "").is_err());
    }

    #[test]
    fn a_models_words_for_kinds_are_understood() {
        for (word, name) in
            [("secret", "secret"), ("sql_injection", "sql-injection"), ("race", "resource"), ("logic", "other")]
        {
            assert_eq!(name, kind(word));
        }
    }
}
