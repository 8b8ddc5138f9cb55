//! Chat completions of any endpoint that speaks OpenAI's API, as the operation `chat`.

use millrace::http::{self, Response};
use millrace::integration::{self, done, Request};
use millrace::{event, object, Answer, Problem, Value};

const TIMEOUT_MS: i64 = 120_000;
const BYTES_MAX: i64 = 4 << 20;

/// How often a request is said anew in words that the server knows.
const WORDINGS_MAX: usize = 4;

fn main() {
    integration::serve(|request| match request.operation.as_str() {
        "chat" => chat(request),
        name => Err(Problem::new("unknown-operation", format!("openai has no operation `{name}`"))),
    })
}

fn chat(request: &Request) -> Result<Answer, Problem> {
    let connection = event::connection();
    let mut body = wording(&request.head, &connection)?;
    let url = format!("{}/chat/completions", base_url(&connection));
    let timeout = request.head["timeout_ms"].as_i64().unwrap_or(TIMEOUT_MS);
    for _ in 0..WORDINGS_MAX {
        let sent = http::Request::new("POST", &url).json(&body).timeout_ms(timeout).max_bytes(BYTES_MAX);
        let response = sent.send()?;
        if response.is_success() {
            return done(completion(&response.json()?, &body)?);
        }
        let message = message(&response);
        if response.status != 400 || !reword(&mut body, &message) {
            return Err(problem(&response, &message, &body));
        }
    }
    Err(Problem::new("invalid", "the server refuses each of the parameters in turn").with_status(400))
}

fn base_url(connection: &Value) -> String {
    let given = [&connection["base_url"], &connection["settings"]["base_url"]].map(Value::text);
    let url = given.into_iter().find(|url| !url.is_empty()).unwrap_or("https://api.openai.com/v1");
    url.trim_end_matches('/').to_string()
}

fn wording(head: &Value, connection: &Value) -> Result<Value, Problem> {
    let model = match head["model"].text() {
        "" => connection["settings"]["models"][0].text(),
        model => model,
    };
    if model.is_empty() {
        return Err(Problem::new("model-unavailable", "no model was named and the connection lists none"));
    }
    let mut body = object! { "model": model, "messages": &head["messages"], "max_tokens": &head["max_tokens"] };
    for name in ["temperature", "top_p", "stop", "seed"] {
        body.set_some(name, &head[name]);
    }
    Ok(body)
}

/// Newer models know `max_completion_tokens` instead of `max_tokens` and refuse any temperature but their own.
/// True when the request was changed, so that asking again makes sense.
fn reword(body: &mut Value, message: &str) -> bool {
    let Value::Object(members) = body else { return false };
    let has = |name: &str, members: &[(String, Value)]| members.iter().any(|(n, _)| n == name);
    if message.contains("max_completion_tokens") && has("max_tokens", members) {
        members.iter_mut().filter(|(n, _)| n == "max_tokens").for_each(|(n, _)| *n = "max_completion_tokens".into());
        return true;
    }
    let unknown = ["temperature", "top_p", "seed", "stop"]
        .into_iter()
        .find(|name| message.contains(&format!("'{name}'")) && has(name, members));
    members.retain(|(n, _)| Some(n.as_str()) != unknown);
    unknown.is_some() && message.to_ascii_lowercase().contains("unsupported")
}

fn completion(answer: &Value, body: &Value) -> Result<Value, Problem> {
    let choice = &answer["choices"][0];
    if choice["message"].members().is_empty() {
        return Err(Problem::new("upstream", "the server's answer holds no message").with_status(200));
    }
    let content = content(&choice["message"]);
    let finish = if choice["finish_reason"].text() == "length" { "length" } else { "stop" };
    let model = answer["model"].as_str().unwrap_or(body["model"].text());
    let usage = usage(&answer["usage"], body, &content);
    Ok(object! { "model": model, "content": content, "finish_reason": finish, "usage": usage })
}

/// The text without the model's thoughts. A reasoning model that spent all its tokens on them said nothing.
fn content(message: &Value) -> String {
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(|part| part["text"].text()).collect(),
        _ => message["refusal"].text().to_string(),
    };
    let start = text.trim_start();
    for (open, close) in [("<think>", "</think>"), ("<thinking>", "</thinking>")] {
        if let Some(thoughts) = start.strip_prefix(open) {
            return thoughts.split_once(close).map_or(String::new(), |(_, said)| said.trim_start().to_string());
        }
    }
    text
}

fn usage(usage: &Value, body: &Value, content: &str) -> Value {
    let told = |name: &str| usage[name].as_i64().filter(|n| *n >= 0);
    if let (Some(prompt), Some(completion)) = (told("prompt_tokens"), told("completion_tokens")) {
        return object! { "prompt_tokens": prompt, "completion_tokens": completion };
    }
    let prompt: usize = body["messages"].items().iter().map(|m| m["content"].text().len()).sum();
    object! {
        "prompt_tokens": prompt.div_ceil(4),
        "completion_tokens": content.len().div_ceil(4),
        "estimated": true,
    }
}

/// Servers put it at `error.message`, `error`, `message` or `detail`.
fn message(response: &Response) -> String {
    let answer = response.json().unwrap_or(Value::Null);
    let places = [&answer["error"]["message"], &answer["error"], &answer["message"], &answer["detail"]];
    let text = places.into_iter().find_map(Value::as_str).unwrap_or("");
    let code = answer["error"]["code"].text();
    let text = if code.is_empty() { text.to_string() } else { format!("{text} ({code})") };
    text.chars().take(500).collect()
}

fn problem(response: &Response, message: &str, body: &Value) -> Problem {
    let (status, low) = (response.status, message.to_ascii_lowercase());
    let too_long = [
        "context length",
        "context_length",
        "maximum context",
        "context size",
        "context window",
        "too many tokens",
        "prompt is too long",
    ];
    let kind = match status {
        401 | 403 => "denied",
        404 => "model-unavailable",
        408 => "timeout",
        413 => "context-exceeded",
        400 | 422 if too_long.iter().any(|words| low.contains(words)) => "context-exceeded",
        400 | 422 => "invalid",
        // An empty account is no matter of waiting.
        429 if low.contains("insufficient_quota") => "denied",
        429 => "rate-limited",
        500.. if too_long.iter().any(|words| low.contains(words)) => "context-exceeded",
        500.. => "unavailable",
        _ => "upstream",
    };
    let said = if message.is_empty() { String::new() } else { format!(": {message}") };
    let mut problem = Problem::new(kind, format!("{} answered {status}{said}", body["model"].text()));
    problem.retry_after_ms = response.retry_after_ms();
    problem.with_status(status)
}

#[cfg(test)]
mod tests;
