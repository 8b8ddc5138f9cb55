//! What we remember of a pull request: in a hidden block of our comment (which findings there were, how far the review
//! is) and, in full, in the flow's keys.

use crate::report::Report;
use crate::text::normal;
use millrace::{call, hash, json, object, Problem, Value};

pub const MARK_START: &str = "<!-- millrace-review ";
const MARK_END: &str = " -->";
const STATUS_MARK: &str = "<!-- millrace-status -->";

/// So many findings are remembered; the oldest settled ones go first.
const KNOWN_MAX: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A review is under way; whoever reads this later and finds no run knows that it never ended.
    Pending,
    Done,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    Fixed,
    Dismissed,
}

/// A finding that had a number once.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub number: u32,
    pub print: String,
    pub standing: Standing,
}

/// The hidden block.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub phase: Phase,
    /// The head that the review in the comment is about; empty before the first.
    pub head: String,
    pub known: Vec<Known>,
}

impl State {
    pub fn new() -> State {
        State { phase: Phase::Pending, head: String::new(), known: Vec::new() }
    }

    pub fn next_number(&self) -> u32 {
        self.known.iter().map(|known| known.number).max().unwrap_or(0) + 1
    }

    pub fn find(&self, print: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.print == print)
    }

    /// Notes how a finding stands.
    pub fn note(&mut self, number: u32, print: &str, standing: Standing) {
        match self.known.iter_mut().find(|known| known.number == number) {
            Some(known) => known.standing = standing,
            None => self.known.push(Known { number, print: print.to_string(), standing }),
        }
        while self.known.len() > KNOWN_MAX {
            let oldest = self.known.iter().position(|known| known.standing != Standing::Open).unwrap_or(0);
            self.known.remove(oldest);
        }
    }

    pub fn write(&self) -> Value {
        let known: Vec<Value> = self
            .known
            .iter()
            .map(|k| object! { "n": k.number, "p": k.print.as_str(), "s": standing_name(k.standing) })
            .collect();
        let phase = match self.phase {
            Phase::Pending => "pending",
            Phase::Done => "done",
            Phase::Failed => "failed",
        };
        object! { "v": 1, "phase": phase, "head": self.head.as_str(), "findings": known }
    }

    pub fn read(value: &Value) -> State {
        let phase = match value["phase"].text() {
            "done" => Phase::Done,
            "failed" => Phase::Failed,
            _ => Phase::Pending,
        };
        let known = value["findings"].items().iter().filter_map(|item| {
            let number = u32::try_from(item["n"].as_i64()?).ok()?;
            let print = item["p"].as_str()?.to_string();
            Some(Known { number, print, standing: standing(item["s"].text()) })
        });
        State { phase, head: value["head"].text().to_string(), known: known.take(KNOWN_MAX).collect() }
    }

    /// The line that ends our comments.
    pub fn mark(&self) -> String {
        // Nothing in the block may end the HTML comment; JSON can spell these characters otherwise.
        let text = self.write().to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace("--", "-\\u002d");
        format!("{MARK_START}{text}{MARK_END}")
    }

    /// From a comment of ours.
    pub fn of_comment(body: &str) -> State {
        let block = body.lines().find_map(block);
        block.and_then(|text| json::parse(text.as_bytes()).ok()).map_or(State::new(), |value| State::read(&value))
    }
}

fn standing(name: &str) -> Standing {
    match name {
        "fixed" => Standing::Fixed,
        "dismissed" => Standing::Dismissed,
        _ => Standing::Open,
    }
}

fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Fixed => "fixed",
        Standing::Dismissed => "dismissed",
    }
}

fn block(line: &str) -> Option<&str> {
    line.trim().strip_prefix(MARK_START)?.strip_suffix(MARK_END)
}

/// Whether a comment carries our mark.
pub fn is_ours(body: &str) -> bool {
    body.lines().any(|line| line.trim_start().starts_with(MARK_START))
}

