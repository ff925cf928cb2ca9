//! Numbers modulo p = 2^3072 - 1103717.

mod product;

/// 64-bit limbs of a number, least significant first.
const LIMBS: usize = 48;
/// 2^3072 modulo p: what a carry out of the top limb is worth.
const WRAP: u64 = 1_103_717;
/// p - 2 = 2^3072 - 1103719 is written with this many ones at the top …
const EXPONENT_ONES: u32 = 3_051;
/// … followed by these bits.
const EXPONENT_REST: u32 = (1 << EXPONENT_REST_BITS) - 1_103_719;
const EXPONENT_REST_BITS: u32 = 3_072 - EXPONENT_ONES;

/// A number below p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Num3072([u64; LIMBS]);

impl Num3072 {
    /// Bytes of its encoding.
    pub(super) const SIZE: usize = LIMBS * 8;

    pub(super) const ONE: Self = {
        let mut limbs = [0; LIMBS];
        limbs[0] = 1;
        Self(limbs)
    };

    /// Any number of 3072 bits, modulo p; least significant byte first.
    pub(super) fn reduced(bytes: &[u8; Self::SIZE]) -> Self {
        let mut limbs = [0; LIMBS];
        for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        let mut number = Self(limbs);
        number.reduce_once();
        number
    }

    /// `None` for p and above.
    pub(super) fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let number = Self::reduced(bytes);
        (number.to_bytes() == *bytes).then_some(number)
    }

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        for (bytes, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *bytes = limb.to_le_bytes();
        }
        bytes
    }

    pub(super) fn multiply(&mut self, other: &Self) {
        // Sums of few elements are combined often, and mostly with nothing.
        if *other == Self::ONE {
            return;
        }
        if *self == Self::ONE {
            *self = *other;
            return;
        }
        let (low, high) = product::multiply(&self.0, &other.0);
        let mut carry = 0;
        for ((limb, low), high) in self.0.iter_mut().zip(low).zip(high) {
            (*limb, carry) = multiply_add(high, WRAP, low, carry);
        }
        // The first carry is below 2^21; one more round leaves at most a
        // single bit, and then the rest is small.
        while carry != 0 {
            carry = self.add_small(u128::from(carry) * u128::from(WRAP));
        }
        self.reduce_once();
    }

    /// The number that multiplied with this one gives 1; of zero, zero.
    /// By Fermat: this number to the power of p - 2.
    pub(super) fn inverse(&self) -> Self {
        let mut power = self.power_of_ones(EXPONENT_ONES);
        for bit in (0..EXPONENT_REST_BITS).rev() {
            power.square(1);
            if EXPONENT_REST >> bit & 1 == 1 {
                power.multiply(self);
            }
        }
        power
    }

    /// To the power of 2^`ones` - 1, by doubling the number of ones.
    fn power_of_ones(&self, ones: u32) -> Self {
        let mut power = *self;
        let mut have = 1;
        for bit in (0..ones.ilog2()).rev() {
            let half = power;
            power.square(have);
            power.multiply(&half);
            have *= 2;
            if ones >> bit & 1 == 1 {
                power.square(1);
                power.multiply(self);
                have += 1;
            }
        }
        power
    }

    fn square(&mut self, times: u32) {
        for _ in 0..times {
            let copy = *self;
            self.multiply(&copy);
        }
    }

    /// Brings a number below 2^3072 below p.
    fn reduce_once(&mut self) {
        let is_above =
            self.0[0] >= WRAP.wrapping_neg() && self.0[1..].iter().all(|&limb| limb == u64::MAX);
        if is_above {
            // Subtracting p is adding 2^3072 - p and dropping the carry.
            self.add_small(u128::from(WRAP));
        }
    }

    /// Returns the carry out of the top limb.
    fn add_small(&mut self, mut carry: u128) -> u64 {
        for limb in &mut self.0 {
            if carry == 0 {
                break;
            }
            let sum = u128::from(*limb) + (carry & u128::from(u64::MAX));
            (*limb, carry) = (low_limb(sum), (carry >> 64) + (sum >> 64));
        }
        low_limb(carry)
    }
}

/// `left * right + sum + carry`, which always fits two limbs: low, high.
fn multiply_add(left: u64, right: u64, sum: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(left) * u128::from(right) + u128::from(sum) + u128::from(carry);
    (low_limb(wide), low_limb(wide >> 64))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what is asked for"
)]
const fn low_limb(wide: u128) -> u64 {
    wide as u64
}
