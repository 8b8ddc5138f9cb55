//! After a run of this flow failed (`on_failure`): what hangs on the pull request becomes one clear sentence.

use crate::ask::{Failure, PullId};
use crate::render;
use crate::review::{key, Failed, Outcome};
use crate::settings::Settings;
use crate::state::{with_status, Memory, Phase, State};
use crate::text::{cut, one_line};
use rules::mask_secrets;

pub fn mend(id: &PullId, failure: &Failure, settings: &Settings) -> Result<Outcome, Failed> {
    // Without the memory the comment is found by its mark.
    let remembered = Memory::load(&key(id)).ok().flatten().map(|memory| memory.comment);
    let comment = id.own_comment(remembered)?;
    let line = render::failure(&sentence(failure), &settings.trigger_phrase);
    let (body, what) = match &comment {
        Some(comment) => {
            let mut state = State::of_comment(&comment.body);
            let says_so = state.phase == Phase::Failed;
            if says_so || (state.phase == Phase::Done && state.head == id.get()?.head) {
                return Ok(Outcome::Nothing("the comment says already how it ended".into()));
            }
            state.phase = Phase::Failed;
            match state.head.is_empty() {
                true => (render::failed_comment(&line, &state), "the placeholder says what happened"),
                false => {
                    (with_status(&comment.body, &line, &state), "the earlier review says what happened to the new one")
                }
            }
        }
        None if failure.was_asked => {
            let state = State { phase: Phase::Failed, ..State::new() };
            (render::failed_comment(&line, &state), "who asked is told what happened")
        }
        // Nothing hangs there, and nobody waits for an answer.
        None => return Ok(Outcome::Nothing("nothing stood on the pull request yet".into())),
    };
    id.write_comment(comment.map(|comment| comment.id), &body)?;
    Ok(Outcome::Nothing(what.into()))
}

/// What happened, for a person who knows nothing of runs.
fn sentence(failure: &Failure) -> String {
    let letters: String = failure.outcome.chars().filter(char::is_ascii_alphabetic).collect();
    let what = match letters.to_ascii_lowercase().as_str() {
        "timedout" => "took longer than its limit and was stopped",
        "overbudget" => "was stopped because its budget is used up",
        "outofmemory" => "needed more memory than its limit and was stopped",
        "outoffuel" => "needed more computing than its limit and was stopped",
        "cancelled" => "was cancelled",
        "lost" => "was interrupted too often to go on",
        "diverged" => "could not be resumed after an interruption",
        "trapped" => "crashed",
        _ => "failed",
    };
    let message = cut(&one_line(&mask_secrets(&failure.message)), 300);
    match message.is_empty() {
        true => format!("The review {what}."),
        false => format!("The review {what} ({}).", message.trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_a_sentence() {
        let said = |outcome: &str, message: &str| {
            sentence(&Failure { outcome: outcome.into(), message: message.into(), was_asked: false })
        };
        assert_eq!(
            "The review took longer than its limit and was stopped (10 minutes).",
            said("timed-out", "10 minutes.")
        );
        assert_eq!("The review crashed.", said("Trapped", ""));
        assert_eq!("The review failed (exit code 3).", said("Failed", "exit code 3"));
    }
}
