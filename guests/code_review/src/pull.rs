//! The pull request at the door: what it is, its comments, its patch, what a push added.

use crate::ask::PullId;
use crate::state;
use millrace::{call, object, Answer, Call, Problem, Value};
use rules::diff::{self, Diff, File, Status};

/// The part of a pull request that a review speaks of.
pub struct Pull {
    pub id: PullId,
    pub title: String,
    pub body: String,
    pub is_open: bool,
    pub is_draft: bool,
    pub head: String,
    pub changed_files: usize,
}

/// A comment that carries our mark.
pub struct OwnComment {
    pub id: i64,
    pub body: String,
}

/// The change under review.
pub struct Patch {
    pub diff: Diff,
    /// Taken from the list of files, as the change is too large for one diff.
    pub is_listed: bool,
    /// Files whose text GitHub does not give.
    pub without_text: Vec<String>,
}

impl PullId {
    /// The head of an operation on this pull request, to be added to.
    fn head(&self) -> Value {
        object! { "owner": self.owner.as_str(), "repo": self.repo.as_str(), "number": self.number }
    }

    fn repo_head(&self) -> Value {
        object! { "owner": self.owner.as_str(), "repo": self.repo.as_str() }
    }

    pub fn get(&self) -> Result<Pull, Problem> {
        let pull = call("github.get_pull_request", &self.head(), &[])?.head;
        Ok(Pull {
            id: self.clone(),
            title: pull["title"].text().to_string(),
            body: pull["body"].text().to_string(),
            is_open: pull["state"].text() == "open",
            is_draft: pull["draft"].as_bool().unwrap_or(false),
            head: pull["head"]["sha"].text().to_string(),
            changed_files: pull["changed_files"].as_i64().unwrap_or(0).max(0) as usize,
        })
    }

    /// Our comment: the one that we remember, else the oldest with our mark. The mark counts only from those who could
    /// change our comment anyway: a stranger who writes it into a comment must not feed us a state.
    pub fn own_comment(&self, remembered: Option<i64>) -> Result<Option<OwnComment>, Problem> {
        let comments = call("github.list_comments", &self.head(), &[])?.head;
        let is_ours = |comment: &&Value| {
            let trusted = comment["user"]["type"].text() == "Bot"
                || ["OWNER", "MEMBER", "COLLABORATOR"].contains(&comment["author_association"].text());
            trusted && state::is_ours(comment["body"].text())
        };
        let comments = comments["comments"].items();
        let found = comments
            .iter()
            .find(|comment| remembered.is_some() && comment["id"].as_i64() == remembered)
            .or_else(|| comments.iter().find(is_ours));
        Ok(found.and_then(|comment| {
            Some(OwnComment { id: comment["id"].as_i64()?, body: comment["body"].text().to_string() })
        }))
    }

    /// Writes our comment: over the old one, or anew where there is none (any more).
    pub fn write_comment(&self, id: Option<i64>, body: &str) -> Result<i64, Problem> {
        if let Some(id) = id {
            let mut head = self.repo_head();
            head.set("id", id);
            head.set("body", body);
            match call("github.update_comment", &head, &[]) {
                Ok(_) => return Ok(id),
                Err(gone) if gone.is("not-found") => {}
                Err(other) => return Err(other),
            }
        }
        let mut head = self.head();
        head.set("body", body);
        let answer = call("github.create_comment", &head, &[])?;
        answer.head["id"].as_i64().ok_or_else(|| Problem::new("upstream", "the new comment has no id"))
    }

    /// The commits, `sha`, `message` and `author` of each. Asked for while the patch is on its way.
    pub fn start_commits(&self) -> Call {
        Call::start("github.list_commits", &self.head(), &[])
    }

    /// The whole change. Where it is too large for one diff, the list of files gives the texts that it has.
    pub fn patch(&self) -> Result<Patch, Problem> {
        match call("github.get_patch", &self.head(), &[]) {
            Ok(Answer { body, .. }) => {
                Ok(Patch { diff: diff::parse(&body), is_listed: false, without_text: Vec::new() })
            }
            Err(problem) if problem.is("too-large") => self.listed(),
            Err(problem) => Err(problem),
        }
    }

    fn listed(&self) -> Result<Patch, Problem> {
        let answer = call("github.list_files", &self.head(), &[])?.head;
        let mut patch = Patch { diff: Diff::default(), is_listed: true, without_text: Vec::new() };
        for file in answer["files"].items() {
            let read = listed_file(file);
            if read.hunks.is_empty() && file["changes"].as_i64().unwrap_or(0) > 0 {
                patch.without_text.push(read.path().to_string());
            }
            patch.diff.files.push(read);
        }
        Ok(patch)
    }

    /// What was added since a head that was reviewed before; None when history was rewritten, so that the whole counts.
    pub fn since(&self, old: &str, new: &str) -> Result<Option<Vec<File>>, Problem> {
        let mut head = self.repo_head();
        head.set("base", old);
        head.set("head", new);
        let answer = match call("github.compare", &head, &[]) {
            Ok(answer) => answer.head,
            Err(gone) if ["not-found", "too-large", "invalid"].contains(&gone.kind.as_str()) => return Ok(None),
            Err(problem) => return Err(problem),
        };
        let status = answer["status"].text();
        if !["ahead", "identical"].contains(&status) || answer["files_truncated"].as_bool() == Some(true) {
            return Ok(None);
        }
        Ok(Some(answer["files"].items().iter().map(listed_file).collect()))
    }
}

fn listed_file(file: &Value) -> File {
    let path = file["filename"].text();
    let previous = file["previous_filename"].as_str();
    let (old, new, status) = match file["status"].text() {
        "added" => (None, Some(path), Status::Added),
        "removed" => (Some(path), None, Status::Deleted),
        "renamed" => (previous, Some(path), Status::Renamed),
        "copied" => (previous, Some(path), Status::Copied),
        _ => (Some(path), Some(path), Status::Modified),
    };
    File::from_patch(old, new, status, file["patch"].text().as_bytes())
}
