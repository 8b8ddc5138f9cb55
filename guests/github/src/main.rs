//! GitHub's REST API as operations (integration.yaml): pull requests, their patches, files, commits and comments.

mod api;
mod comments;
mod pulls;

use millrace::integration::{self, Request};
use millrace::{Answer, Problem};

fn main() {
    integration::serve(answer)
}

fn answer(request: &Request) -> Result<Answer, Problem> {
    match request.operation.as_str() {
        "get_pull_request" => pulls::get(request),
        "list_commits" => pulls::list_commits(request),
        "list_files" => pulls::list_files(request),
        "compare" => pulls::compare(request),
        "get_patch" => pulls::get_patch(request),
        "list_comments" => comments::list(request),
        "create_comment" => comments::create(request),
        "update_comment" => comments::update(request),
        "find_comment" => comments::find(request),
        name => Err(Problem::new("unknown-operation", format!("github has no operation `{name}`"))),
    }
}
