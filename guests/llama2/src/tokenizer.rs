//! SentencePiece's byte-pair encoding as Llama 2 has it: pieces with scores, merged by the best of them.

use std::collections::{BinaryHeap, HashMap};

use crate::bytes::Bytes;
use crate::merging::{Pair, Row};

/// The first tokens of a vocabulary: unknown, begin, end, and then every byte.
const BYTES_FROM: u32 = 3;

pub struct Tokenizer {
    pieces: Vec<Vec<u8>>,
    scores: Vec<f32>,
    ids: HashMap<Vec<u8>, u32>,
    begin: u32,
    end: u32,
    prefix: bool,
}

impl Tokenizer {
    pub fn new(pieces: Vec<Vec<u8>>, scores: Vec<f32>, begin: u32, end: u32, prefix: bool) -> Self {
        let mut ids = HashMap::new();
        for (id, piece) in pieces.iter().enumerate() {
            // Of equal pieces the first counts.
            ids.entry(piece.clone()).or_insert(id as u32);
        }
        Tokenizer { pieces, scores, ids, begin, end, prefix }
    }

    /// llama2.c's own format.
    pub fn read(file: &[u8], vocab: usize) -> Result<Self, String> {
        let mut bytes = Bytes::new(file);
        bytes.u32("its header")?;
        let (mut pieces, mut scores) = (Vec::new(), Vec::new());
        for _ in 0..vocab {
            scores.push(bytes.f32("a score")?);
            let length = bytes.i32("a piece's length")?;
            let length = u64::try_from(length).map_err(|_| format!("a piece has the length {length}"))?;
            pieces.push(bytes.take(length, "a piece")?.to_vec());
        }
        if bytes.left() > 0 {
            return Err(format!("it has more than the {vocab} tokens of the model: it belongs to another one"));
        }
        Ok(Tokenizer::new(pieces, scores, 1, 2, true))
    }

    /// Whether a text ends with this token: at its end or where the next would begin.
    pub fn ends(&self, token: u32) -> bool {
        token == self.begin || token == self.end
    }

    pub fn encode(&self, text: &[u8]) -> Vec<u32> {
        let mut tokens = vec![self.begin];
        tokens.extend(self.merged(&self.characters(text)));
        tokens
    }

    /// A token for each character, or for each byte of one that the vocabulary lacks.
    fn characters(&self, text: &[u8]) -> Vec<u32> {
        let mut tokens = Vec::new();
        if text.is_empty() {
            return tokens;
        }
        if let (true, Some(space)) = (self.prefix, self.ids.get(&b" "[..])) {
            tokens.push(*space);
        }
        for chunk in String::from_utf8_lossy(text).chars() {
            let mut buffer = [0; 4];
            let character = chunk.encode_utf8(&mut buffer).as_bytes();
            match self.ids.get(character) {
                Some(id) => tokens.push(*id),
                None => tokens.extend(character.iter().map(|byte| *byte as u32 + BYTES_FROM)),
            }
        }
        tokens
    }

    /// Merges the neighbours whose common piece has the highest score, the first of equals, until none have one.
    fn merged(&self, tokens: &[u32]) -> Vec<u32> {
        let mut row = Row::new(tokens);
        let mut both = Vec::new();
        let mut pairs: BinaryHeap<Pair> = (0..tokens.len()).filter_map(|at| self.pair(&row, at, &mut both)).collect();
        while let Some(pair) = pairs.pop() {
            // Pairs stay in the heap when a merge takes one of their sides.
            if row.pair(pair.at) != Some((pair.left, pair.right)) {
                continue;
            }
            let before = row.merge(pair.at, pair.merged);
            pairs.extend(before.and_then(|before| self.pair(&row, before, &mut both)));
            pairs.extend(self.pair(&row, pair.at, &mut both));
        }
        row.tokens()
    }

    /// The token there and the next, where they have a common piece. The buffer is the caller's, to be allocated once.
    fn pair(&self, row: &Row, at: usize, both: &mut Vec<u8>) -> Option<Pair> {
        let (left, right) = row.pair(at)?;
        both.clear();
        both.extend_from_slice(self.piece(left));
        both.extend_from_slice(self.piece(right));
        let merged = *self.ids.get(both.as_slice())?;
        // The sum makes a zero of -0, which would be less in the total order.
        Some(Pair { score: self.scores[merged as usize] + 0.0, at, left, right, merged })
    }

    fn piece(&self, token: u32) -> &[u8] {
        self.pieces.get(token as usize).map_or(&[], Vec::as_slice)
    }

