//! The door: the only way from a guest to the outside.
//!
//! ```no_run
//! use millrace::{call, object};
//! let pull = call("github.get_pull_request", &object! { "owner": "o", "repo": "r", "number": 7 }, &[])?;
//! eprintln!("{}", pull.head["title"].text());
//! # Ok::<(), millrace::Problem>(())
//! ```
//!
//! Several operations at once: [`Call::start`] each, then [`wait_any`].

use crate::json::{self, Value};
use crate::object;
use std::fmt;

/// The most calls that may be open at one time.
pub const OPEN_MAX: usize = 64;

/// What an operation answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub head: Value,
    /// Raw bytes.
    pub body: Vec<u8>,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// One of a closed list: `denied`, `over-budget`, `not-found`, `timeout`, `invalid`, `conflict`, `unavailable`,
    /// `rate-limited`, `interrupted`, `unknown-operation`, `too-large`, `cancelled`, `upstream`, `model-unavailable`,
    /// `context-exceeded`, `unknown`.
    pub kind: String,
    /// A sentence for a person.
    pub detail: String,
    /// The far server's status, if it answered.
    pub status: Option<i64>,
    pub retry_after_ms: Option<i64>,
}

impl Problem {
    pub fn new(kind: &str, detail: impl Into<String>) -> Problem {
        Problem { kind: kind.to_string(), detail: detail.into(), status: None, retry_after_ms: None }
    }

    pub fn with_status(mut self, status: i64) -> Problem {
        self.status = Some(status);
        self
    }

    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// From problem-details JSON.
    pub fn read(head: &Value) -> Problem {
        let detail = if head["detail"].text().is_empty() { &head["title"] } else { &head["detail"] };
        Problem {
            kind: head["type"].as_str().unwrap_or("unavailable").to_string(),
            detail: detail.text().to_string(),
            status: head["status"].as_i64(),
            retry_after_ms: head["retry_after_ms"].as_i64(),
        }
    }

    /// As problem-details JSON.
    pub fn write(&self) -> Value {
        let mut head = object! { "type": self.kind.as_str(), "title": self.title(), "detail": self.detail.as_str() };
        head.set_some("status", self.status);
        head.set_some("retry_after_ms", self.retry_after_ms);
        head
    }

    fn title(&self) -> String {
        let words = self.kind.replace('-', " ");
        words[..1].to_uppercase() + &words[1..]
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl std::error::Error for Problem {}

/// An operation under way. Dropped before its answer, it is cancelled.
pub struct Call {
    handle: u32,
    parts: Vec<u8>,
    open: bool,
}

/// Asks for an operation and waits for its answer.
pub fn call(operation: &str, head: &Value, body: &[u8]) -> Result<Answer, Problem> {
    let mut started = [Call::start(operation, head, body)];
    match wait_any(&mut started, None) {
        Some((_, result)) => result,
        None => Err(Problem::new("unavailable", "the door answered a wait that has no end with a time-out")),
    }
}

/// Lets time pass.
pub fn sleep(ms: u32) {
    let mut out = [0u32; 3];
    unsafe { host::wait(std::ptr::null(), 0, ms.min(i32::MAX as u32) as i32, out.as_mut_ptr()) };
}

/// Waits until one of the calls has its answer: its place in `calls` and the answer. None when the time is over, or
/// when every call already had its answer. Parts of a stream are put together; they come as one body.
pub fn wait_any(calls: &mut [Call], timeout_ms: Option<u32>) -> Option<(usize, Result<Answer, Problem>)> {
    loop {
        let (places, handles): (Vec<usize>, Vec<u32>) =
            calls.iter().enumerate().filter(|(_, c)| c.open).map(|(i, c)| (i, c.handle)).unzip();
        if handles.is_empty() {
            return None;
        }
        let mut out = [0u32; 3];
        let timeout = timeout_ms.map_or(-1, |ms| ms.min(i32::MAX as u32) as i32);
        let index = unsafe { host::wait(handles.as_ptr(), handles.len() as u32, timeout, out.as_mut_ptr()) };
        let place = *places.get(usize::try_from(index).ok()?)?;
        let call = &mut calls[place];
        let [state, head_len, body_len] = out;
        let (mut head, mut body) = (vec![0u8; head_len as usize], vec![0u8; body_len as usize]);
        unsafe { host::take(call.handle, head.as_mut_ptr(), body.as_mut_ptr()) };
        if state == 2 {
            call.parts.append(&mut body);
            continue;
        }
        call.open = false;
        let head = json::parse(&head).unwrap_or(Value::Null);
        if state == 1 {
            return Some((place, Err(Problem::read(&head))));
        }
        call.parts.append(&mut body);
        return Some((place, Ok(Answer { head, body: std::mem::take(&mut call.parts) })));
    }
}

impl Call {
    /// Begins an operation.
    pub fn start(operation: &str, head: &Value, body: &[u8]) -> Call {
        let head = head.to_string();
        let handle = unsafe {
            host::start(
                operation.as_ptr(),
                operation.len() as u32,
                head.as_ptr(),
                head.len() as u32,
                body.as_ptr(),
                body.len() as u32,
            )
        };
        Call { handle, parts: Vec::new(), open: true }
    }

    /// Breaks a read or paid operation off; withdraws a write that was not sent.
    pub fn cancel(self) {}
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.open {
            unsafe { host::cancel(self.handle) };
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod host {
    #[link(wasm_import_module = "millrace")]
    extern "C" {
        pub fn start(
            operation: *const u8,
            operation_len: u32,
            head: *const u8,
            head_len: u32,
            body: *const u8,
            body_len: u32,
        ) -> u32;
        pub fn wait(handles: *const u32, count: u32, timeout_ms: i32, out: *mut u32) -> i32;
        pub fn take(handle: u32, head: *mut u8, body: *mut u8);
        pub fn cancel(handle: u32);
    }
}

/// Outside a sandbox (native tests of pure parts) nobody stands behind the door: every wait ends without an answer.
#[cfg(not(target_arch = "wasm32"))]
mod host {
    pub unsafe fn start(_: *const u8, _: u32, _: *const u8, _: u32, _: *const u8, _: u32) -> u32 {
        0
    }
    pub unsafe fn wait(_: *const u32, _: u32, _: i32, _: *mut u32) -> i32 {
        -1
    }
    pub unsafe fn take(_: u32, _: *mut u8, _: *mut u8) {}
    pub unsafe fn cancel(_: u32) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_writing_and_reading() {
        let mut problem = Problem::new("rate-limited", "wait a little").with_status(403);
        problem.retry_after_ms = Some(1500);
        assert_eq!(problem, Problem::read(&problem.write()));
        assert_eq!("Rate limited", problem.write()["title"].text());
    }

    #[test]
    fn a_head_that_says_nothing_reads_as_unavailable() {
        assert!(Problem::read(&Value::Null).is("unavailable"));
    }
}