/// Our comment with one line on top, over any earlier one, and with this state.
pub fn with_status(body: &str, status: &str, state: &State) -> String {
    let body = body.replace("\r\n", "\n");
    let rest = match body.strip_prefix(STATUS_MARK) {
        Some(rest) => rest.split_once("\n\n").map_or("", |(_, rest)| rest),
        None => &body,
    };
    let lines: Vec<String> =
        rest.lines().map(|line| if block(line).is_some() { state.mark() } else { line.to_string() }).collect();
    format!("{STATUS_MARK}\n> {status}\n\n{}", lines.join("\n").trim_end())
}

/// A finding's identity over pushes: the rule, the file and the quoted line, however it is indented.
pub fn fingerprint(rule: &str, file: &str, quote: &str) -> String {
    let text = format!("{rule}\0{file}\0{}", normal(&rules::mask_secrets(quote)));
    hash::hex(&hash::sha256(text.as_bytes())[..8])
}

/// What the flow's keys hold of a pull request; written only after the comment is.
pub struct Memory {
    pub comment: i64,
    pub state: State,
    pub report: Report,
}

impl Memory {
    pub fn load(key: &str) -> Result<Option<Memory>, Problem> {
        let answer = call("kv.get", &object! { "key": key }, &[])?;
        if answer.head["found"].as_bool() != Some(true) {
            return Ok(None);
        }
        let Ok(value) = json::parse(&answer.body) else { return Ok(None) };
        Ok(value["comment"].as_i64().map(|comment| Memory {
            comment,
            state: State::read(&value["state"]),
            report: Report::read(&value["report"]),
        }))
    }

    pub fn save(&self, key: &str) -> Result<(), Problem> {
        let value = object! { "comment": self.comment, "state": self.state.write(), "report": self.report.write() };
        call("kv.set", &object! { "key": key }, value.to_string().as_bytes()).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let mut state = State { phase: Phase::Done, head: "abc-->".into(), known: Vec::new() };
        state.note(1, "p1", Standing::Dismissed);
        state.note(4, "p4", Standing::Open);
        state
    }

    #[test]
    fn the_hidden_block_survives_and_cannot_be_ended_early() {
        let mark = state().mark();
        assert_eq!(1, mark.matches("-->").count());
        assert_eq!(state(), State::of_comment(&format!("## x\r\n\r\n{mark}\r\n\r\n<!-- millrace:k -->")));
        assert_eq!(5, state().next_number());
        assert_eq!(State::new(), State::of_comment("nothing"));
        assert_eq!(State::new(), State::of_comment(&format!("{MARK_START}broken -->")));
    }

    #[test]
    fn a_status_line_replaces_the_earlier_one() {
        let body = format!("## Review\n\ntext\n\n{}\n\n<!-- millrace:k -->", State::new().mark());
        let once = with_status(&body, "first", &state());
        let twice = with_status(&once, "second", &state());
        assert!(once.starts_with("<!-- millrace-status -->\n> first\n\n## Review"));
        assert!(twice.contains("> second") && !twice.contains("first"));
        assert_eq!(state(), State::of_comment(&twice));
        assert!(twice.ends_with("<!-- millrace:k -->"));
    }

    #[test]
    fn a_fingerprint_does_not_see_indentation() {
        assert_eq!(fingerprint("r", "f", "  a  b"), fingerprint("r", "f", "\ta b "));
        assert_ne!(fingerprint("r", "f", "a b"), fingerprint("r", "g", "a b"));
    }

    #[test]
    fn memory_of_findings_is_bounded_and_keeps_the_open_ones() {
        let mut state = State::new();
        state.note(1, "open", Standing::Open);
        for n in 2..300 {
            state.note(n, "p", Standing::Fixed);
        }
        assert_eq!((KNOWN_MAX, true), (state.known.len(), state.find("open").is_some()));
    }
}
