// Headers of 80 bytes, targets in their 32-bit form, and work.

import { concat, hashText, le, toBigInt, reversed } from './bytes.js';
import { sha256d } from './sha256.js';

export const ZERO_HASH = new Uint8Array(32);

// Fields and the bytes each takes, in their order.
export const FIELDS = [
  ['version', 4],
  ['previous', 32],
  ['merkleRoot', 32],
  ['time', 4],
  ['bits', 4],
  ['nonce', 4],
];

export function headerBytes(header) {
  return concat(
    le(header.version, 4),
    header.previous,
    header.merkleRoot,
    le(header.time, 4),
    le(header.bits, 4),
    le(header.nonce, 4),
  );
}

export const headerHash = (header) => sha256d(headerBytes(header));

// The hash as a number, its last byte the highest.
export const hashNumber = (hash) => toBigInt(reversed(hash));

// The target that the 32 bits stand for: one byte of length, three of mantissa.
export function bitsToTarget(bits) {
  const length = bits >>> 24;
  let mantissa = bits & 0x007fffff;
  if (length < 3) mantissa >>>= 8 * (3 - length);
  if (mantissa !== 0 && (bits & 0x00800000) !== 0) throw new Error('a negative target');
  const target = BigInt(mantissa) << BigInt(8 * Math.max(0, length - 3));
  if (target >> 256n !== 0n) throw new Error('a target above 256 bits');
  if (target === 0n) throw new Error('the target zero');
  return target;
}

// The 32-bit form, rounded down to three bytes.
export function targetToBits(target) {
  let length = Math.ceil(target.toString(2).length / 8);
  let mantissa = Number(length <= 3 ? target << BigInt(8 * (3 - length)) : target >> BigInt(8 * (length - 3)));
  // The highest bit is a sign and stays clear.
  if (mantissa & 0x00800000) {
    mantissa >>>= 8;
    length += 1;
  }
  return ((length << 24) | mantissa) >>> 0;
}

// Expected number of hashes until one is at most the target.
export const workOf = (target) => (1n << 256n) / (target + 1n);

export const meetsTarget = (hash, target) => hashNumber(hash) <= target;

export const targetText = (target) => target.toString(16).padStart(64, '0');

export const headerName = (header) => hashText(headerHash(header));

// Why a header is refused on its own, one of the chain's rules; null if it is not.
export function headerFlaw(header, limit) {
  let target;
  try {
    target = bitsToTarget(header.bits);
  } catch {
    return 'bits_malformed';
  }
  if (target > limit) return 'bits_above_limit';
  return meetsTarget(headerHash(header), target) ? null : 'proof_of_work';
}
