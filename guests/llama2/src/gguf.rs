//! GGUF files of Llama's architecture, in single or half precision or Q8_0; their tokenizer is in them.

use std::collections::HashMap;

use crate::bytes::{floats, Bytes};
use crate::lanes::half;
use crate::model::{Config, Layer, Model};
use crate::tokenizer::Tokenizer;
use crate::weights::{Kind, Matrix};

enum Value {
    Number(f64),
    Text(Vec<u8>),
    Numbers(Vec<f64>),
    Texts(Vec<Vec<u8>>),
}

struct Tensor {
    sizes: Vec<u64>,
    kind: u32,
    offset: u64,
}

struct Gguf {
    values: HashMap<String, Value>,
    tensors: HashMap<String, Tensor>,
    start: u64,
}

pub fn load(file: Vec<u8>) -> Result<(Model, Tokenizer), String> {
    let gguf = read(&file)?;
    gguf.check()?;
    let config = gguf.config()?;
    let tokenizer = gguf.tokenizer(config.vocab)?;
    let (dim, hidden, kv, vocab) = (config.dim, config.hidden, config.kv_dim(), config.vocab);
    let embedding = gguf.matrix(&file, "token_embd.weight", vocab, dim)?;
    let classifier = match gguf.tensors.contains_key("output.weight") {
        true => gguf.matrix(&file, "output.weight", vocab, dim)?,
        false => embedding,
    };
    let norm = gguf.vector(&file, "output_norm.weight", dim)?;
    let mut layers = Vec::new();
    for index in 0..config.layers {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        layers.push(Layer {
            attention_norm: gguf.vector(&file, &name("attn_norm"), dim)?,
            query: gguf.matrix(&file, &name("attn_q"), dim, dim)?,
            key: gguf.matrix(&file, &name("attn_k"), kv, dim)?,
            value: gguf.matrix(&file, &name("attn_v"), kv, dim)?,
            output: gguf.matrix(&file, &name("attn_output"), dim, dim)?,
            ffn_norm: gguf.vector(&file, &name("ffn_norm"), dim)?,
            gate: gguf.matrix(&file, &name("ffn_gate"), hidden, dim)?,
            down: gguf.matrix(&file, &name("ffn_down"), dim, hidden)?,
            up: gguf.matrix(&file, &name("ffn_up"), hidden, dim)?,
        });
    }
    Ok((Model { file, config, embedding, layers, norm, classifier }, tokenizer))
}

fn read(file: &[u8]) -> Result<Gguf, String> {
    let mut bytes = Bytes::new(file);
    bytes.take(4, "its mark")?;
    let version = bytes.u32("its version")?;
    if version != 2 && version != 3 {
        return Err(format!("version {version} of GGUF is not known, only 2 and 3"));
    }
    let (tensors, values) = (bytes.u64("its header")?, bytes.u64("its header")?);
    let mut gguf = Gguf { values: HashMap::new(), tensors: HashMap::new(), start: 0 };
    for _ in 0..values {
        let name = text(&mut bytes)?;
        let kind = bytes.u32("a value's type")?;
        let value = value(&mut bytes, kind)?;
        gguf.values.insert(String::from_utf8_lossy(&name).into_owned(), value);
    }
    for _ in 0..tensors {
        let name = String::from_utf8_lossy(&text(&mut bytes)?).into_owned();
        let count = bytes.u32("a tensor's axes")?;
        if count > 4 {
            return Err(format!("the tensor {name} has {count} axes"));
        }
        let sizes = (0..count).map(|_| bytes.u64("a tensor's sizes")).collect::<Result<_, _>>()?;
        let (kind, offset) = (bytes.u32("a tensor's type")?, bytes.u64("a tensor's place")?);
        gguf.tensors.insert(name, Tensor { sizes, kind, offset });
    }
    let alignment = gguf.number("general.alignment").unwrap_or(32.0) as u64;
    if !alignment.is_power_of_two() {
        return Err(format!("its alignment of {alignment} is no power of two"));
    }
    gguf.start = (bytes.at as u64).next_multiple_of(alignment);
    Ok(gguf)
}

