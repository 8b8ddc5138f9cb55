//! From an event to what is to be done about which pull request; or why nothing is.

use crate::settings::Settings;
use crate::state;
use millrace::json;
use millrace::Value;

#[derive(Debug, Clone, PartialEq)]
pub struct PullId {
    pub owner: String,
    pub repo: String,
    pub number: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Opened, reopened, made ready, pushed to: review what was not reviewed yet.
    Changed,
    /// A person asks: review the whole, drafts too.
    Review,
    /// A person asks that these findings stay away.
    Dismiss(Vec<u32>),
    /// A run of this flow failed: say so.
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub outcome: String,
    pub message: String,
    /// A person's comment had asked for the run.
    pub was_asked: bool,
}

/// What the event asks for. The error is the sentence why it asks for nothing.
pub fn read(kind: &str, body: &[u8], settings: &Settings) -> Result<(PullId, Ask), String> {
    let payload = json::parse(body).map_err(|e| format!("the event's body is {e}"))?;
    match kind {
        "millrace.run.failed" => failed(&payload),
        "http" => Ok((named(&payload)?, Ask::Review)),
        kind if kind.ends_with(".pull_request") => changed(&payload),
        kind if kind.ends_with(".issue_comment") => commented(&payload, settings),
        kind => Err(format!("events of type `{kind}` are not reviewed")),
    }
}

fn changed(payload: &Value) -> Result<(PullId, Ask), String> {
    let action = payload["action"].text();
    if !["opened", "reopened", "ready_for_review", "synchronize"].contains(&action) {
        return Err(format!("nothing to review when a pull request is {action}"));
    }
    Ok((pull(payload, &payload["pull_request"]["number"])?, Ask::Changed))
}

fn commented(payload: &Value, settings: &Settings) -> Result<(PullId, Ask), String> {
    let comment = &payload["comment"];
    if payload["action"].text() != "created" || payload["issue"]["pull_request"].is_null() {
        return Err("not a new comment on a pull request".into());
    }
    let is_bot = |user: &Value| user["type"].text() == "Bot";
    if is_bot(&comment["user"]) || is_bot(&payload["sender"]) || state::is_ours(comment["body"].text()) {
        return Err("a bot's comment asks for nothing".into());
    }
    let Some(words) = command(comment["body"].text(), &settings.trigger_phrase) else {
        return Err("the comment does not start with the trigger phrase".into());
    };
    let association = comment["author_association"].text();
    if !settings.who_may_ask.iter().any(|who| who == association) {
        return Err(format!("a comment of association {association} may not ask (setting who_may_ask)"));
    }
    Ok((pull(payload, &payload["issue"]["number"])?, words))
}

/// `/review`, `/review dismiss 2 3`; None for `/reviewer` and anything else.
fn command(body: &str, phrase: &str) -> Option<Ask> {
    let rest = body.trim_start().strip_prefix(phrase)?;
    if phrase.is_empty() || rest.starts_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    let mut words = rest.lines().next().unwrap_or("").split(|c: char| c.is_whitespace() || c == ',');
    if words.find(|word| !word.is_empty()) != Some("dismiss") {
        return Some(Ask::Review);
    }
    Some(Ask::Dismiss(words.filter_map(|word| word.trim_matches('#').parse().ok()).collect()))
}

fn failed(payload: &Value) -> Result<(PullId, Ask), String> {
    let event = &payload["event"];
    let body = match &event["body"] {
        Value::String(text) => json::parse(text.as_bytes()).unwrap_or(Value::Null),
        body => body.clone(),
    };
    let from_body = [&body["pull_request"]["number"], &body["issue"]["number"]].map(|number| pull(&body, number));
    let from_writes = payload["writes"].items().iter().map(|write| named(&write["head"]));
    let id = from_body.into_iter().chain([named(&body)]).chain(from_writes).find_map(Result::ok);
    let id = id.ok_or("the failed run's event names no pull request")?;
    let failure = Failure {
        outcome: payload["outcome"].text().to_string(),
        message: payload["message"].text().to_string(),
        was_asked: event["type"].text().ends_with(".issue_comment"),
    };
    Ok((id, Ask::Failed(failure)))
}

