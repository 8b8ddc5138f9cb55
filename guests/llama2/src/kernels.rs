//! Products of a vector with rows of a matrix.

use std::array::from_fn;

use crate::lanes::{half, real, Lanes, PRODUCTS};

/// Elements at a time, in two vectors of lanes.
const STEP: usize = 8;

/// Rows at a time: what is loaded of the vector serves all of them.
const ROWS: usize = 4;

/// A larger matrix is no longer in a cache, and memory is fastest in its order: row after row.
const NEAR: usize = 1 << 18;

/// How a file holds an element.
pub trait Element {
    const BYTES: usize;

    fn one(bytes: &[u8]) -> f32;

    fn step(bytes: &[u8]) -> [Lanes; 2];
}

pub struct Real;

impl Element for Real {
    const BYTES: usize = 4;

    fn one(bytes: &[u8]) -> f32 {
        real(bytes)
    }

    fn step(bytes: &[u8]) -> [Lanes; 2] {
        [Lanes::of(sixteen(bytes)), Lanes::of(sixteen(&bytes[16..]))]
    }
}

pub struct Half;

impl Element for Half {
    const BYTES: usize = 2;

    fn one(bytes: &[u8]) -> f32 {
        half(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn step(bytes: &[u8]) -> [Lanes; 2] {
        Lanes::of_halves(sixteen(bytes))
    }
}

fn sixteen(bytes: &[u8]) -> &[u8; 16] {
    bytes.first_chunk().expect("a step is sixteen bytes or more")
}

pub fn bytes_of(reals: &[f32]) -> &[u8] {
    // SAFETY: any four bytes are a real's, and these are the slice's own.
    unsafe { std::slice::from_raw_parts(reals.as_ptr().cast(), std::mem::size_of_val(reals)) }
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let [product] = products::<Real, 1>(a, bytes_of(b), 0);
    product
}

/// y = A x, where a row of A begins so many bytes after the one before.
pub fn multiply<E: Element>(x: &[f32], rows: &[u8], stride: usize, y: &mut [f32]) {
    let whole = if y.len() * stride <= NEAR { y.len() / ROWS * ROWS } else { 0 };
    let (many, rest) = y.split_at_mut(whole);
    for (index, sums) in many.chunks_exact_mut(ROWS).enumerate() {
        sums.copy_from_slice(&products::<E, ROWS>(x, &rows[index * ROWS * stride..], stride));
    }
    for (index, sum) in rest.iter_mut().enumerate() {
        [*sum] = products::<E, 1>(x, &rows[(whole + index) * stride..], stride);
    }
}

#[inline(always)]
fn products<E: Element, const N: usize>(x: &[f32], rows: &[u8], stride: usize) -> [f32; N] {
    let (length, bytes) = (x.len() * E::BYTES, bytes_of(x));
    let rows: [&[u8]; N] = from_fn(|row| &rows[row * stride..][..length]);
    let mut sums = [[Lanes::all(0.0); 2]; N];
    for step in 0..x.len() / STEP {
        let vector = Real::step(&bytes[step * STEP * Real::BYTES..][..STEP * Real::BYTES]);
        for (sums, row) in sums.iter_mut().zip(rows) {
            let elements = E::step(&row[step * STEP * E::BYTES..][..STEP * E::BYTES]);
            *sums = from_fn(|i| sums[i].plus(vector[i].times(elements[i])));
        }
    }
    let done = x.len() / STEP * STEP;
    from_fn(|row| {
        let [low, high] = sums[row];
        let tail = x[done..].iter().zip(rows[row][done * E::BYTES..].chunks_exact(E::BYTES));
        low.plus(high).sum() + tail.map(|(x, y)| x * E::one(y)).sum::<f32>()
    })
}

/// One row's product with groups of bytes, each with its scale.
#[inline(always)]
pub fn quants_product<'a>(quants: &[i16], group: usize, groups: impl Iterator<Item = (&'a [u8], f32)>) -> f32 {
    let mut sum = Lanes::all(0.0);
    let mut rest = 0.0;
    for (quants, (bytes, scale)) in quants.chunks_exact(group).zip(groups) {
        sum = sum.plus(Lanes::of_products(quants, &bytes[..group]).times(Lanes::all(scale)));
        let done = group / PRODUCTS * PRODUCTS;
        if done < group {
            let tail = quants[done..].iter().zip(&bytes[done..]).map(|(x, y)| *x as i32 * (*y as i8) as i32);
            rest += tail.sum::<i32>() as f32 * scale;
        }
    }
    sum.sum() + rest
}

/// Whole numbers up to 127 that stand for reals, and the scale of each group of them.
pub fn quantize(x: &[f32], group: usize, quants: &mut [i16], scales: &mut [f32]) {
    for ((x, quants), scale) in x.chunks_exact(group).zip(quants.chunks_exact_mut(group)).zip(scales) {
        let mut greatest = 0f32;
        for value in x {
            greatest = if value.abs() > greatest { value.abs() } else { greatest };
        }
        *scale = greatest / 127.0;
        let inverse = if *scale > 0.0 { 1.0 / *scale } else { 0.0 };
        for (quant, value) in quants.iter_mut().zip(x) {
            *quant = (value * inverse).round_ties_even() as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_what_ieee_says() {
        for (bits, value) in [(0x3C00, 1.0), (0xC000, -2.0), (0x0001, 5.960_464_5e-8), (0x7BFF, 65504.0), (0x8000, -0.0)] {
            assert_eq!(half(bits).to_bits(), f32::to_bits(value));
        }
        assert!(half(0x7C00).is_infinite() && half(0x7E00).is_nan());
    }

    #[test]
    fn products_take_in_every_element_of_every_row() {
        let x: Vec<f32> = (0..37).map(|i| i as f32).collect();
        let rows = 7;
        let reals: Vec<f32> = (0..rows * 37).map(|i| (i / 37) as f32).collect();
        let mut y = vec![0.0; rows];
        multiply::<Real>(&x, bytes_of(&reals), 37 * 4, &mut y);
        assert_eq!(y, (0..rows).map(|row| row as f32 * 666.0).collect::<Vec<_>>());

        let halves: Vec<u8> = (0..rows * 37).flat_map(|_| [0x00, 0x3C]).collect();
        multiply::<Half>(&x, &halves, 37 * 2, &mut y);
        assert_eq!(y, [666.0; 7]);
    }

    #[test]
    fn quantized_products_take_in_every_group() {
        for group in [5, 16, 32, 40] {
            let (mut quants, mut scales) = (vec![0; group * 3], [0.0; 3]);
            quantize(&vec![2.0; group * 3], group, &mut quants, &mut scales);
            assert!(quants.iter().all(|quant| *quant == 127));

            let bytes = vec![(-3i8) as u8; group * 3];
            let product = quants_product(&quants, group, bytes.chunks_exact(group).zip(scales));

            assert!((product + 6.0 * group as f32 * 3.0).abs() < 1e-3, "{product} of groups of {group}");
        }
    }
}
