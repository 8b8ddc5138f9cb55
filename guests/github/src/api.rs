//! Requests to GitHub: addresses, pages, and what its refusals mean.

use millrace::http::{self, Response};
use millrace::integration::Request;
use millrace::{date, event, Problem, Value};

/// GitHub's own limit of a page.
pub const PAGE: usize = 100;

/// Asked for at most of one answer: a page of 100 files with 100 KiB of patch each stays below.
const BYTES_MAX: i64 = 32 << 20;

/// A wait for a secondary limit that names none ("wait for at least one minute").
const SECONDARY_WAIT_MS: i64 = 60_000;

/// A repository's address at the connection's server.
pub struct Repo {
    url: String,
}

impl Repo {
    pub fn of(request: &Request) -> Result<Repo, Problem> {
        let base = event::connection()["base_url"].text().trim_end_matches('/').to_string();
        let base = if base.is_empty() { "https://api.github.com" } else { &base };
        let (owner, repo) = (name(request.text("owner")?)?, name(request.text("repo")?)?);
        Ok(Repo { url: format!("{base}/repos/{owner}/{repo}") })
    }

    /// One request. The path is below the repository.
    pub fn request(&self, method: &str, path: &str, accept: &str) -> http::Request {
        http::Request::new(method, &format!("{}/{path}", self.url))
            .header("accept", accept)
            .header("x-github-api-version", "2022-11-28")
            .max_bytes(BYTES_MAX)
    }

    pub fn get(&self, path: &str) -> Result<Response, Problem> {
        check(self.request("GET", path, "application/vnd.github+json").send()?)
    }

    /// All items of a list, page by page until there is no next one; `each` says whether it wants more.
    pub fn pages(&self, path: &str, mut each: impl FnMut(Value) -> bool) -> Result<(), Problem> {
        for page in 1.. {
            let response = self.get(&format!("{path}?per_page={PAGE}&page={page}"))?;
            let Value::Array(items) = response.json()? else {
                return Err(Problem::new("upstream", format!("GitHub's list `{path}` is not a list")));
            };
            let full = items.len() >= PAGE;
            for item in items {
                if !each(item) {
                    return Ok(());
                }
            }
            if !has_next(&response, full) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// GitHub names the next page in `Link`. Servers that send none are asked until a page is short.
pub fn has_next(response: &Response, full: bool) -> bool {
    match response.header("link") {
        "" => full,
        link => link.split(',').any(|part| part.contains("rel=\"next\"")),
    }
}

/// Owner and repository become parts of a path: nothing but the characters that GitHub allows in them.
fn name(text: &str) -> Result<&str, Problem> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if plain && !text.is_empty() && text != "." && text != ".." {
        return Ok(text);
    }
    Err(Problem::new("invalid", format!("`{text}` is no name of an owner or a repository")))
}

/// The answer, if it is a success; else the problem it stands for.
pub fn check(response: Response) -> Result<Response, Problem> {
    if response.is_success() {
        return Ok(response);
    }
    let answer = response.json().unwrap_or(Value::Null);
    let message = answer["message"].text();
    if let Some(wait) = limit(&response, message) {
        let mut problem =
            Problem::new("rate-limited", format!("GitHub asks to wait: {}", sentence(&response, message)));
        problem.retry_after_ms = Some(wait);
        return Err(problem.with_status(response.status));
    }
    let kind = match response.status {
        401 | 403 => "denied",
        404 | 410 => "not-found",
        406 => "too-large",
        409 => "conflict",
        422 => "invalid",
        // Also GitHub's way to say that a diff takes too long to make; a smaller one would not.
        500.. if message.contains("diff is taking too long") => "too-large",
        500.. => "unavailable",
        _ => "upstream",
    };
    let mut problem = Problem::new(kind, format!("GitHub answered {}", sentence(&response, message)));
    problem.retry_after_ms = response.retry_after_ms();
    Err(problem.with_status(response.status))
}

fn sentence(response: &Response, message: &str) -> String {
    let message: String = message.chars().take(300).collect();
    format!("{}{}{message}", response.status, if message.is_empty() { "" } else { ": " })
}

/// How long to wait, if this is a rate limit: 429, or a 403 that says so. A 403 without a sign of it is a refusal.
fn limit(response: &Response, message: &str) -> Option<i64> {
    if response.status != 429 && response.status != 403 {
        return None;
    }
    if let Some(wait) = response.retry_after_ms() {
        return Some(wait);
    }
    if response.header("x-ratelimit-remaining") == "0" {
        let reset: i64 = response.header("x-ratelimit-reset").parse().unwrap_or(0);
        return Some(((reset - date::now()) * 1000).clamp(1000, 3_600_000));
    }
    let secondary = message.to_ascii_lowercase().contains("rate limit") || response.status == 429;
    secondary.then_some(SECONDARY_WAIT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace::object;

    fn refused(status: i64, headers: Value, message: &str) -> Problem {
        let body = object! { "message": message }.to_string().into_bytes();
        check(Response { status, headers, body }).err().unwrap()
    }

    #[test]
    fn rate_limits_are_told_from_refusals() {
        let none = object! {};
        assert!(refused(403, none.clone(), "Resource not accessible by integration").is("denied"));
        let secondary = refused(403, none.clone(), "You have exceeded a secondary rate limit.");
        assert_eq!(("rate-limited", Some(60_000)), (secondary.kind.as_str(), secondary.retry_after_ms));
        let told = refused(403, object! { "Retry-After": "7" }, "");
        assert_eq!(("rate-limited", Some(7000)), (told.kind.as_str(), told.retry_after_ms));
        let reset = object! { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": (date::now() + 90).to_string() };
        let wait = refused(403, reset, "API rate limit exceeded").retry_after_ms.unwrap();
        assert!((80_000..=90_000).contains(&wait), "{wait}");
        assert_eq!(Some(60_000), refused(429, none, "").retry_after_ms);
    }

    #[test]
    fn each_refusal_has_its_kind() {
        for (status, kind) in [
            (401, "denied"),
            (404, "not-found"),
            (410, "not-found"),
            (406, "too-large"),
            (409, "conflict"),
            (422, "invalid"),
            (500, "unavailable"),
            (502, "unavailable"),
            (418, "upstream"),
        ] {
            assert_eq!(kind, refused(status, object! {}, "").kind, "{status}");
        }
        let slow = refused(500, object! {}, "Server Error: Sorry, this diff is taking too long to generate.");
        assert_eq!("too-large", slow.kind);
    }

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        for bad in ["", "..", ".", "a/b", "a?b", "a b", "é", "a%2fb"] {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name("Hello-World.js_2").is_ok());
    }
}
