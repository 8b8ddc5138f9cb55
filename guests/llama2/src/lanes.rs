//! Four reals at a time: a vector where there are vectors, the same numbers one by one where there are none.

/// A half-precision number.
pub fn half(bits: u16) -> f32 {
    let (sign, rest) = (((bits & 0x8000) as u32) << 16, (bits & 0x7FFF) as u32);
    // Shifted into place the exponent is too small by 112; a product puts that right for tiny numbers, too.
    let value = f32::from_bits(rest << 13) * f32::from_bits((127 + 112) << 23);
    let value = if rest >= 0x7C00 { f32::from_bits((rest << 13) | 0x7F80_0000) } else { value };
    f32::from_bits(value.to_bits() | sign)
}

pub fn real(bytes: &[u8]) -> f32 {
    f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// So many products of whole numbers are added up at a time.
pub const PRODUCTS: usize = 16;

pub use lanes::Lanes;

#[cfg(target_feature = "simd128")]
mod lanes {
    use super::PRODUCTS;
    use std::arch::wasm32::*;

    #[derive(Clone, Copy)]
    pub struct Lanes(v128);

    impl Lanes {
        pub fn all(value: f32) -> Self {
            Lanes(f32x4_splat(value))
        }

        pub fn of(bytes: &[u8; 16]) -> Self {
            Lanes(load(bytes))
        }

        /// Of eight half-precision numbers, which are finite.
        pub fn of_halves(bytes: &[u8; 16]) -> [Self; 2] {
            let halves = load(bytes);
            let lift = f32x4_splat(f32::from_bits((127 + 112) << 23));
            let widen = |bits: v128| {
                let value = f32x4_mul(u32x4_shl(v128_and(bits, u32x4_splat(0x7FFF)), 13), lift);
                Lanes(v128_or(value, u32x4_shl(v128_and(bits, u32x4_splat(0x8000)), 16)))
            };
            [widen(u32x4_extend_low_u16x8(halves)), widen(u32x4_extend_high_u16x8(halves))]
        }

        /// Sums of products with signed bytes: lane i has those of the pairs i and i + 4 of all groups of sixteen.
        pub fn of_products(quants: &[i16], bytes: &[u8]) -> Self {
            let mut sum = i32x4_splat(0);
            for (quants, bytes) in quants.chunks_exact(PRODUCTS).zip(bytes.chunks_exact(PRODUCTS)) {
                // SAFETY: both have sixteen elements, and loads may be unaligned.
                let (low, high, bytes) = unsafe {
                    let quants: *const v128 = quants.as_ptr().cast();
                    (v128_load(quants), v128_load(quants.add(1)), v128_load(bytes.as_ptr().cast()))
                };
                sum = i32x4_add(sum, i32x4_dot_i16x8(low, i16x8_extend_low_i8x16(bytes)));
                sum = i32x4_add(sum, i32x4_dot_i16x8(high, i16x8_extend_high_i8x16(bytes)));
            }
            Lanes(f32x4_convert_i32x4(sum))
        }

        pub fn plus(self, other: Self) -> Self {
            Lanes(f32x4_add(self.0, other.0))
        }

        pub fn times(self, other: Self) -> Self {
            Lanes(f32x4_mul(self.0, other.0))
        }

        pub fn sum(self) -> f32 {
            let (first, second) = (f32x4_extract_lane::<0>(self.0), f32x4_extract_lane::<1>(self.0));
            (first + second) + (f32x4_extract_lane::<2>(self.0) + f32x4_extract_lane::<3>(self.0))
        }
    }

    fn load(bytes: &[u8; 16]) -> v128 {
        // SAFETY: sixteen bytes are there, and loads may be unaligned.
        unsafe { v128_load(bytes.as_ptr().cast()) }
    }
}

#[cfg(not(target_feature = "simd128"))]
mod lanes {
    use super::{half, real, PRODUCTS};
    use std::array::from_fn;

    #[derive(Clone, Copy)]
    pub struct Lanes([f32; 4]);

    impl Lanes {
        pub fn all(value: f32) -> Self {
            Lanes([value; 4])
        }

        pub fn of(bytes: &[u8; 16]) -> Self {
            Lanes(from_fn(|i| real(&bytes[i * 4..])))
        }

        pub fn of_halves(bytes: &[u8; 16]) -> [Self; 2] {
            let one = |at: usize| half(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
            from_fn(|part| Lanes(from_fn(|i| one(part * 8 + i * 2))))
        }

        pub fn of_products(quants: &[i16], bytes: &[u8]) -> Self {
            let mut sums = [0; 4];
            let whole = quants.len() / PRODUCTS * PRODUCTS;
            for (i, (quant, byte)) in quants[..whole].iter().zip(bytes).enumerate() {
                sums[i / 2 % 4] += *quant as i32 * (*byte as i8) as i32;
            }
            Lanes(sums.map(|sum| sum as f32))
        }

        pub fn plus(self, other: Self) -> Self {
            Lanes(from_fn(|i| self.0[i] + other.0[i]))
        }

        pub fn times(self, other: Self) -> Self {
            Lanes(from_fn(|i| self.0[i] * other.0[i]))
        }

        pub fn sum(self) -> f32 {
            (self.0[0] + self.0[1]) + (self.0[2] + self.0[3])
        }
    }
}