fn text(bytes: &mut Bytes) -> Result<Vec<u8>, String> {
    let length = bytes.u64("a text's length")?;
    Ok(bytes.take(length, "a text")?.to_vec())
}

fn value(bytes: &mut Bytes, kind: u32) -> Result<Value, String> {
    if kind == 8 {
        return Ok(Value::Text(text(bytes)?));
    }
    if kind != 9 {
        return Ok(Value::Number(number(bytes, kind)?));
    }
    let (kind, count) = (bytes.u32("an array's type")?, bytes.u64("an array's length")?);
    // Every element has at least a byte, so that no length asks for more than the file has.
    if count > bytes.left() as u64 {
        return Err(format!("cut off at byte {}: an array of {count} elements", bytes.at));
    }
    match kind {
        8 => Ok(Value::Texts((0..count).map(|_| text(bytes)).collect::<Result<_, _>>()?)),
        9 => Err("an array of arrays, which no key of this architecture has".into()),
        _ => Ok(Value::Numbers((0..count).map(|_| number(bytes, kind)).collect::<Result<_, _>>()?)),
    }
}

fn number(bytes: &mut Bytes, kind: u32) -> Result<f64, String> {
    let what = "a value";
    let mut bits = |count: u64| -> Result<u64, String> {
        Ok(bytes.take(count, what)?.iter().rev().fold(0, |all, byte| all << 8 | *byte as u64))
    };
    Ok(match kind {
        0 | 7 => bits(1)? as f64,
        1 => bits(1)? as i8 as f64,
        2 => bits(2)? as f64,
        3 => bits(2)? as i16 as f64,
        4 => bits(4)? as f64,
        5 => bits(4)? as i32 as f64,
        6 => f32::from_bits(bits(4)? as u32) as f64,
        10 => bits(8)? as f64,
        11 => bits(8)? as i64 as f64,
        12 => f64::from_bits(bits(8)?),
        _ => return Err(format!("a value of the unknown type {kind}")),
    })
}

