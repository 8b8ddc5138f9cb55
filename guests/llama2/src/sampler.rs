//! The next token: the likeliest, or one by chance among the likely.

use crate::model::softmax;

pub struct Sampler {
    temperature: f32,
    top_p: f32,
    state: u64,
}

impl Sampler {
    pub fn new(temperature: f32, top_p: f32, seed: u64) -> Self {
        // The generator stands still at zero.
        Sampler { temperature, top_p, state: seed.max(1) }
    }

    pub fn next(&mut self, logits: &mut [f32]) -> u32 {
        if self.temperature == 0.0 {
            return likeliest(logits);
        }
        for logit in logits.iter_mut() {
            *logit /= self.temperature;
        }
        softmax(logits);
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        let mut total = 1.0;
        if self.top_p > 0.0 && self.top_p < 1.0 {
            // What is beyond the smallest set that holds so much of the probability does not come.
            order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
            let mut sum = 0.0;
            let count = order.iter().position(|token| {
                sum += logits[*token as usize];
                sum > self.top_p
            });
            order.truncate(count.map_or(order.len(), |last| last + 1));
            total = sum;
        }
        let mut left = self.chance() * total;
        for token in &order {
            left -= logits[*token as usize];
            if left < 0.0 {
                return *token;
            }
        }
        order[order.len() - 1]
    }

    /// Xorshift* of 64 bits; a real in [0, 1).
    fn chance(&mut self) -> f32 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32;
        (bits >> 8) as f32 / 16_777_216.0
    }
}

fn likeliest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_temperature_the_likeliest_comes_and_the_first_of_equals() {
        assert_eq!(Sampler::new(0.0, 0.9, 1).next(&mut [0.0, 2.0, 2.0, 1.0]), 1);
    }

    #[test]
    fn a_seed_gives_the_same_again_and_top_p_cuts_the_tail() {
        let draw = |seed| {
            let mut sampler = Sampler::new(1.0, 0.5, seed);
            (0..50).map(|_| sampler.next(&mut [3.0, 0.0, 0.0, 0.0])).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert!(draw(7).iter().all(|token| *token == 0));
    }
}
