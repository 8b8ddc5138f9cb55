//! Matrices as files hold them, multiplied without being unpacked.

use crate::kernels::{self, Half, Real};
use crate::lanes::{half, real};

/// How the elements of a matrix are stored.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    F32,
    F16,
    /// GGUF: blocks of a half-precision scale and 32 bytes.
    Q8Blocks,
    /// llama2.c: all bytes, then a scale for each group of them.
    Q8Groups { group: usize, scales: usize },
}

/// Rows of a file's bytes.
#[derive(Clone, Copy)]
pub struct Matrix {
    pub kind: Kind,
    /// Where the elements begin in the file.
    pub start: usize,
    pub rows: usize,
    pub columns: usize,
}

pub const BLOCK: usize = 32;
const BLOCK_BYTES: usize = BLOCK + 2;

impl Kind {
    /// Bytes of so many elements; none where they do not fill groups.
    pub fn bytes(self, elements: u64) -> Option<u64> {
        match self {
            Kind::F32 => elements.checked_mul(4),
            Kind::F16 => elements.checked_mul(2),
            Kind::Q8Blocks => (elements % BLOCK as u64 == 0).then(|| elements / BLOCK as u64 * BLOCK_BYTES as u64),
            Kind::Q8Groups { group, .. } => {
                (elements % group as u64 == 0).then(|| elements + elements / group as u64 * 4)
            }
        }
    }
}

/// A vector's 8-bit form, which quantized matrices are multiplied with.
pub struct Activations {
    quants: Vec<i16>,
    scales: Vec<f32>,
}

impl Activations {
    pub fn new(longest: usize) -> Self {
        Activations { quants: vec![0; longest], scales: vec![0.0; longest] }
    }

    fn quantize(&mut self, x: &[f32], group: usize) -> (&[i16], &[f32]) {
        let (quants, scales) = (&mut self.quants[..x.len()], &mut self.scales[..x.len() / group]);
        kernels::quantize(x, group, quants, scales);
        (quants, scales)
    }
}

impl Matrix {
    /// y = this x.
    pub fn multiply(&self, file: &[u8], x: &[f32], activations: &mut Activations, y: &mut [f32]) {
        let x = &x[..self.columns];
        let y = &mut y[..self.rows];
        match self.kind {
            Kind::F32 => kernels::multiply::<Real>(x, &file[self.start..], self.columns * 4, y),
            Kind::F16 => kernels::multiply::<Half>(x, &file[self.start..], self.columns * 2, y),
            Kind::Q8Blocks => {
                let (quants, scales) = activations.quantize(x, BLOCK);
                let row_bytes = self.columns / BLOCK * BLOCK_BYTES;
                for (sum, row) in y.iter_mut().zip(file[self.start..].chunks_exact(row_bytes)) {
                    let blocks = row.chunks_exact(BLOCK_BYTES).zip(scales).map(|(block, scale)| {
                        (&block[2..], half(u16::from_le_bytes([block[0], block[1]])) * scale)
                    });
                    *sum = kernels::quants_product(quants, BLOCK, blocks);
                }
            }
            Kind::Q8Groups { group, scales: factors } => {
                let (quants, scales) = activations.quantize(x, group);
                let rows = file[self.start..].chunks_exact(self.columns);
                let factors = file[factors..].chunks_exact(self.columns / group * 4);
                for ((sum, row), factors) in y.iter_mut().zip(rows).zip(factors) {
                    let scales = factors.chunks_exact(4).zip(scales).map(|(factor, scale)| real(factor) * scale);
                    *sum = kernels::quants_product(quants, group, row.chunks_exact(group).zip(scales));
                }
            }
        }
    }

    /// One row as reals: a token's embedding.
    pub fn row(&self, file: &[u8], row: usize, into: &mut [f32]) {
        let columns = self.columns;
        match self.kind {
            Kind::F32 => {
                let bytes = &file[self.start + row * columns * 4..][..columns * 4];
                for (value, four) in into.iter_mut().zip(bytes.chunks_exact(4)) {
                    *value = real(four);
                }
            }
            Kind::F16 => {
                let bytes = &file[self.start + row * columns * 2..][..columns * 2];
                for (value, two) in into.iter_mut().zip(bytes.chunks_exact(2)) {
                    *value = half(u16::from_le_bytes([two[0], two[1]]));
                }
            }
            Kind::Q8Blocks => {
                let length = columns / BLOCK * BLOCK_BYTES;
                let blocks = file[self.start + row * length..][..length].chunks_exact(BLOCK_BYTES);
                for (block, values) in blocks.zip(into.chunks_exact_mut(BLOCK)) {
                    let scale = half(u16::from_le_bytes([block[0], block[1]]));
                    for (value, quant) in values.iter_mut().zip(&block[2..]) {
                        *value = *quant as i8 as f32 * scale;
                    }
                }
            }
            Kind::Q8Groups { group, scales } => {
                let bytes = &file[self.start + row * columns..][..columns];
                let factors = &file[scales + row * columns / group * 4..][..columns / group * 4];
                for ((quants, factor), values) in
                    bytes.chunks_exact(group).zip(factors.chunks_exact(4)).zip(into.chunks_exact_mut(group))
                {
                    let scale = real(factor);
                    for (value, quant) in values.iter_mut().zip(quants) {
                        *value = *quant as i8 as f32 * scale;
                    }
                }
            }
        }
    }
}
