//! Products of long numbers, by Karatsuba's method: three products of half
//! the length instead of four.

use super::multiply_add;

/// Limbs at which plain long multiplication is faster.
const PLAIN: usize = 12;
const TWICE: usize = 2 * PLAIN;
const WHOLE: usize = 2 * TWICE;

/// A number of twice as many limbs: the lower ones, the higher ones.
type Double<const N: usize> = ([u64; N], [u64; N]);

/// `left * right`.
pub(super) fn multiply(left: &[u64; WHOLE], right: &[u64; WHOLE]) -> Double<WHOLE> {
    by_halves(left, right, |left: &[u64; TWICE], right| {
        by_halves(left, right, multiply_plain)
    })
}

/// `N` is twice `H`.
fn by_halves<const N: usize, const H: usize>(
    left: &[u64; N],
    right: &[u64; N],
    multiply: impl Fn(&[u64; H], &[u64; H]) -> Double<H>,
) -> Double<N> {
    let (left_low, left_high) = halves(left);
    let (right_low, right_high) = halves(right);
    let mut low = whole(&multiply(&left_low, &right_low));
    let mut high = whole(&multiply(&left_high, &right_high));

    // The cross products are low + high plus the product of the differences.
    let (one, is_one_negative) = distance(left_low, &left_high);
    let (other, is_other_negative) = distance(right_high, &right_low);
    let differences: [u64; N] = whole(&multiply(&one, &other));
    let mut crossed = low;
    let mut top = u64::from(add(&mut crossed, &high));
    if is_one_negative == is_other_negative {
        top += u64::from(add(&mut crossed, &differences));
    } else {
        // They are a sum of products, so the whole stays above zero.
        top = top.wrapping_sub(u64::from(subtract(&mut crossed, &differences)));
    }

    let mut carry = false;
    for (limb, more) in low[H..].iter_mut().zip(&crossed[..H]) {
        (*limb, carry) = add_carry(*limb, *more, carry);
    }
    for (limb, more) in high[..H].iter_mut().zip(&crossed[H..]) {
        (*limb, carry) = add_carry(*limb, *more, carry);
    }
    let mut carry = top + u64::from(carry);
    for limb in &mut high[H..] {
        let is_over;
        (*limb, is_over) = limb.overflowing_add(carry);
        carry = u64::from(is_over);
    }
    (low, high)
}

fn multiply_plain(left: &[u64; PLAIN], right: &[u64; PLAIN]) -> Double<PLAIN> {
    let mut product = [0; TWICE];
    for (offset, &factor) in left.iter().enumerate() {
        let row = &mut product[offset..=offset + PLAIN];
        let mut carry = 0;
        for place in 0..PLAIN {
            (row[place], carry) = multiply_add(factor, right[place], row[place], carry);
        }
        row[PLAIN] = carry;
    }
    halves(&product)
}

fn halves<const N: usize, const H: usize>(number: &[u64; N]) -> ([u64; H], [u64; H]) {
    let (mut low, mut high) = ([0; H], [0; H]);
    low.copy_from_slice(&number[..H]);
    high.copy_from_slice(&number[H..]);
    (low, high)
}

fn whole<const N: usize, const H: usize>((low, high): &Double<H>) -> [u64; N] {
    let mut number = [0; N];
    number[..H].copy_from_slice(low);
    number[H..].copy_from_slice(high);
    number
}

/// Adds into `sum`; returns the carry.
fn add<const N: usize>(sum: &mut [u64; N], more: &[u64; N]) -> bool {
    let mut carry = false;
    for (limb, more) in sum.iter_mut().zip(more) {
        (*limb, carry) = add_carry(*limb, *more, carry);
    }
    carry
}

fn add_carry(left: u64, right: u64, carry: bool) -> (u64, bool) {
    let (partial, first) = left.overflowing_add(right);
    let (sum, second) = partial.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// Subtracts from `rest`; returns the borrow.
fn subtract<const N: usize>(rest: &mut [u64; N], less: &[u64; N]) -> bool {
    let mut borrow = false;
    for (limb, less) in rest.iter_mut().zip(less) {
        let (partial, first) = limb.overflowing_sub(*less);
        let second;
        (*limb, second) = partial.overflowing_sub(u64::from(borrow));
        borrow = first | second;
    }
    borrow
}

/// How far the numbers lie apart, and whether the first is the smaller.
fn distance<const N: usize>(left: [u64; N], right: &[u64; N]) -> ([u64; N], bool) {
    let mut apart = left;
    let is_negative = subtract(&mut apart, right);
    if is_negative {
        let mut carry = true;
        for limb in &mut apart {
            (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
        }
    }
    (apart, is_negative)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every limb with every limb.
    fn long(left: &[u64; WHOLE], right: &[u64; WHOLE]) -> [u64; 2 * WHOLE] {
        let mut product = [0; 2 * WHOLE];
        for (offset, factor) in left.iter().enumerate() {
            let mut carry = 0;
            for (place, limb) in right.iter().enumerate() {
                let sum = product[offset + place];
                (product[offset + place], carry) = multiply_add(*factor, *limb, sum, carry);
            }
            product[offset + WHOLE] = carry;
        }
        product
    }

    fn limb() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), Just(1), Just(u64::MAX), any::<u64>()]
    }

    fn number() -> impl Strategy<Value = [u64; WHOLE]> {
        prop::collection::vec(limb(), WHOLE).prop_map(|limbs| {
            let mut number = [0; WHOLE];
            number.copy_from_slice(&limbs);
            number
        })
    }

    proptest! {
        #[test]
        fn products_are_those_of_long_multiplication(left in number(), right in number()) {
            let expected = long(&left, &right);
            prop_assert_eq!(whole::<{ 2 * WHOLE }, WHOLE>(&multiply(&left, &right)), expected);
        }
    }
}
