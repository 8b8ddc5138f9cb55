//! What a run is about: the event, its body, the flow's settings, an integration's connection.

use crate::json::{self, Value};
use std::io::Read;

/// The envelope of the event (`MILLRACE_EVENT`).
#[derive(Clone, Debug)]
pub struct Event {
    /// The whole envelope: id, type, source, time, method, path, query, headers, operation.
    pub envelope: Value,
}

impl Event {
    pub fn read() -> Event {
        Event { envelope: variable("MILLRACE_EVENT") }
    }

    /// `github.pull_request`, `http`, `millrace.run.failed`, `millrace.operation` …
    pub fn kind(&self) -> &str {
        self.envelope["type"].text()
    }

    pub fn id(&self) -> &str {
        self.envelope["id"].text()
    }
}

/// The body of the event, byte for byte as it was received.
pub fn body() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The flow's settings, defaults filled in by the host (`MILLRACE_SETTINGS`).
pub fn settings() -> Value {
    variable("MILLRACE_SETTINGS")
}

/// An integration's connection: `{name, base_url, settings}`, never a secret (`MILLRACE_CONNECTION`).
pub fn connection() -> Value {
    variable("MILLRACE_CONNECTION")
}

fn variable(name: &str) -> Value {
    match std::env::var(name) {
        Ok(text) => json::parse(text.as_bytes()).unwrap_or_else(|e| {
            eprintln!("{name} is {e}");
            Value::Null
        }),
        Err(_) => Value::Null,
    }
}