    pub fn decode(&self, before: u32, token: u32) -> Vec<u8> {
        let mut piece = self.piece(token);
        // The space that every text begins with is none of its own.
        if before == self.begin {
            piece = piece.strip_prefix(b" ").unwrap_or(piece);
        }
        match piece {
            [b'<', b'0', b'x', high, low, b'>'] => {
                let digits = [*high, *low];
                let byte = std::str::from_utf8(&digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                byte.map_or_else(|| piece.to_vec(), |byte| vec![byte])
            }
            _ => piece.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer() -> Tokenizer {
        let mut pieces: Vec<Vec<u8>> = vec![b"<unk>".into(), b"<s>".into(), b"</s>".into()];
        pieces.extend((0..256).map(|byte| format!("<0x{byte:02X}>").into_bytes()));
        let words: [(&str, f32); 6] = [(" ", -9.0), ("a", -8.0), ("b", -7.0), (" a", -3.0), ("ab", -1.0), (" ab", -2.0)];
        let mut scores = vec![0.0; pieces.len()];
        for (word, score) in words {
            pieces.push(word.as_bytes().to_vec());
            scores.push(score);
        }
        Tokenizer::new(pieces, scores, 1, 2, true)
    }

    /// What `encode` is by definition: each time the best of all pairs. The square of the text's length.
    fn encode_slowly(tokenizer: &Tokenizer, text: &[u8]) -> Vec<u32> {
        let mut tokens = vec![tokenizer.begin];
        tokens.extend(tokenizer.characters(text));
        loop {
            let mut best: Option<(usize, u32)> = None;
            for (at, pair) in tokens.windows(2).enumerate().skip(1) {
                let both = [tokenizer.piece(pair[0]), tokenizer.piece(pair[1])].concat();
                if let Some(&id) = tokenizer.ids.get(&both) {
                    let score = tokenizer.scores[id as usize];
                    if best.is_none_or(|(_, other)| score > tokenizer.scores[other as usize]) {
                        best = Some((at, id));
                    }
                }
            }
            let Some((at, id)) = best else { return tokens };
            tokens[at] = id;
            tokens.remove(at + 1);
        }
    }

    /// Words of few letters, so that texts have many of them, with scores of which many are equal.
    fn random_tokenizer(random: &mut impl FnMut(u64) -> u64) -> Tokenizer {
        let mut pieces: Vec<Vec<u8>> = vec![b"<unk>".into(), b"<s>".into(), b"</s>".into()];
        pieces.extend((0..256).map(|byte| format!("<0x{byte:02X}>").into_bytes()));
        pieces.extend([" ", "a", "b", "é"].map(|letter| letter.as_bytes().to_vec()));
        for _ in 0..random(60) {
            let letters = (0..2 + random(5)).map(|_| [" ", "a", "b", "é"][random(4) as usize]);
            pieces.push(letters.collect::<String>().into_bytes());
        }
        // "a" after the begin token, which nothing merges with; a byte's name, which merges as any text does.
        pieces.extend([b"<s>a".to_vec(), b"<s> ".to_vec(), b"a<0xC3>".to_vec(), Vec::new()]);
        let scores = pieces.iter().map(|_| [-0.0, 0.0, -1.0, -2.0, -3.5][random(5) as usize]).collect();
        Tokenizer::new(pieces, scores, 1, 2, random(2) == 0)
    }

    #[test]
    fn every_text_has_the_tokens_that_the_definition_gives_it() {
        let mut state = 88172645463325252u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..200 {
            let tokenizer = random_tokenizer(&mut random);
            for _ in 0..20 {
                let length = random(60);
                let letters = (0..length).map(|_| [" ", "a", "a", "b", "é", "ã"][random(6) as usize]);
                let text: String = letters.collect();
                let tokens = tokenizer.encode(text.as_bytes());
                assert_eq!(tokens, encode_slowly(&tokenizer, text.as_bytes()), "{text:?} of {:?}", tokenizer.pieces);
            }
        }
    }

    #[test]
    fn a_long_text_takes_no_longer_than_its_length_asks() {
        let tokens = tokenizer().encode("ab".repeat(100_000).as_bytes());
        assert_eq!(tokens.len(), 100_001);
        assert_eq!(tokens[..3], [1, 264, 263]);
        assert!(tokens[3..].iter().all(|token| *token == 263));
    }

    #[test]
    fn merges_the_best_pair_first() {
        assert_eq!(tokenizer().encode(b"ab"), [1, 264]);
        assert_eq!(tokenizer().encode(b""), [1]);
    }

    #[test]
    fn unknown_characters_are_their_bytes() {
        let tokens = tokenizer().encode("é".as_bytes());
        assert_eq!(tokens, [1, 259, 0xC3 + 3, 0xA9 + 3]);
        let text: Vec<u8> = tokens.windows(2).flat_map(|pair| tokenizer().decode(pair[0], pair[1])).collect();
        assert_eq!(text, "é".as_bytes());
    }

    #[test]
    fn a_file_of_another_vocabulary_is_refused() {
        let file = [8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'a'];
        assert!(Tokenizer::read(&file, 1).is_ok());
        assert!(Tokenizer::read(&file, 2).err().unwrap().contains("cut off at byte 13"));
        assert!(Tokenizer::read(&[&file[..], &file[4..]].concat(), 1).is_err());
    }
}
