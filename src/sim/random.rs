//! The simulator's source of chance: xoshiro256**, seeded by splitmix64.
//!
//! A run must give the same bytes for the same seed for ever, also after an upgrade of every dependency, so the
//! forty lines live here instead of in a crate whose streams may change. Not for anything secret.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: [u64; 4],
}

/// One step of splitmix64: a good mixing of one number into another.
pub(super) const fn mix(value: u64) -> u64 {
    let a = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

/// A number that depends on nothing but the three given.
pub(super) const fn mix3(a: u64, b: u64, c: u64) -> u64 {
    mix(mix(mix(a) ^ b) ^ c)
}

impl Random {
    /// The stream number `stream` of `seed`: streams do not disturb each other, so that switching fraud or dirt
    /// on leaves the honest traffic as it was.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let start = mix3(seed, stream, 0);
        Self { state: [mix(start), mix(start ^ 1), mix(start ^ 2), mix(start ^ 3)] }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0..bound`; 0 when there is no such number. The bias is below 2^-32 for the bounds used here.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// A number in `low..=high`.
    pub(super) fn within(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(0) as u64;
        low + self.below(span + 1) as i64
    }

    /// True `ppm` times in a million.
    pub(super) fn chance(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < u64::from(ppm)
    }

    /// One of them; the first when there is none.
    pub(super) fn pick(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut random = Random::new(7, 1);
        let drawn: Vec<u64> = (0..4).map(|_| random.below(1000)).collect();
        assert_eq!(drawn, EXPECTED);
        let mut other = Random::new(7, 2);
        assert_ne!(drawn, (0..4).map(|_| other.below(1000)).collect::<Vec<_>>());
    }

    /// Written down once; a change here changes every simulated province.
    const EXPECTED: [u64; 4] = [585, 913, 82, 37];

    #[test]
    fn numbers_stay_in_their_bounds_and_reach_them() {
        let mut random = Random::new(1, 1);
        let drawn: Vec<i64> = (0..2000).map(|_| random.within(-3, 3)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-3), Some(&3)));
        assert_eq!(random.below(0), 0);
        assert!(!random.chance(0));
        assert!(random.chance(1_000_000));
    }
}
