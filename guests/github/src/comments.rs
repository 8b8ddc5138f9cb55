//! Comments of a pull request. A comment that we create ends with a hidden line that carries the operation's key, by
//! which `find_comment` knows after a crash whether it was posted.

use crate::api::{check, Repo};
use crate::pulls::user;
use millrace::integration::{done, Request};
use millrace::{object, Answer, Problem, Value};

/// A comment's longest body.
const BODY_CHARS_MAX: usize = 65_536;

pub fn list(request: &Request) -> Result<Answer, Problem> {
    let mut comments = Vec::new();
    each(request, |comment| {
        let mut out = object! {};
        for name in ["id", "author_association", "created_at", "html_url"] {
            out.set_some(name, &comment[name]);
        }
        out.set("body", comment["body"].text());
        out.set("user", user(&comment["user"]));
        comments.push(out);
        true
    })?;
    done(object! { "comments": comments })
}

fn each(request: &Request, each: impl FnMut(Value) -> bool) -> Result<(), Problem> {
    Repo::of(request)?.pages(&format!("issues/{}/comments", request.number("number")?), each)
}

pub fn create(request: &Request) -> Result<Answer, Problem> {
    let body = format!("{}\n\n{}", request.text("body")?, mark(&request.key)?);
    let path = format!("issues/{}/comments", request.number("number")?);
    write(request, "POST", &path, &body)
}

pub fn update(request: &Request) -> Result<Answer, Problem> {
    let path = format!("issues/comments/{}", request.number("id")?);
    write(request, "PATCH", &path, request.text("body")?)
}

fn write(request: &Request, method: &str, path: &str, body: &str) -> Result<Answer, Problem> {
    let length = body.chars().count();
    if length > BODY_CHARS_MAX {
        return Err(Problem::new(
            "too-large",
            format!("the comment has {length} of at most {BODY_CHARS_MAX} characters"),
        ));
    }
    let sent = Repo::of(request)?.request(method, path, "application/vnd.github+json").json(&object! { "body": body });
    done(reference(&check(sent.send()?)?.json()?))
}

fn reference(comment: &Value) -> Value {
    object! { "id": &comment["id"], "html_url": &comment["html_url"] }
}

/// Looks for the effect of `create_comment` with this request's key.
pub fn find(request: &Request) -> Result<Answer, Problem> {
    let mark = mark(&request.key)?;
    let mut found = Value::Null;
    each(request, |comment| {
        if comment["body"].text().lines().any(|line| line.trim() == mark) {
            found = reference(&comment);
        }
        found.is_null()
    })?;
    done(object! { "found": found })
}

fn mark(key: &str) -> Result<String, Problem> {
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b)) || key.contains("--") {
        return Err(Problem::new("invalid", "the operation's key is missing or cannot stand in a hidden mark"));
    }
    Ok(format!("<!-- millrace:{key} -->"))
}
