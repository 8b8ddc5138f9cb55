//! Matrices as files hold them, multiplied without being unpacked.

use crate::kernels;

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

/// A vector beside its 8-bit form, which quantized matrices are multiplied with.
pub struct Activations {
    quants: Vec<i8>,
    scales: Vec<f32>,
    group: usize,
}

impl Activations {
    pub fn new(longest: usize) -> Self {
        Activations { quants: vec![0; longest], scales: vec![0.0; longest], group: 0 }
    }

    fn quantize(&mut self, x: &[f32], group: usize) {
        self.group = group;
        for (index, part) in x.chunks(group).enumerate() {
            let greatest = part.iter().fold(0f32, |most, value| most.max(value.abs()));
            let scale = greatest / 127.0;
            self.scales[index] = scale;
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            let into = &mut self.quants[index * group..index * group + part.len()];
            for (quant, value) in into.iter_mut().zip(part) {
                *quant = (value * inverse).round() as i8;
            }
        }
    }
}

impl Matrix {
    /// y = this x.
    pub fn multiply(&self, file: &[u8], x: &[f32], activations: &mut Activations, y: &mut [f32]) {
        let x = &x[..self.columns];
        let y = &mut y[..self.rows];
        match self.kind {
            Kind::F32 => {
                let bytes = &file[self.start..self.start + self.rows * self.columns * 4];
                for (sum, row) in y.iter_mut().zip(bytes.chunks_exact(self.columns * 4)) {
                    *sum = kernels::dot_bytes(x, row);
                }
            }
            Kind::F16 => {
                let bytes = &file[self.start..self.start + self.rows * self.columns * 2];
                for (sum, row) in y.iter_mut().zip(bytes.chunks_exact(self.columns * 2)) {
                    *sum = kernels::dot_halves(x, row);
                }
            }
            Kind::Q8Blocks => {
                activations.quantize(x, BLOCK);
                let bytes = &file[self.start..self.start + self.rows * self.columns / BLOCK * BLOCK_BYTES];
                for (sum, row) in y.iter_mut().zip(bytes.chunks_exact(self.columns / BLOCK * BLOCK_BYTES)) {
                    *sum = 0.0;
                    for (index, block) in row.chunks_exact(BLOCK_BYTES).enumerate() {
                        let quants = &activations.quants[index * BLOCK..][..BLOCK];
                        let scale = kernels::half(u16::from_le_bytes([block[0], block[1]]));
                        *sum += kernels::dot_quants(quants, &block[2..]) as f32 * scale * activations.scales[index];
                    }
                }
            }
            Kind::Q8Groups { group, scales } => {
                activations.quantize(x, group);
                let (row_bytes, row_scales) = (self.columns, self.columns / group * 4);
                for (row, sum) in y.iter_mut().enumerate() {
                    let bytes = &file[self.start + row * row_bytes..][..row_bytes];
                    let factors = &file[scales + row * row_scales..][..row_scales];
                    *sum = 0.0;
                    for (index, (quants, factor)) in bytes.chunks_exact(group).zip(factors.chunks_exact(4)).enumerate() {
                        let scale = f32::from_le_bytes([factor[0], factor[1], factor[2], factor[3]]);
                        let own = &activations.quants[index * group..][..group];
                        *sum += kernels::dot_quants(own, quants) as f32 * scale * activations.scales[index];
                    }
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
                    *value = f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
                }
            }
            Kind::F16 => {
                let bytes = &file[self.start + row * columns * 2..][..columns * 2];
                for (value, two) in into.iter_mut().zip(bytes.chunks_exact(2)) {
                    *value = kernels::half(u16::from_le_bytes([two[0], two[1]]));
                }
            }
            Kind::Q8Blocks => {
                let length = columns / BLOCK * BLOCK_BYTES;
                let blocks = file[self.start + row * length..][..length].chunks_exact(BLOCK_BYTES);
                for (block, values) in blocks.zip(into.chunks_exact_mut(BLOCK)) {
                    let scale = kernels::half(u16::from_le_bytes([block[0], block[1]]));
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
                    let scale = f32::from_le_bytes([factor[0], factor[1], factor[2], factor[3]]);
                    for (value, quant) in values.iter_mut().zip(quants) {
                        *value = *quant as i8 as f32 * scale;
                    }
                }
            }
        }
    }
}
