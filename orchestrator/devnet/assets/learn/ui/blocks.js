// Blocks of the lessons: real ones, with one coinbase and an easy target.

import { hashText, utf8 } from '../chain/bytes.js';
import { outputKey } from '../chain/curve.js';
import { ZERO_HASH, bitsToTarget, headerBytes, headerFlaw, headerHash } from '../chain/header.js';
import { mine, mineNow } from '../chain/miner.js';
import { sha256 } from '../chain/sha256.js';
import { COIN, coinbase, merkleRoot, txid } from '../chain/transaction.js';

// One hash of 4,096 meets it.
export const EASY = 0x1f0fffff;
export const LIMIT = bitsToTarget(EASY);
const BIRTH_S = 1_800_000_000;
const SPACING_S = 600;

export const secretOf = (name) => sha256(utf8(`${name} of the lessons`));
export const keyOf = (name) => outputKey(secretOf(name));

const MINER = keyOf('miner');

// A block of that text on the block of that hash; its nonce is not searched yet.
export function block(height, tag, previous = ZERO_HASH, bits = EASY) {
  const made = { height, tag, header: { version: 4, previous, time: BIRTH_S + SPACING_S * height, bits, nonce: 0 } };
  return withTag(made, tag);
}

// The block with another text. That changes its merkle root, and so its hash.
export function withTag(old, tag) {
  const reward = coinbase({ height: old.height, tag, value: 50n * COIN, key: MINER });
  return { ...old, tag, header: { ...old.header, merkleRoot: merkleRoot([txid(reward)]) } };
}

export const withHeader = (old, change) => ({ ...old, header: { ...old.header, ...change } });

export const hashOf = (made) => headerHash(made.header);
export const nameOf = (made) => hashText(hashOf(made));

export function minedNow(made) {
  return withHeader(made, { nonce: mineNow(headerBytes(made.header), bitsToTarget(made.header.bits)) });
}

export async function mined(made, options) {
  const found = await mine(headerBytes(made.header), bitsToTarget(made.header.bits), options);
  return withHeader(made, { nonce: found.nonce });
}

// Links each of these blocks to the one before, and searches its nonce. `read`
// tells the chain as it is, `write` puts a block into it, `tell` hears which is
// next. What is found for a block that was changed meanwhile is dropped, and
// nothing more is mined; whether all were.
export async function minedAgain({ read, write, tell = () => {} }, from, to) {
  for (let at = from; at <= to; at += 1) {
    tell(at);
    const before = read();
    const previous = at === 0 ? ZERO_HASH : hashOf(before[at - 1]);
    const found = await mined(withHeader(before[at], { previous, nonce: 0 }));
    const now = read();
    if (now[at] !== before[at] || now[at - 1] !== before[at - 1]) return false;
    write(at, found);
  }
  return true;
}

// A chain of mined blocks with these texts.
export function chainOf(tags) {
  const chain = [];
  tags.forEach((tag, height) => {
    const previous = height === 0 ? ZERO_HASH : hashOf(chain[height - 1]);
    chain.push(minedNow(block(height, tag, previous)));
  });
  return chain;
}

// What is wrong with each block of a chain, in words; null where nothing is.
export function flaws(chain) {
  let isBroken = false;
  return chain.map((made, at) => {
    const previous = at === 0 ? ZERO_HASH : hashOf(chain[at - 1]);
    const isLinked = hashText(made.header.previous) === hashText(previous);
    let flaw = null;
    if (headerFlaw(made.header, LIMIT) !== null) flaw = 'its hash misses the target';
    else if (!isLinked) flaw = 'it names another block as the one before';
    else if (isBroken) flaw = 'it stands on a broken block';
    isBroken ||= flaw !== null;
    return flaw;
  });
}
