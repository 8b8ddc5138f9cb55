//! The network: what it is made of, and one step of it.

use crate::kernels::{self, Element, Real};
use crate::weights::{Activations, Matrix};

pub struct Config {
    pub dim: usize,
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub vocab: usize,
    pub context: usize,
    pub epsilon: f32,
    pub theta: f32,
}

impl Config {
    pub fn head(&self) -> usize {
        self.dim / self.heads
    }

    pub fn kv_dim(&self) -> usize {
        self.head() * self.kv_heads
    }

    /// Refuses sizes that make no network, or none that fits into memory.
    pub fn check(self) -> Result<Self, String> {
        const MOST: usize = 1 << 20;
        let sizes = [
            ("dimension", self.dim),
            ("hidden dimension", self.hidden),
            ("number of layers", self.layers),
            ("number of heads", self.heads),
            ("number of key-value heads", self.kv_heads),
            ("vocabulary", self.vocab),
            ("context", self.context),
        ];
        for (name, size) in sizes {
            if size == 0 || size > MOST {
                return Err(format!("its {name} of {size} is out of range: the file is damaged or no such model"));
            }
        }
        if self.dim % self.heads != 0 || self.heads % self.kv_heads != 0 || self.head() % 2 != 0 {
            let (dim, heads, kv) = (self.dim, self.heads, self.kv_heads);
            return Err(format!("its dimension {dim}, {heads} heads and {kv} key-value heads do not divide each other"));
        }
        let cache = self.layers as u64 * self.context as u64 * self.kv_dim() as u64 * 8;
        if cache > 3 << 30 {
            return Err(format!("its context of {} needs {} MiB, more than fits", self.context, cache >> 20));
        }
        Ok(self)
    }
}

pub struct Layer {
    pub attention_norm: Vec<f32>,
    pub query: Matrix,
    pub key: Matrix,
    pub value: Matrix,
    pub output: Matrix,
    pub ffn_norm: Vec<f32>,
    pub gate: Matrix,
    pub down: Matrix,
    pub up: Matrix,
}

pub struct Model {
    pub file: Vec<u8>,
    pub config: Config,
    pub embedding: Matrix,
    pub layers: Vec<Layer>,
    pub norm: Vec<f32>,
    pub classifier: Matrix,
}

/// What a step leaves for the next, and room for what is between.
pub struct State {
    x: Vec<f32>,
    normed: Vec<f32>,
    mixed: Vec<f32>,
    query: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    scores: Vec<f32>,
    turns: Turns,
    /// By layer and position.
    keys: Vec<f32>,
    values: Vec<f32>,
    activations: Activations,
    pub logits: Vec<f32>,
}

impl State {
    pub fn new(config: &Config) -> Self {
        let cache = config.layers * config.context * config.kv_dim();
        State {
            x: vec![0.0; config.dim],
            normed: vec![0.0; config.dim],
            mixed: vec![0.0; config.dim],
            query: vec![0.0; config.dim],
            gate: vec![0.0; config.hidden],
            up: vec![0.0; config.hidden],
            scores: vec![0.0; config.context],
            turns: Turns::new(config.head(), config.theta),
            keys: vec![0.0; cache],
            values: vec![0.0; cache],
            activations: Activations::new(config.dim.max(config.hidden)),
            logits: vec![0.0; config.vocab],
        }
    }
}

