//! A row of tokens of which neighbours become one, each merge in the same time however long the row is.

use std::cmp::Ordering;

/// Two neighbours and the token that they become. The greatest has the highest score and, of equals, comes first.
pub struct Pair {
    pub score: f32,
    pub at: usize,
    pub left: u32,
    pub right: u32,
    pub merged: u32,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.at.cmp(&self.at))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Pair {}

/// Tokens in places that never change; a token that was merged into the one before it leaves its place empty.
pub struct Row {
    tokens: Vec<Option<u32>>,
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Row {
    pub fn new(tokens: &[u32]) -> Self {
        Row {
            tokens: tokens.iter().copied().map(Some).collect(),
            // The first has the place before 0, which there is not.
            before: (0..tokens.len()).map(|at| at.wrapping_sub(1)).collect(),
            after: (1..=tokens.len()).collect(),
        }
    }

    /// The token there and the next, unless the place is empty or the last.
    pub fn pair(&self, at: usize) -> Option<(u32, u32)> {
        let left = self.tokens[at]?;
        let right = (*self.tokens.get(self.after[at])?)?;
        Some((left, right))
    }

    /// Puts a token for the one there and the next. Returns the place before.
    pub fn merge(&mut self, at: usize, merged: u32) -> Option<usize> {
        let gone = self.after[at];
        self.tokens[at] = Some(merged);
        self.tokens[gone] = None;
        self.after[at] = self.after[gone];
        if let Some(before) = self.before.get_mut(self.after[at]) {
            *before = at;
        }
        Some(self.before[at]).filter(|before| *before < at)
    }

    pub fn tokens(&self) -> Vec<u32> {
        self.tokens.iter().copied().flatten().collect()
    }
}
