//! The generator behind every choice: SplitMix64, integers only, so that a seed means the same bytes on any machine.
//!
//! Each topic of each rep draws from a stream of its own. One rep more, or one call more, moves nobody else's numbers.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// The odd constant by which SplitMix64 steps: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Rng {
    /// The stream for one topic and one number (a rep, or a rep's month) under a seed.
    pub fn stream(seed: u64, topic: &str, number: u64) -> Rng {
        // FNV-1a: enough to tell a handful of topic names apart.
        let name = topic.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Rng(mix(mix(mix(seed) ^ name) ^ number.wrapping_mul(STEP)))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 up to, not including, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // The high half of the product; its bias is far below anything that a sample could show.
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as usize) as i64
    }

    /// Like [`Rng::between`], but the middle is likelier than the ends.
    pub fn around(&mut self, low: i64, high: i64) -> i64 {
        (self.between(low, high) + self.between(low, high)) / 2
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(0, 99) < percent
    }

    /// `hundredths` / 100, rounded up or down so that the mean stays right.
    pub fn rounded(&mut self, hundredths: i64) -> i64 {
        (hundredths + self.between(0, 99)) / 100
    }

    /// One of some equally likely things.
    pub fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }

    /// One of some things, each as likely as its weight.
    pub fn weighted<T: Copy>(&mut self, things: &[(i64, T)]) -> T {
        let total = things.iter().map(|(weight, _)| weight).sum();
        let mut left = self.between(1, total);
        for (weight, thing) in things {
            left -= weight;
            if left <= 0 {
                return *thing;
            }
        }
        unreachable!("the weights add up to the total")
    }
}

/// SplitMix64's finaliser: every bit of the input moves every bit of the output.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The published first outputs for state 0.
        let mut rng = Rng(0);
        assert_eq!([rng.bits(), rng.bits()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn ranges_hold_and_streams_differ() {
        let mut rng = Rng::stream(1, "deals", 7);
        assert!((0..1000).all(|_| (3..=9).contains(&rng.between(3, 9)) && rng.below(4) < 4));
        assert!((0..1000).all(|_| rng.weighted(&[(0, 'a'), (3, 'b')]) == 'b'));
        assert_ne!(Rng::stream(1, "deals", 7).bits(), Rng::stream(1, "calls", 7).bits());
        assert_ne!(Rng::stream(1, "deals", 7).bits(), Rng::stream(1, "deals", 8).bits());
    }
}
