//! Might this key be registered? One cache line says no to nearly every key that is not.
//!
//! A blocked Bloom filter: the key chooses a block of 512 bits and one bit in each of its eight
//! words. At 16 bits a key a block holds 32 keys in the mean and lets about one stranger in a
//! thousand pass. Keys are pseudorandom already, so their own bits choose.

/// Bits of filter for each key.
const BITS_PER_KEY: usize = 16;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block([u64; 8]);

/// A set that forgets no key and sometimes knows a stranger.
pub(crate) struct Filter {
    blocks: Vec<Block>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Filter({} bytes)", self.bytes())
    }
}

impl Filter {
    /// An empty filter with room for `keys`.
    pub(crate) fn with_room_for(keys: usize) -> Self {
        let blocks = (keys * BITS_PER_KEY).div_ceil(512).max(1);
        Self {
            blocks: vec![Block([0; 8]); blocks],
        }
    }

    /// Its size in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.len() * 64
    }

    /// The block is chosen by the upper half, the bits by the lower 48 bits.
    #[inline(always)]
    fn block_of(&self, key: u64) -> usize {
        let wide = u128::from(key).wrapping_mul(self.blocks.len() as u128);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below the number of blocks"
        )]
        let block = (wide >> 64) as usize;
        block
    }

    pub(crate) fn insert(&mut self, key: u64) {
        let at = self.block_of(key);
        if let Some(block) = self.blocks.get_mut(at) {
            for (word, bit) in block.0.iter_mut().zip(bits(key)) {
                *word |= 1 << bit;
            }
        }
    }

    /// Touches the key's cache line, so that it is there when [`Self::holds`] asks. Many in a row
    /// are fetched at once.
    #[inline]
    pub(crate) fn touch(&self, key: u64) -> u64 {
        self.blocks
            .get(self.block_of(key))
            .map_or(0, |block| block.0[0])
    }

    #[inline]
    pub(crate) fn holds(&self, key: u64) -> bool {
        let Some(block) = self.blocks.get(self.block_of(key)) else {
            return false;
        };
        let [a, b, c, d, tail @ ..] = block.0;
        let bit = |word: u64, n: u32| word >> (key >> (6 * n) & 63);
        // Forty-nine strangers in fifty are turned away by half of the words.
        if bit(a, 0) & bit(b, 1) & bit(c, 2) & bit(d, 3) & 1 == 0 {
            return false;
        }
        let mut all = 1;
        for (word, bit) in tail.iter().zip(bits(key).skip(4)) {
            all &= word >> bit;
        }
        all & 1 == 1
    }
}

#[inline]
fn bits(key: u64) -> impl Iterator<Item = u64> {
    (0..8).map(move |n| (key >> (6 * n)) & 63)
}

#[cfg(test)]
mod tests;
