//! Pull requests: the object, its commits and files, comparisons, the patch.

use crate::api::{check, has_next, Repo, PAGE};
use millrace::http::encode;
use millrace::integration::{done, Request};
use millrace::{object, Answer, Problem, Value};

/// GitHub lists at most so many files of a pull request, commits of a pull request, files of a comparison.
const FILES_MAX: usize = 3000;
const COMMITS_MAX: usize = 250;
const COMPARED_FILES_MAX: usize = 300;

/// Patch text handed on in one list; 3,000 files of 100 KiB would not fit a guest's memory.
const PATCHES_BYTES_MAX: usize = 8 << 20;

pub fn get(request: &Request) -> Result<Answer, Problem> {
    let repo = Repo::of(request)?;
    let pull = repo.get(&format!("pulls/{}", request.number("number")?))?.json()?;
    done(subset(&pull))
}

/// The part of GitHub's object that our schema names. A deleted fork is `head.repo: null`.
fn subset(pull: &Value) -> Value {
    let side = |side: &Value| {
        let repo = match side["repo"].is_null() {
            true => Value::Null,
            false => object! { "full_name": &side["repo"]["full_name"] },
        };
        object! { "sha": &side["sha"], "ref": &side["ref"], "repo": repo }
    };
    let mut out = object! {};
    for name in ["number", "title", "body", "state", "changed_files", "additions", "deletions", "commits", "html_url"] {
        out.set(name, &pull[name]);
    }
    out.set("draft", pull["draft"].as_bool().unwrap_or(false));
    out.set("user", user(&pull["user"]));
    out.set("head", side(&pull["head"]));
    out.set("base", side(&pull["base"]));
    out
}

/// A user, or null where the account is gone.
pub fn user(user: &Value) -> Value {
    match user.is_null() {
        true => Value::Null,
        false => object! { "login": &user["login"], "type": &user["type"] },
    }
}

pub fn list_commits(request: &Request) -> Result<Answer, Problem> {
    let repo = Repo::of(request)?;
    let mut commits = Vec::new();
    repo.pages(&format!("pulls/{}/commits", request.number("number")?), |commit| {
        commits.push(short_commit(&commit));
        commits.len() < COMMITS_MAX
    })?;
    let truncated = commits.len() >= COMMITS_MAX;
    done(object! { "commits": commits, "truncated": truncated })
}

/// A commit's author is a user where GitHub knows one, else the name in the commit.
fn short_commit(commit: &Value) -> Value {
    let author = match commit["author"]["login"].is_null() {
        true => &commit["commit"]["author"]["name"],
        false => &commit["author"]["login"],
    };
    object! { "sha": &commit["sha"], "message": &commit["commit"]["message"], "author": author }
}

pub fn list_files(request: &Request) -> Result<Answer, Problem> {
    let repo = Repo::of(request)?;
    let mut files = Files::default();
    repo.pages(&format!("pulls/{}/files", request.number("number")?), |file| {
        files.push(&file);
        files.list.len() < FILES_MAX
    })?;
    let truncated = files.list.len() >= FILES_MAX;
    done(object! { "files": files.list, "truncated": truncated, "patches_left_out": files.left_out })
}

#[derive(Default)]
struct Files {
    list: Vec<Value>,
    patch_bytes: usize,
    left_out: usize,
}

impl Files {
    fn push(&mut self, file: &Value) {
        let mut out = object! {};
        for name in ["filename", "previous_filename", "status", "additions", "deletions", "changes"] {
            out.set_some(name, &file[name]);
        }
        if let Some(patch) = file["patch"].as_str() {
            if self.patch_bytes + patch.len() <= PATCHES_BYTES_MAX {
                self.patch_bytes += patch.len();
                out.set("patch", patch);
            } else {
                self.left_out += 1;
            }
        }
        self.list.push(out);
    }
}

pub fn compare(request: &Request) -> Result<Answer, Problem> {
    let repo = Repo::of(request)?;
    let path = format!("compare/{}", range(request)?);
    let (mut first, mut files, mut commits) = (Value::Null, Files::default(), Vec::new());
    for page in 1.. {
        let response = repo.get(&format!("{path}?per_page={PAGE}&page={page}"))?;
        let answer = response.json()?;
        let part = answer["commits"].items();
        commits.extend(part.iter().map(short_commit));
        let more = has_next(&response, part.len() >= PAGE) && commits.len() < COMMITS_MAX;
        if page == 1 {
            // Only the first page names the files.
            answer["files"].items().iter().for_each(|file| files.push(file));
            first = answer;
        }
        if !more {
            break;
        }
    }
    let total = first["total_commits"].as_i64().unwrap_or(0);
    done(object! {
        "status": &first["status"],
        "ahead_by": &first["ahead_by"],
        "behind_by": &first["behind_by"],
        "merge_base": &first["merge_base_commit"]["sha"],
        "files_truncated": files.list.len() >= COMPARED_FILES_MAX,
        "files": files.list,
        "commits_truncated": (commits.len() as i64) < total,
        "commits": commits,
    })
}

fn range(request: &Request) -> Result<String, Problem> {
    Ok(format!("{}...{}", encode(request.text("base")?), encode(request.text("head")?)))
}

/// The raw diff, of a pull request or between two commits. It need not be UTF-8, so it is the body.
pub fn get_patch(request: &Request) -> Result<Answer, Problem> {
    let repo = Repo::of(request)?;
    let path = match request.head["number"].is_null() {
        false => format!("pulls/{}", request.number("number")?),
        true => format!("compare/{}", range(request)?),
    };
    let response = check(repo.request("GET", &path, "application/vnd.github.diff").send()?)?;
    Ok(Answer { head: object! {}, body: response.body })
}