impl Model {
    /// Takes a token in; the logits of the next are left in the state.
    pub fn forward(&self, token: u32, position: usize, state: &mut State) {
        let config = &self.config;
        self.embedding.row(&self.file, token as usize, &mut state.x);
        state.turns.set(position);
        for (index, layer) in self.layers.iter().enumerate() {
            normalize(&state.x, &layer.attention_norm, config.epsilon, &mut state.normed);
            self.attend(layer, index, position, state);
            layer.output.multiply(&self.file, &state.mixed, &mut state.activations, &mut state.normed);
            add(&mut state.x, &state.normed);

            normalize(&state.x, &layer.ffn_norm, config.epsilon, &mut state.normed);
            layer.gate.multiply(&self.file, &state.normed, &mut state.activations, &mut state.gate);
            layer.up.multiply(&self.file, &state.normed, &mut state.activations, &mut state.up);
            for (gate, up) in state.gate.iter_mut().zip(&state.up) {
                *gate = *gate / (1.0 + (-*gate).exp()) * up;
            }
            layer.down.multiply(&self.file, &state.gate, &mut state.activations, &mut state.normed);
            add(&mut state.x, &state.normed);
        }
        normalize(&state.x, &self.norm, config.epsilon, &mut state.normed);
        self.classifier.multiply(&self.file, &state.normed, &mut state.activations, &mut state.logits);
    }

    fn attend(&self, layer: &Layer, index: usize, position: usize, state: &mut State) {
        let config = &self.config;
        let (head, kv_dim) = (config.head(), config.kv_dim());
        let first = index * config.context * kv_dim;
        let own = first + position * kv_dim;
        layer.query.multiply(&self.file, &state.normed, &mut state.activations, &mut state.query);
        layer.key.multiply(&self.file, &state.normed, &mut state.activations, &mut state.keys[own..own + kv_dim]);
        layer.value.multiply(&self.file, &state.normed, &mut state.activations, &mut state.values[own..own + kv_dim]);
        state.turns.rotate(&mut state.query);
        state.turns.rotate(&mut state.keys[own..own + kv_dim]);

        let scale = 1.0 / (head as f32).sqrt();
        let shared = config.heads / config.kv_heads;
        for (number, mixed) in state.mixed.chunks_exact_mut(head).enumerate() {
            let query = &state.query[number * head..][..head];
            let offset = first + number / shared * head;
            let scores = &mut state.scores[..=position];
            kernels::multiply::<Real>(query, kernels::bytes_of(&state.keys[offset..]), kv_dim * Real::BYTES, scores);
            for score in scores.iter_mut() {
                *score *= scale;
            }
            softmax(scores);
            mixed.fill(0.0);
            for (time, score) in scores.iter().enumerate() {
                for (sum, value) in mixed.iter_mut().zip(&state.values[offset + time * kv_dim..][..head]) {
                    *sum += score * value;
                }
            }
        }
    }
}

fn add(x: &mut [f32], y: &[f32]) {
    for (sum, value) in x.iter_mut().zip(y) {
        *sum += value;
    }
}

fn normalize(x: &[f32], weights: &[f32], epsilon: f32, into: &mut [f32]) {
    let scale = 1.0 / (kernels::dot(x, x) / x.len() as f32 + epsilon).sqrt();
    for ((value, weight), result) in x.iter().zip(weights).zip(into) {
        *result = weight * (scale * value);
    }
}

/// Angles that neighbouring pairs are turned by: they grow with the position, slower for later pairs.
struct Turns {
    slowness: Vec<f32>,
    sines: Vec<(f32, f32)>,
}

impl Turns {
    fn new(head: usize, theta: f32) -> Self {
        let slowness: Vec<f32> = (0..head / 2).map(|pair| theta.powf((pair * 2) as f32 / head as f32)).collect();
        Turns { sines: vec![(0.0, 1.0); slowness.len()], slowness }
    }

    fn set(&mut self, position: usize) {
        for (sines, slowness) in self.sines.iter_mut().zip(&self.slowness) {
            *sines = (position as f32 / slowness).sin_cos();
        }
    }

    fn rotate(&self, vector: &mut [f32]) {
        for part in vector.chunks_exact_mut(self.sines.len() * 2) {
            for (pair, (sin, cos)) in part.chunks_exact_mut(2).zip(&self.sines) {
                let (a, b) = (pair[0], pair[1]);
                pair[0] = a * cos - b * sin;
                pair[1] = a * sin + b * cos;
            }
        }
    }
}

pub fn softmax(scores: &mut [f32]) {
    let greatest = scores.iter().fold(f32::MIN, |most, score| most.max(*score));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - greatest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}
