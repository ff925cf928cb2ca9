//! The `ChaCha20` key stream (RFC 8439, section 2.3) with nonce and first
//! counter zero: all that hashing to a number needs.

const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
const BLOCK_BYTES: usize = 64;
const DOUBLE_ROUNDS: usize = 10;

/// The four columns, then the four diagonals.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// The first `N` bytes of the stream.
pub(super) fn keystream<const N: usize>(key: &[u8; 32]) -> [u8; N] {
    let mut stream = [0; N];
    for (counter, chunk) in (0_u32..).zip(stream.chunks_mut(BLOCK_BYTES)) {
        let block = block(key, counter);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
    stream
}

fn block(key: &[u8; 32], counter: u32) -> [u8; BLOCK_BYTES] {
    let mut initial = [0_u32; 16];
    initial[..4].copy_from_slice(&CONSTANTS);
    for (word, bytes) in initial[4..12].iter_mut().zip(key.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    initial[12] = counter;
    let mut state = initial;
    for _ in 0..DOUBLE_ROUNDS {
        for quarter in QUARTERS {
            quarter_round(&mut state, quarter);
        }
    }
    let mut out = [0; BLOCK_BYTES];
    for (index, bytes) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *bytes = state[index].wrapping_add(initial[index]).to_le_bytes();
    }
    out
}

fn quarter_round(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (add, to, rotate, by) in [(b, a, d, 16), (d, c, b, 12), (b, a, d, 8), (d, c, b, 7)] {
        state[to] = state[to].wrapping_add(state[add]);
        state[rotate] = (state[rotate] ^ state[to]).rotate_left(by);
    }
}
