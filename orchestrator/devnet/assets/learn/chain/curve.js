// Signatures of BIP 340 over secp256k1, and the keys of taproot outputs
// (BIP 341, BIP 86). For lessons: it is not hardened against side channels.

import { be32, concat, toBigInt } from './bytes.js';
import { taggedHash } from './sha256.js';

const P = 2n ** 256n - 2n ** 32n - 977n;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const G = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
};

const mod = (number, by = P) => ((number % by) + by) % by;

function power(base, exponent) {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const inverse = (number) => power(number, P - 2n);

// Points are {x, y, z} in Jacobian form; null is the point at infinity.
function double(point) {
  if (point === null || point.y === 0n) return null;
  const { x, y, z } = point;
  const yy = (y * y) % P;
  const s = (4n * x * yy) % P;
  const m = (3n * x * x) % P;
  const x3 = mod(m * m - 2n * s);
  return { x: x3, y: mod(m * (s - x3) - 8n * yy * yy), z: (2n * y * z) % P };
}

function add(a, b) {
  if (a === null) return b;
  if (b === null) return a;
  const [za, zb] = [(a.z * a.z) % P, (b.z * b.z) % P];
  const [ua, ub] = [(a.x * zb) % P, (b.x * za) % P];
  const [sa, sb] = [(a.y * zb * b.z) % P, (b.y * za * a.z) % P];
  if (ua === ub) return sa === sb ? double(a) : null;
  const h = mod(ub - ua);
  const hh = (h * h) % P;
  const hhh = (h * hh) % P;
  const r = mod(sb - sa);
  const v = (ua * hh) % P;
  const x = mod(r * r - hhh - 2n * v);
  return { x, y: mod(r * (v - x) - sa * hhh), z: (h * a.z * b.z) % P };
}

function times(point, scalar) {
  let sum = null;
  for (let step = point, rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, step);
    step = double(step);
  }
  return sum;
}

function affine(point) {
  if (point === null) return null;
  const inv = inverse(point.z);
  const square = (inv * inv) % P;
  return { x: (point.x * square) % P, y: (point.y * square * inv) % P, z: 1n };
}

const BASE = { ...G, z: 1n };

// The point of even y with that x; null if there is none.
function liftX(x) {
  if (x >= P) return null;
  const square = mod(x * x * x + 7n);
  const y = power(square, (P + 1n) / 4n);
  if ((y * y) % P !== square) return null;
  return { x, y: y & 1n ? P - y : y, z: 1n };
}

function secretNumber(secret) {
  const number = toBigInt(secret);
  if (number === 0n || number >= N) throw new Error('no secret key');
  return number;
}

// The secret number whose point has an even y, and that point.
function even(number) {
  const point = affine(times(BASE, number));
  return point.y & 1n ? { number: N - number, point: { ...point, y: P - point.y } } : { number, point };
}

// The x-only public key of 32 secret bytes.
export const publicKey = (secret) => be32(even(secretNumber(secret)).point.x);

function tweaked(secret) {
  const { number, point } = even(secretNumber(secret));
  const tweak = toBigInt(taggedHash('TapTweak', be32(point.x)));
  if (tweak >= N) throw new Error('no such key');
  return mod(number + tweak, N);
}

// What a taproot output without scripts is locked to.
export const outputKey = (secret) => be32(even(tweaked(secret)).point.x);

// Signs 32 bytes for the output that is locked to `outputKey(secret)`.
export const signForOutput = (secret, message, aux) => sign(be32(tweaked(secret)), message, aux);

// 64 bytes of signature over the message by that key. `aux` are 32 bytes; any do.
export function sign(secret, message, aux = new Uint8Array(32)) {
  const { number, point } = even(secretNumber(secret));
  const mask = toBigInt(taggedHash('BIP0340/aux', aux));
  const key = be32(point.x);
  const seed = taggedHash('BIP0340/nonce', be32(number ^ mask), key, message);
  const nonce = even(mod(toBigInt(seed), N));
  const r = be32(nonce.point.x);
  const challenge = toBigInt(taggedHash('BIP0340/challenge', r, key, message));
  return concat(r, be32(mod(nonce.number + challenge * number, N)));
}

// Whether the signature is that of the message by the owner of the key.
export function verify(signature, message, key) {
  if (signature.length !== 64 || key.length !== 32) return false;
  const point = liftX(toBigInt(key));
  const [r, s] = [toBigInt(signature.slice(0, 32)), toBigInt(signature.slice(32))];
  if (point === null || r >= P || s >= N) return false;
  const hash = taggedHash('BIP0340/challenge', signature.slice(0, 32), key, message);
  const challenge = mod(toBigInt(hash), N);
  const found = affine(add(times(BASE, s), times(point, N - challenge)));
  return found !== null && (found.y & 1n) === 0n && found.x === r;
}
