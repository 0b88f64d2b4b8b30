//! Might this key be registered? One cache line says no to nearly every key that is not.
//!
//! A blocked Bloom filter: the key chooses a block of 512 bits and one bit in each of its eight
//! words. At 16 bits a key a block holds 32 keys in the mean and lets about one stranger in a
//! thousand pass. Keys are pseudorandom already, so their own bits choose.

use memmap2::MmapMut;
use prefetch_index::prefetch_index;

/// Bits of filter for each key.
const BITS_PER_KEY: usize = 16;

/// Bytes of a block: a cache line.
const BLOCK: usize = 64;

/// Where the blocks are. Mapped pages may be huge ones: a filter of hundreds of megabytes is asked
/// all over, and with small pages each probe also looks up where its page is.
enum Memory {
    Mapped(MmapMut),
    /// Where nothing can be mapped.
    Heap(Vec<u8>),
}

impl Memory {
    fn zeroed(bytes: usize) -> Self {
        let Ok(map) = MmapMut::map_anon(bytes) else {
            return Self::Heap(vec![0; bytes]);
        };
        #[cfg(target_os = "linux")]
        {
            // Only advice: a kernel without huge pages goes on with small ones.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Self::Mapped(map)
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Heap(bytes) => bytes,
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Heap(bytes) => bytes,
        }
    }
}

/// A set that forgets no key and sometimes knows a stranger.
pub(crate) struct Filter {
    memory: Memory,
    blocks: usize,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Filter({} bytes)", self.bytes())
    }
}

impl Filter {
    /// An empty filter with room for `keys`.
    pub(crate) fn with_room_for(keys: usize) -> Self {
        let blocks = (keys * BITS_PER_KEY).div_ceil(8 * BLOCK).max(1);
        Self {
            memory: Memory::zeroed(blocks * BLOCK),
            blocks,
        }
    }

    /// Its size in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks * BLOCK
    }

    /// The block is chosen by the upper half, the bits by the lower 48 bits.
    #[inline(always)]
    fn block_of(&self, key: u64) -> usize {
        let wide = u128::from(key).wrapping_mul(self.blocks as u128);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below the number of blocks"
        )]
        let block = (wide >> 64) as usize;
        block
    }

    #[inline(always)]
    fn blocks(&self) -> &[[u8; BLOCK]] {
        self.memory.bytes().as_chunks().0
    }

    pub(crate) fn insert(&mut self, key: u64) {
        let at = self.block_of(key);
        let (blocks, _) = self.memory.bytes_mut().as_chunks_mut::<BLOCK>();
        if let Some(block) = blocks.get_mut(at) {
            let (words, _) = block.as_chunks_mut::<8>();
            for (word, bit) in words.iter_mut().zip(bits(key)) {
                *word = (u64::from_le_bytes(*word) | 1 << bit).to_le_bytes();
            }
        }
    }

    /// Asks for the key's cache line, so that it is there when [`Self::holds`] needs it.
    #[inline(always)]
    pub(crate) fn expect(&self, key: u64) {
        prefetch_index(self.blocks(), self.block_of(key));
    }

    #[inline(always)]
    pub(crate) fn holds(&self, key: u64) -> bool {
        let Some(block) = self.blocks().get(self.block_of(key)) else {
            return false;
        };
        let [a, b, c, d, tail @ ..] = block.as_chunks().0 else {
            return false;
        };
        let bit = |word: &[u8; 8], n: u32| u64::from_le_bytes(*word) >> (key >> (6 * n) & 63);
        // Forty-nine strangers in fifty are turned away by half of the words.
        if bit(a, 0) & bit(b, 1) & bit(c, 2) & bit(d, 3) & 1 == 0 {
            return false;
        }
        let mut all = 1;
        for (word, bit) in tail.iter().zip(bits(key).skip(4)) {
            all &= u64::from_le_bytes(*word) >> bit;
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
