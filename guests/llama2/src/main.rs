//! Llama 2 in WebAssembly and nothing else: llama2.c's checkpoints and GGUF files of Llama's architecture.
//!
//!     millrace run --dir models llama2.wasm models/stories260K.bin -z models/tok512.bin -t 0 -n 200 -i "Once"

mod bytes;
mod checkpoint;
mod frames;
mod gguf;
mod kernels;
mod lanes;
mod merging;
mod model;
mod sampler;
mod tokenizer;
mod weights;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use model::{Model, State};
use sampler::Sampler;
use tokenizer::Tokenizer;

const USAGE: &str = "usage: llama2 MODEL [-t temperature] [-p top-p] [-s seed] [-n tokens] [-i prompt] [-z tokenizer]
       llama2 MODEL --frames [-z tokenizer]";

struct Options {
    model: String,
    tokenizer: Option<String>,
    prompt: String,
    steps: usize,
    temperature: f32,
    top_p: f32,
    seed: Option<u64>,
    frames: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("llama2: {fault}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("llama2: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let model = words.next().filter(|word| !word.starts_with('-')).ok_or("which model?")?;
    let mut options = Options {
        model,
        tokenizer: None,
        prompt: String::new(),
        steps: 256,
        temperature: 1.0,
        top_p: 0.9,
        seed: None,
        frames: false,
    };
    while let Some(word) = words.next() {
        if word == "--frames" {
            options.frames = true;
            continue;
        }
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let wrong = || format!("{word} does not take {value}");
        match word.as_str() {
            "-t" => options.temperature = value.parse().ok().filter(|t| *t >= 0.0).ok_or_else(wrong)?,
            "-p" => options.top_p = value.parse().ok().filter(|p| (0.0..=1.0).contains(p)).ok_or_else(wrong)?,
            "-s" => options.seed = Some(value.parse().map_err(|_| wrong())?),
            "-n" => options.steps = value.parse().map_err(|_| wrong())?,
            "-i" => options.prompt = value,
            "-z" => options.tokenizer = Some(value),
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    let file = read(&options.model)?;
    let (model, tokenizer) = load(options, file).map_err(|fault| format!("{}: {fault}", options.model))?;
    if options.frames {
        return frames::serve(model, &tokenizer).map_err(|fault| fault.to_string());
    }
    let seed = options.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |time| time.as_nanos() as u64)
    });
    let mut sampler = Sampler::new(options.temperature, options.top_p, seed);
    generate(&model, &tokenizer, &mut sampler, options).map_err(|fault| fault.to_string())
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    // WASI's word for a path that leads into no folder of the program's.
    const NOT_CAPABLE: i32 = 76;
    std::fs::read(path).map_err(|fault| match fault.raw_os_error() {
        Some(NOT_CAPABLE) => format!("{path} cannot be read: it is in no folder that was granted (millrace run --dir FOLDER)"),
        _ => format!("{path} cannot be read: {fault}"),
    })
}

fn load(options: &Options, file: Vec<u8>) -> Result<(Model, Tokenizer), String> {
    if file.starts_with(b"GGUF") {
        return gguf::load(file);
    }
    let model = checkpoint::load(file)?;
    // llama2.c looks for this name, too.
    let beside = || Path::new(&options.model).with_file_name("tokenizer.bin").to_string_lossy().into_owned();
    let path = options.tokenizer.clone().unwrap_or_else(beside);
    let tokens = read(&path).map_err(|fault| format!("{fault} (name the checkpoint's tokenizer with -z)"))?;
    let tokenizer = Tokenizer::read(&tokens, model.config.vocab).map_err(|fault| format!("{path}: {fault}"))?;
    Ok((model, tokenizer))
}

fn generate(model: &Model, tokenizer: &Tokenizer, sampler: &mut Sampler, options: &Options) -> io::Result<()> {
    let context = model.config.context;
    let steps = if options.steps == 0 { context } else { options.steps.min(context) };
    let prompt = tokenizer.encode(options.prompt.as_bytes());
    if prompt.len() > context {
        let text = format!("the prompt has {} tokens and the context holds {context}", prompt.len());
        return Err(io::Error::other(text));
    }
    let mut state = State::new(&model.config);
    let mut out = io::stdout().lock();
    let (mut token, mut position, mut end) = (prompt[0], 0, "length");
    let mut first = None;
    while position < steps {
        model.forward(token, position, &mut state);
        let next = match prompt.get(position + 1) {
            Some(&given) => given,
            None => sampler.next(&mut state.logits),
        };
        position += 1;
        first.get_or_insert_with(Instant::now);
        if tokenizer.ends(next) {
            end = "end";
            break;
        }
        out.write_all(&tokenizer.decode(token, next))?;
        out.flush()?;
        token = next;
    }
    writeln!(out)?;
    let seconds = first.map_or(0.0, |from| from.elapsed().as_secs_f64());
    let rate = if seconds > 0.0 { (position.max(1) - 1) as f64 / seconds } else { 0.0 };
    let ids: Vec<String> = prompt.iter().take(8).map(u32::to_string).collect();
    eprintln!("prompt {} tokens ({}), {end} at {position}, {rate:.1} tokens/s", prompt.len(), ids.join(" "));
    Ok(())
}
