//! The code-review function: a pull request arrives as an event, a review stands in one comment on it.

mod answer;
mod ask;
mod change;
mod claims;
mod failure;
mod findings;
mod prompt;
mod pull;
mod reading;
mod render;
mod report;
mod review;
mod settings;
mod state;
mod text;

use ask::Ask;
use millrace::{event, Event};
use review::{Failed, Outcome};
use settings::Settings;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let started = Instant::now();
    match run(started) {
        Ok(Outcome::Reviewed(document)) => {
            println!("{document}");
            ExitCode::SUCCESS
        }
        Ok(Outcome::Nothing(why)) => {
            eprintln!("{}", rules::mask_secrets(&why));
            ExitCode::SUCCESS
        }
        Err(failed) => {
            eprintln!("{}", rules::mask_secrets(&failed.sentence));
            ExitCode::FAILURE
        }
    }
}

fn run(started: Instant) -> Result<Outcome, Failed> {
    let settings = Settings::read(&event::settings());
    let body = event::body().map_err(|e| Failed { sentence: format!("the event could not be read: {e}") })?;
    match ask::read(Event::read().kind(), &body, &settings) {
        Err(why) => Ok(Outcome::Nothing(why)),
        Ok((id, Ask::Failed(failed))) => failure::mend(&id, &failed, &settings),
        Ok((id, ask)) => review::run(&id, ask, &settings, started),
    }
}