impl Gguf {
    fn number(&self, name: &str) -> Option<f64> {
        match self.values.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> &[u8] {
        match self.values.get(name) {
            Some(Value::Text(text)) => text,
            _ => b"",
        }
    }

    fn needed(&self, name: &str) -> Result<usize, String> {
        self.number(name).map(|number| number as usize).ok_or(format!("{name} is missing"))
    }

    fn check(&self) -> Result<(), String> {
        let architecture = String::from_utf8_lossy(self.text("general.architecture"));
        if architecture != "llama" {
            return Err(format!("its architecture is {architecture}, and only llama is supported"));
        }
        let scaling = String::from_utf8_lossy(self.text("llama.rope.scaling.type"));
        if !scaling.is_empty() && scaling != "none" {
            return Err(format!("its rotation is scaled ({scaling}), which is not supported"));
        }
        for name in self.tensors.keys() {
            let is_known = name.ends_with("norm.weight")
                || ["attn_q.", "attn_k.", "attn_v.", "attn_output.", "ffn_gate.", "ffn_down.", "ffn_up."]
                    .iter()
                    .any(|part| name.contains(part) && name.ends_with(".weight"))
                || name == "token_embd.weight"
                || name == "output.weight";
            if !is_known {
                return Err(format!("the tensor {name} is of a kind that is not supported"));
            }
        }
        Ok(())
    }

    fn config(&self) -> Result<Config, String> {
        let heads = self.needed("llama.attention.head_count")?;
        let Some(Value::Texts(tokens)) = self.values.get("tokenizer.ggml.tokens") else {
            return Err("tokenizer.ggml.tokens is missing".into());
        };
        let config = Config {
            dim: self.needed("llama.embedding_length")?,
            hidden: self.needed("llama.feed_forward_length")?,
            layers: self.needed("llama.block_count")?,
            heads,
            kv_heads: self.number("llama.attention.head_count_kv").map_or(heads, |number| number as usize),
            vocab: tokens.len(),
            context: self.needed("llama.context_length")?,
            epsilon: self.number("llama.attention.layer_norm_rms_epsilon").unwrap_or(1e-5) as f32,
            theta: self.number("llama.rope.freq_base").unwrap_or(10000.0) as f32,
        }
        .check()?;
        let turned = self.number("llama.rope.dimension_count").map_or(config.head(), |number| number as usize);
        if turned != config.head() {
            return Err(format!("only {turned} of its {} dimensions a head are rotated, which is not supported", config.head()));
        }
        Ok(config)
    }

    fn tokenizer(&self, vocab: usize) -> Result<Tokenizer, String> {
        let model = String::from_utf8_lossy(self.text("tokenizer.ggml.model"));
        if model != "llama" {
            return Err(format!("its tokenizer is {model}, and only SentencePiece's (llama) is supported"));
        }
        let (Some(Value::Texts(tokens)), Some(Value::Numbers(scores))) =
            (self.values.get("tokenizer.ggml.tokens"), self.values.get("tokenizer.ggml.scores"))
        else {
            return Err("its tokenizer has no tokens or no scores".into());
        };
        if scores.len() != vocab {
            return Err(format!("its tokenizer has {vocab} tokens and {} scores", scores.len()));
        }
        // Files write a space as U+2581.
        let pieces = tokens.iter().map(|token| match std::str::from_utf8(token) {
            Ok(text) => text.replace('\u{2581}', " ").into_bytes(),
            Err(_) => token.clone(),
        });
        let token = |name: &str, otherwise: u32| self.number(name).map_or(otherwise, |number| number as u32);
        let begin = token("tokenizer.ggml.bos_token_id", 1);
        if begin as usize >= vocab {
            return Err(format!("its first token {begin} is none of its {vocab}"));
        }
        let end = token("tokenizer.ggml.eos_token_id", 2);
        let prefix = self.number("tokenizer.ggml.add_space_prefix").map_or(true, |flag| flag != 0.0);
        Ok(Tokenizer::new(pieces.collect(), scores.iter().map(|score| *score as f32).collect(), begin, end, prefix))
    }

    fn find(&self, file: &[u8], name: &str, elements: u64) -> Result<(Kind, usize), String> {
        let tensor = self.tensors.get(name).ok_or(format!("the tensor {name} is missing"))?;
        let kind = match tensor.kind {
            0 => Kind::F32,
            1 => Kind::F16,
            8 => Kind::Q8Blocks,
            other => return Err(format!("the tensor {name} is of type {other}; F32, F16 and Q8_0 are supported")),
        };
        let bytes = kind.bytes(elements).ok_or(format!("the tensor {name} does not fill its blocks"))?;
        let start = self.start.checked_add(tensor.offset).filter(|start| {
            start.checked_add(bytes).is_some_and(|end| end <= file.len() as u64)
        });
        let start = start.ok_or(format!("cut off: the tensor {name} lies behind the end of the file"))?;
        Ok((kind, start as usize))
    }

    fn matrix(&self, file: &[u8], name: &str, rows: usize, columns: usize) -> Result<Matrix, String> {
        let (kind, start) = self.find(file, name, rows as u64 * columns as u64)?;
        if self.tensors[name].sizes != [columns as u64, rows as u64] {
            return Err(format!("the tensor {name} is of {:?}, not of [{columns}, {rows}]", self.tensors[name].sizes));
        }
        if kind == Kind::Q8Blocks && columns % crate::weights::BLOCK != 0 {
            return Err(format!("the rows of {name} do not fill their blocks"));
        }
        Ok(Matrix { kind, start, rows, columns })
    }

    fn vector(&self, file: &[u8], name: &str, length: usize) -> Result<Vec<f32>, String> {
        let (kind, start) = self.find(file, name, length as u64)?;
        if self.tensors[name].sizes != [length as u64] {
            return Err(format!("the tensor {name} is of {:?}, not of [{length}]", self.tensors[name].sizes));
        }
        match kind {
            Kind::F32 => Ok(floats(&file[start..start + length * 4])),
            Kind::F16 => {
                let halves = file[start..start + length * 2].chunks_exact(2);
                Ok(halves.map(|two| half(u16::from_le_bytes([two[0], two[1]]))).collect())
            }
            _ => Err(format!("the norm {name} is quantized, which is not supported")),
        }
    }
}
