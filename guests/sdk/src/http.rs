//! `http.fetch` for integrations: requests in the connection's name, headers without regard to case.

use crate::door::{call, Answer, Problem};
use crate::json::{self, Value};
use crate::object;

/// A request in the name of the run's connection. The host adds the secret; the guest never holds it.
pub struct Request {
    head: Value,
    body: Vec<u8>,
}

/// An answer of any status.
pub struct Response {
    pub status: i64,
    pub headers: Value,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, url: &str) -> Request {
        let head = object! {
            "method": method,
            "url": url,
            "headers": object! { "user-agent": "millrace" },
            "auth": object! { "as": "bearer" },
        };
        Request { head, body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Request {
        let mut headers = self.head["headers"].clone();
        headers.set(name, value);
        self.head.set("headers", headers);
        self
    }

    pub fn json(mut self, body: &Value) -> Request {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    pub fn timeout_ms(mut self, ms: i64) -> Request {
        self.head.set("timeout_ms", ms);
        self
    }

    pub fn max_bytes(mut self, bytes: i64) -> Request {
        self.head.set("max_bytes", bytes);
        self
    }

    pub fn send(self) -> Result<Response, Problem> {
        let Answer { head, body } = call("http.fetch", &self.head, &self.body)?;
        Ok(Response { status: head["status"].as_i64().unwrap_or(0), headers: head["headers"].clone(), body })
    }
}

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, or "".
    pub fn header(&self, name: &str) -> &str {
        self.headers.members().iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v.text())
    }

    /// The body as JSON; `upstream` if it is none.
    pub fn json(&self) -> Result<Value, Problem> {
        json::parse(&self.body)
            .map_err(|e| Problem::new("upstream", format!("the server's answer is {e}")).with_status(self.status))
    }

    /// What `Retry-After` asks for (seconds; dates are not read).
    pub fn retry_after_ms(&self) -> Option<i64> {
        let seconds: f64 = self.header("retry-after").trim().parse().ok()?;
        (0.0..1e7).contains(&seconds).then_some((seconds * 1000.0) as i64)
    }
}

/// Text for one segment of a path, or one value of a query.
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for &b in text.as_bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(b as char);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_unreserved_characters() {
        assert_eq!("a-b_c.d~%2F%C3%A9%20%3F", encode("a-b_c.d~/é ?"));
    }

    #[test]
    fn finds_headers_in_any_case() {
        let headers = object! { "Retry-After": "2.5" };
        let response = Response { status: 429, headers, body: Vec::new() };
        assert_eq!(Some(2500), response.retry_after_ms());
        assert_eq!("", response.header("link"));
    }
}
