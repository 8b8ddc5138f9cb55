//! The frame of an integration: stdin is one line of JSON (the head), a line feed and the raw body; stdout the same.
//! Exit code 0 is an answer, 1 an error result.

use crate::door::{Answer, Problem};
use crate::event::{self, Event};
use crate::json::{self, Value};
use std::io::Write;

/// An operation that somebody asks of this integration.
#[derive(Clone, Debug)]
pub struct Request {
    /// The short name, `create_comment`.
    pub operation: String,
    /// The idempotency key of a write; for a `find` the key of the write it looks for.
    pub key: String,
    pub head: Value,
    pub body: Vec<u8>,
}

/// Reads the request, answers it and ends the program.
pub fn serve(answer: impl FnOnce(&Request) -> Result<Answer, Problem>) -> ! {
    let result = read().and_then(|request| answer(&request));
    let (code, head, body) = match result {
        Ok(answer) => (0, answer.head, answer.body),
        Err(problem) => (1, problem.write(), Vec::new()),
    };
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{head}").and_then(|()| out.write_all(&body)).and_then(|()| out.flush());
    std::process::exit(if written.is_ok() { code } else { 2 })
}

fn read() -> Result<Request, Problem> {
    let bytes = event::body().map_err(|e| Problem::new("invalid", format!("the request could not be read: {e}")))?;
    let operation = Event::read().envelope["operation"].clone();
    let (head, body) = split(bytes)?;
    Ok(Request {
        operation: operation["name"].text().to_string(),
        key: operation["key"].text().to_string(),
        head,
        body,
    })
}

fn split(mut bytes: Vec<u8>) -> Result<(Value, Vec<u8>), Problem> {
    let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
    let head = json::parse(&bytes[..end]).map_err(|e| Problem::new("invalid", format!("the request's head is {e}")))?;
    bytes.drain(..bytes.len().min(end + 1));
    Ok((head, bytes))
}

impl Request {
    /// A text member of the head that must be there.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        self.head[name].as_str().ok_or_else(|| Problem::new("invalid", format!("`{name}` (a text) is missing")))
    }

    /// A number of the head that must be there.
    pub fn number(&self, name: &str) -> Result<i64, Problem> {
        self.head[name].as_i64().ok_or_else(|| Problem::new("invalid", format!("`{name}` (a number) is missing")))
    }
}

/// An answer without a body.
pub fn done(head: Value) -> Result<Answer, Problem> {
    Ok(Answer { head, body: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_line_of_json_and_raw_bytes() {
        let (head, body) = split(b"{\"a\":1}\nraw\n\xff".to_vec()).unwrap();
        assert_eq!(Some(1), head["a"].as_i64());
        assert_eq!(b"raw\n\xff".to_vec(), body);
        assert_eq!(Vec::<u8>::new(), split(b"{}".to_vec()).unwrap().1);
        assert!(split(b"raw\n".to_vec()).unwrap_err().is("invalid"));
    }
}
