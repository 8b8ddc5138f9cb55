//! llama2.c's checkpoints: version 0 without a mark, 1 and 2 with one; 2 is quantized to 8 bits.

use crate::bytes::{floats, Bytes};
use crate::model::{Config, Layer, Model};
use crate::weights::{Kind, Matrix};

const MARK: u32 = 0x616B_3432;
const HEADER: u64 = 256;

pub fn load(file: Vec<u8>) -> Result<Model, String> {
    let mut bytes = Bytes::new(&file);
    let marked = bytes.u32("its header")? == MARK;
    let version = if marked { bytes.i32("its version")? } else { 0 };
    if !marked {
        bytes.at = 0;
    }
    if !(0..=2).contains(&version) {
        return Err(format!("version {version} of llama2.c's checkpoints is not known, only 0, 1 and 2"));
    }
    let (config, mut shared) = config(&mut bytes)?;
    let mut kind = Kind::F32;
    if marked {
        shared = bytes.u8("its header")? != 0;
        if version == 2 {
            let group = bytes.i32("its group size")?;
            if group <= 0 || config.dim % group as usize != 0 || config.hidden % group as usize != 0 {
                return Err(format!("groups of {group} do not divide its rows"));
            }
            kind = Kind::Q8Groups { group: group as usize, scales: 0 };
        }
        bytes.at = 0;
        bytes.take(HEADER, "its header")?;
    }
    let parts = if version == 0 { old(&mut bytes, &config, shared)? } else { new(&mut bytes, &config, shared, kind)? };
    if bytes.left() > 0 {
        return Err(format!("{} bytes too many: it is no checkpoint, or one of another shape", bytes.left()));
    }
    Ok(parts.into_model(config, file))
}

fn config(bytes: &mut Bytes) -> Result<(Config, bool), String> {
    let mut numbers = [0i32; 7];
    for number in &mut numbers {
        *number = bytes.i32("its header")?;
    }
    // Version 0 says by the sign that the classifier is not the embedding.
    let shared = numbers[5] > 0;
    let size = |index: usize| usize::try_from(numbers[index]).unwrap_or(0);
    let config = Config {
        dim: size(0),
        hidden: size(1),
        layers: size(2),
        heads: size(3),
        kv_heads: size(4),
        vocab: numbers[5].unsigned_abs() as usize,
        context: size(6),
        epsilon: 1e-5,
        theta: 10000.0,
    };
    Ok((config.check()?, shared))
}

/// Tensors in the groups that files have them in: one of each for every layer.
struct Parts {
    embedding: Matrix,
    attention_norms: Vec<Vec<f32>>,
    ffn_norms: Vec<Vec<f32>>,
    norm: Vec<f32>,
    /// Query, key, value, output, gate, down, up.
    matrices: [Vec<Matrix>; 7],
    classifier: Matrix,
}

impl Parts {
    fn into_model(self, config: Config, file: Vec<u8>) -> Model {
        let norms = self.attention_norms.into_iter().zip(self.ffn_norms);
        let layers = norms.enumerate().map(|(index, (attention_norm, ffn_norm))| Layer {
            attention_norm,
            query: self.matrices[0][index],
            key: self.matrices[1][index],
            value: self.matrices[2][index],
            output: self.matrices[3][index],
            ffn_norm,
            gate: self.matrices[4][index],
            down: self.matrices[5][index],
            up: self.matrices[6][index],
        });
        let layers = layers.collect();
        Model { file, embedding: self.embedding, layers, norm: self.norm, classifier: self.classifier, config }
    }
}

fn old(bytes: &mut Bytes, config: &Config, shared: bool) -> Result<Parts, String> {
    let shapes = shapes(config);
    let embedding = matrix(bytes, Kind::F32, config.vocab, config.dim, "the embedding")?;
    let attention_norms = vectors(bytes, config.layers, config.dim)?;
    let mut all = Vec::new();
    for (rows, columns) in &shapes[..4] {
        all.push(matrices(bytes, Kind::F32, config.layers, *rows, *columns)?);
    }
    let ffn_norms = vectors(bytes, config.layers, config.dim)?;
    for (rows, columns) in &shapes[4..] {
        all.push(matrices(bytes, Kind::F32, config.layers, *rows, *columns)?);
    }
    let norm = vector(bytes, config.dim)?;
    // Tables of the rotation, which is computed.
    bytes.take(config.context as u64 * config.head() as u64 * 4, "the tables of the rotation")?;
    let classifier =
        if shared { embedding } else { matrix(bytes, Kind::F32, config.vocab, config.dim, "the classifier")? };
    Ok(Parts { embedding, attention_norms, ffn_norms, norm, matrices: seven(all), classifier })
}

fn new(bytes: &mut Bytes, config: &Config, shared: bool, kind: Kind) -> Result<Parts, String> {
    let attention_norms = vectors(bytes, config.layers, config.dim)?;
    let ffn_norms = vectors(bytes, config.layers, config.dim)?;
    let norm = vector(bytes, config.dim)?;
    let embedding = matrix(bytes, kind, config.vocab, config.dim, "the embedding")?;
    let mut all = Vec::new();
    for (rows, columns) in shapes(config) {
        all.push(matrices(bytes, kind, config.layers, rows, columns)?);
    }
    let classifier = if shared { embedding } else { matrix(bytes, kind, config.vocab, config.dim, "the classifier")? };
    Ok(Parts { embedding, attention_norms, ffn_norms, norm, matrices: seven(all), classifier })
}

fn shapes(config: &Config) -> [(usize, usize); 7] {
    let (dim, kv, hidden) = (config.dim, config.kv_dim(), config.hidden);
    [(dim, dim), (kv, dim), (kv, dim), (dim, dim), (hidden, dim), (dim, hidden), (hidden, dim)]
}

fn seven(all: Vec<Vec<Matrix>>) -> [Vec<Matrix>; 7] {
    all.try_into().unwrap_or_else(|_| unreachable!("seven shapes give seven groups"))
}

fn matrix(bytes: &mut Bytes, kind: Kind, rows: usize, columns: usize, what: &str) -> Result<Matrix, String> {
    let elements = rows as u64 * columns as u64;
    let start = bytes.at;
    bytes.take(kind.bytes(elements).ok_or("its rows do not fill groups")?, what)?;
    let kind = match kind {
        Kind::Q8Groups { group, .. } => Kind::Q8Groups { group, scales: start + elements as usize },
        other => other,
    };
    Ok(Matrix { kind, start, rows, columns })
}

fn matrices(bytes: &mut Bytes, kind: Kind, layers: usize, rows: usize, columns: usize) -> Result<Vec<Matrix>, String> {
    (0..layers).map(|layer| matrix(bytes, kind, rows, columns, &format!("a matrix of layer {layer}"))).collect()
}

fn vector(bytes: &mut Bytes, length: usize) -> Result<Vec<f32>, String> {
    Ok(floats(bytes.take(length as u64 * 4, "a norm")?))
}

fn vectors(bytes: &mut Bytes, layers: usize, length: usize) -> Result<Vec<Vec<f32>>, String> {
    (0..layers).map(|_| vector(bytes, length)).collect()
}