fn pull(payload: &Value, number: &Value) -> Result<PullId, String> {
    let repository = &payload["repository"];
    let (owner, repo) = match repository["full_name"].text().split_once('/') {
        Some(names) => names,
        None => (repository["owner"]["login"].text(), repository["name"].text()),
    };
    id(owner, repo, number)
}

/// `{owner, repo, number}`
fn named(value: &Value) -> Result<PullId, String> {
    id(value["owner"].text(), value["repo"].text(), &value["number"])
}

fn id(owner: &str, repo: &str, number: &Value) -> Result<PullId, String> {
    match number.as_i64() {
        Some(number) if number > 0 && !owner.is_empty() && !repo.is_empty() => {
            Ok(PullId { owner: owner.to_string(), repo: repo.to_string(), number })
        }
        _ => Err("the event names no pull request (owner, repo and number)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace::object;

    fn comment(body: &str, association: &str, user: &str) -> Result<Ask, String> {
        let payload = object! {
            "action": "created",
            "issue": object! { "number": 7, "pull_request": object! { "url": "u" } },
            "comment": object! {
                "body": body,
                "author_association": association,
                "user": object! { "login": "x", "type": user },
            },
            "repository": object! { "full_name": "o/r" },
        };
        let settings = Settings::read(&Value::Null);
        read("github.issue_comment", payload.to_string().as_bytes(), &settings).map(|(_, ask)| ask)
    }

    #[test]
    fn a_comment_asks_only_with_the_phrase_from_those_who_may() {
        assert_eq!(Ok(Ask::Review), comment("/review", "OWNER", "User"));
        assert_eq!(Ok(Ask::Review), comment("/review please\nmore", "MEMBER", "User"));
        assert_eq!(Ok(Ask::Dismiss(vec![2, 3])), comment("/review dismiss 2, #3 x\n4", "COLLABORATOR", "User"));
        assert!(comment("/reviewer", "OWNER", "User").is_err());
        assert!(comment("see /review", "OWNER", "User").is_err());
        assert!(comment("/review", "CONTRIBUTOR", "User").is_err());
        assert!(comment("/review", "OWNER", "Bot").is_err());
        assert!(comment(&format!("/review\n{}", state::MARK_START), "OWNER", "User").is_err());
    }

    #[test]
    fn a_failed_run_is_found_by_its_event_or_its_writes() {
        let settings = Settings::read(&Value::Null);
        let by_event = object! { "outcome": "TimedOut", "message": "m", "event": object! {
        "type": "github.pull_request",
        "body": object! { "pull_request": object! { "number": 3 }, "repository": object! { "full_name": "o/r" } } } };
        let by_writes = object! { "outcome": "Lost", "event": object! { "type": "github.issue_comment" },
        "writes": vec![object! { "head": object! { "owner": "o", "repo": "r", "number": 3 } }] };
        for (payload, was_asked) in [(by_event, false), (by_writes, true)] {
            let (id, ask) = read("millrace.run.failed", payload.to_string().as_bytes(), &settings).unwrap();
            assert_eq!(PullId { owner: "o".into(), repo: "r".into(), number: 3 }, id);
            assert!(matches!(ask, Ask::Failed(failure) if failure.was_asked == was_asked));
        }
        assert!(read("millrace.run.failed", b"{}", &settings).is_err());
    }

    #[test]
    fn other_events_ask_for_nothing() {
        let settings = Settings::read(&Value::Null);
        assert!(read("github.push", b"{}", &settings).is_err());
        assert!(read("github.pull_request", br#"{"action":"closed"}"#, &settings).is_err());
        assert!(read("github.pull_request", b"not json", &settings).unwrap_err().contains("not JSON"));
        assert!(read("http", br#"{"owner":"o","repo":"r","number":1}"#, &settings).is_ok());
    }
}
