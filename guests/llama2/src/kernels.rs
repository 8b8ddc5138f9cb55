//! Inner products: sixteen elements at a time where there are vectors, in the same order where there are none.

/// A half-precision number.
pub fn half(bits: u16) -> f32 {
    let (sign, rest) = (((bits & 0x8000) as u32) << 16, (bits & 0x7FFF) as u32);
    // Shifted into place the exponent is too small by 112; a product puts that right for tiny numbers, too.
    let value = f32::from_bits(rest << 13) * f32::from_bits((127 + 112) << 23);
    let value = if rest >= 0x7C00 { f32::from_bits((rest << 13) | 0x7F80_0000) } else { value };
    f32::from_bits(value.to_bits() | sign)
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: any four bytes are a real's, and none is looked at beyond the slice.
    let bytes = unsafe { std::slice::from_raw_parts(b.as_ptr().cast::<u8>(), std::mem::size_of_val(b)) };
    dot_bytes(a, bytes)
}

/// With reals as a file holds them, at any address.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
pub fn dot_bytes(a: &[f32], b: &[u8]) -> f32 {
    use std::arch::wasm32::*;
    assert!(b.len() >= a.len() * 4);
    let mut sums = [f32x4_splat(0.0); 4];
    let blocks = a.len() / 16;
    for block in 0..blocks {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let at = block * 16 + lane * 4;
            // SAFETY: at + 4 elements lie within both slices, by the assertion; loads may be unaligned.
            let (x, y) = unsafe { (v128_load(a.as_ptr().add(at).cast()), v128_load(b.as_ptr().add(at * 4).cast())) };
            *sum = f32x4_add(*sum, f32x4_mul(x, y));
        }
    }
    let all = f32x4_add(f32x4_add(sums[0], sums[1]), f32x4_add(sums[2], sums[3]));
    let ends = f32x4_extract_lane::<0>(all) + f32x4_extract_lane::<1>(all);
    let sum = ends + (f32x4_extract_lane::<2>(all) + f32x4_extract_lane::<3>(all));
    sum + tail(&a[blocks * 16..], &b[blocks * 64..])
}

#[cfg(not(target_arch = "wasm32"))]
pub fn dot_bytes(a: &[f32], b: &[u8]) -> f32 {
    let blocks = a.len() / 16;
    let mut sums = [0f32; 16];
    for at in 0..blocks * 16 {
        sums[at % 16] += a[at] * real(&b[at * 4..]);
    }
    let column = |lane: usize| (sums[lane] + sums[lane + 4]) + (sums[lane + 8] + sums[lane + 12]);
    (column(0) + column(1)) + (column(2) + column(3)) + tail(&a[blocks * 16..], &b[blocks * 64..])
}

fn tail(a: &[f32], b: &[u8]) -> f32 {
    a.iter().zip(b.chunks_exact(4)).map(|(x, y)| x * real(y)).sum()
}

fn real(bytes: &[u8]) -> f32 {
    f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// With half-precision numbers.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
pub fn dot_halves(a: &[f32], b: &[u8]) -> f32 {
    use std::arch::wasm32::*;
    assert!(b.len() >= a.len() * 2);
    let mut sums = [f32x4_splat(0.0); 2];
    let (lift, mask) = (f32x4_splat(f32::from_bits((127 + 112) << 23)), u32x4_splat(0x7FFF));
    let widen = |bits: v128| {
        let value = f32x4_mul(u32x4_shl(v128_and(bits, mask), 13), lift);
        v128_or(value, u32x4_shl(v128_andnot(bits, mask), 16))
    };
    let blocks = a.len() / 8;
    for block in 0..blocks {
        let at = block * 8;
        // SAFETY: at + 8 elements lie within both slices, by the assertion.
        let (low, high, halves) = unsafe {
            (v128_load(a.as_ptr().add(at).cast()), v128_load(a.as_ptr().add(at + 4).cast()), v128_load(b.as_ptr().add(at * 2).cast()))
        };
        sums[0] = f32x4_add(sums[0], f32x4_mul(low, widen(u32x4_extend_low_u16x8(halves))));
        sums[1] = f32x4_add(sums[1], f32x4_mul(high, widen(u32x4_extend_high_u16x8(halves))));
    }
    let all = f32x4_add(sums[0], sums[1]);
    let ends = f32x4_extract_lane::<0>(all) + f32x4_extract_lane::<1>(all);
    let sum = ends + (f32x4_extract_lane::<2>(all) + f32x4_extract_lane::<3>(all));
    sum + half_tail(&a[blocks * 8..], &b[blocks * 16..])
}

#[cfg(not(target_arch = "wasm32"))]
pub fn dot_halves(a: &[f32], b: &[u8]) -> f32 {
    half_tail(a, b)
}

fn half_tail(a: &[f32], b: &[u8]) -> f32 {
    a.iter().zip(b.chunks_exact(2)).map(|(x, y)| x * half(u16::from_le_bytes([y[0], y[1]]))).sum()
}

/// Of signed bytes; the second slice holds them as a file does.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
pub fn dot_quants(a: &[i8], b: &[u8]) -> i32 {
    use std::arch::wasm32::*;
    assert!(b.len() >= a.len());
    let mut sum = i32x4_splat(0);
    let blocks = a.len() / 16;
    for block in 0..blocks {
        // SAFETY: sixteen bytes from here lie within both slices, by the assertion.
        let (x, y) = unsafe { (v128_load(a.as_ptr().add(block * 16).cast()), v128_load(b.as_ptr().add(block * 16).cast())) };
        sum = i32x4_add(sum, i32x4_extadd_pairwise_i16x8(i16x8_extmul_low_i8x16(x, y)));
        sum = i32x4_add(sum, i32x4_extadd_pairwise_i16x8(i16x8_extmul_high_i8x16(x, y)));
    }
    let ends = i32x4_extract_lane::<0>(sum) + i32x4_extract_lane::<1>(sum);
    ends + i32x4_extract_lane::<2>(sum) + i32x4_extract_lane::<3>(sum) + quant_tail(&a[blocks * 16..], &b[blocks * 16..])
}

#[cfg(not(target_arch = "wasm32"))]
pub fn dot_quants(a: &[i8], b: &[u8]) -> i32 {
    quant_tail(a, b)
}

fn quant_tail(a: &[i8], b: &[u8]) -> i32 {
    a.iter().zip(b).map(|(x, y)| *x as i32 * (*y as i8) as i32).sum()
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
    fn products_take_in_every_element() {
        let a: Vec<f32> = (0..37).map(|i| i as f32).collect();
        let ones = vec![1f32; 37];
        assert_eq!(dot(&a, &ones), 666.0);
        let halves: Vec<u8> = (0..37).flat_map(|_| [0x00, 0x3C]).collect();
        assert_eq!(dot_halves(&a, &halves), 666.0);
        assert_eq!(dot_quants(&[-3; 33], &[2; 33]), -198);
    }
}
