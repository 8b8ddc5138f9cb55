//! The program as a host drives it, token by token: frames over stdin and stdout instead of a story.
//!
//! A frame is a letter, a length (u32) and so many bytes; numbers are little-endian. The host asks with `P` (temperature
//! and top-p as f32, seed as u64, tokens that the context may have as u32, the prompt) and `N` (the next token); the
//! answers are `M` at the start (tokens of the context as u32), `P` (tokens of the prompt as u32), and `T` (a token's
//! bytes), `E` (the text ended) or `F` (the context is full). Where stdin ends, so does the program.

use std::io::{self, Read, Write};

use crate::model::{Model, State};
use crate::sampler::Sampler;
use crate::tokenizer::Tokenizer;

const SETTINGS: usize = 20;

struct Text {
    prompt: Vec<u32>,
    position: usize,
    token: u32,
    sampler: Sampler,
    state: State,
}

pub fn serve(mut model: Model, tokenizer: &Tokenizer) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let longest = model.config.context;
    answer(&mut output, b'M', &(longest as u32).to_le_bytes())?;
    let mut text = None;
    while let Some((kind, body)) = ask(&mut input)? {
        match (kind, &mut text) {
            (b'P', _) if body.len() >= SETTINGS => {
                // First, for there may not be room for two.
                drop(text.take());
                let context = u32::from_le_bytes(std::array::from_fn(|i| body[16 + i]));
                model.config.context = longest.min(context as usize);
                let begun = begin(&model, tokenizer, &body);
                answer(&mut output, b'P', &(begun.prompt.len() as u32).to_le_bytes())?;
                text = Some(begun);
            }
            (b'N', Some(text)) => {
                let (kind, bytes) = next(&model, tokenizer, text);
                answer(&mut output, kind, &bytes)?;
            }
            _ => return Err(io::Error::other(format!("no frame of kind {kind} is expected here"))),
        }
    }
    Ok(())
}

fn begin(model: &Model, tokenizer: &Tokenizer, body: &[u8]) -> Text {
    let (settings, prompt) = body.split_at(SETTINGS);
    let number = |at: usize| f32::from_le_bytes(std::array::from_fn(|i| settings[at + i]));
    let seed = u64::from_le_bytes(std::array::from_fn(|i| settings[8 + i]));
    let prompt = tokenizer.encode(prompt);
    let sampler = Sampler::new(number(0), number(4), seed);
    Text { position: 0, token: prompt[0], prompt, sampler, state: State::new(&model.config) }
}

fn next(model: &Model, tokenizer: &Tokenizer, text: &mut Text) -> (u8, Vec<u8>) {
    loop {
        if text.position >= model.config.context {
            return (b'F', Vec::new());
        }
        model.forward(text.token, text.position, &mut text.state);
        text.position += 1;
        if let Some(&given) = text.prompt.get(text.position) {
            text.token = given;
            continue;
        }
        let next = text.sampler.next(&mut text.state.logits);
        if tokenizer.ends(next) {
            return (b'E', Vec::new());
        }
        let bytes = tokenizer.decode(text.token, next);
        text.token = next;
        return (b'T', bytes);
    }
}

fn ask(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; 5];
    if input.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut head[1..])?;
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let mut body = Vec::new();
    input.take(length.into()).read_to_end(&mut body)?;
    match body.len() == length as usize {
        true => Ok(Some((head[0], body))),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn answer(output: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    let mut frame = vec![kind];
    frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
    frame.extend_from_slice(body);
    output.write_all(&frame)?;
    output.flush()
}
