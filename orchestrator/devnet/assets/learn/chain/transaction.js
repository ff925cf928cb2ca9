// Transactions in Bitcoin's bytes, what a signature commits to (BIP 341), merkle
// trees and coinbases (BIP 34, BIP 141).

import { compactSize, concat, le, toHex, utf8, withLength } from './bytes.js';
import { sha256, sha256d, taggedHash } from './sha256.js';
import { verify } from './curve.js';

export const COIN = 100_000_000n;
export const FINAL = 0xffffffff;

// An output that only the owner of the key can spend: OP_1 and 32 bytes.
export const payTo = (key) => concat([0x51, 32], key);

const list = (items, encode) => concat(compactSize(items.length), ...items.map(encode));
const outpoint = (input) => concat(input.txid, le(input.vout, 4));
const inputBytes = (input) => concat(outpoint(input), withLength(input.script), le(input.sequence, 4));
const outputBytes = (output) => concat(le(output.value, 8), withLength(output.script));
const witnessBytes = (input) => list(input.witness, withLength);

// The bytes without witnesses: what the id is made of.
export function baseBytes(tx) {
  return concat(le(tx.version, 4), list(tx.inputs, inputBytes), list(tx.outputs, outputBytes), le(tx.lockTime, 4));
}

const hasWitness = (tx) => tx.inputs.some((input) => input.witness.length > 0);

// The bytes as they travel.
export function txBytes(tx) {
  if (!hasWitness(tx)) return baseBytes(tx);
  return concat(
    le(tx.version, 4),
    [0, 1],
    list(tx.inputs, inputBytes),
    list(tx.outputs, outputBytes),
    ...tx.inputs.map(witnessBytes),
    le(tx.lockTime, 4),
  );
}

export const txid = (tx) => sha256d(baseBytes(tx));
export const wtxid = (tx) => sha256d(txBytes(tx));

const NONE = 2;
const SINGLE = 3;
const ANYONE = 0x80;

// The 32 bytes that input `at` signs. `spent` are the outputs that the inputs
// spend, in their order; `type` is 0 for all of the transaction.
export function sighash(tx, spent, at, type = 0) {
  if (![0, 1, 2, 3, 0x81, 0x82, 0x83].includes(type)) throw new Error('no hash type');
  const each = (items, encode) => sha256(concat(...items.map(encode)));
  const isOfOne = (type & ANYONE) !== 0;
  const outputs = type & 3;
  const parts = [[0, type], le(tx.version, 4), le(tx.lockTime, 4)];
  if (!isOfOne) {
    parts.push(
      each(tx.inputs, outpoint),
      each(spent, (output) => le(output.value, 8)),
      each(spent, (output) => withLength(output.script)),
      each(tx.inputs, (input) => le(input.sequence, 4)),
    );
  }
  if (outputs !== NONE && outputs !== SINGLE) parts.push(each(tx.outputs, outputBytes));
  parts.push([0]);
  const input = tx.inputs[at];
  if (isOfOne) parts.push(outpoint(input), outputBytes(spent[at]), le(input.sequence, 4));
  else parts.push(le(at, 4));
  if (outputs === SINGLE) {
    if (at >= tx.outputs.length) throw new Error('no output for this input');
    parts.push(sha256(outputBytes(tx.outputs[at])));
  }
  return taggedHash('TapSighash', ...parts);
}

// Whether input `at` may spend its output.
export function isSigned(tx, spent, at) {
  const { script, witness } = tx.inputs[at];
  const lock = spent[at].script;
  if (lock.length !== 34 || lock[0] !== 0x51 || lock[1] !== 32) return false;
  if (script.length !== 0 || witness.length !== 1) return false;
  const [item] = witness;
  if (item.length !== 64 && item.length !== 65) return false;
  const type = item.length === 65 ? item[64] : 0;
  // The default type is written by leaving it out.
  if (item.length === 65 && type === 0) return false;
  try {
    return verify(item.slice(0, 64), sighash(tx, spent, at, type), lock.slice(2));
  } catch {
    return false;
  }
}

const coinName = (input) => `${toHex(input.txid)}:${input.vout}`;

// The first of the chain's rules that a transfer breaks; null if it breaks none.
// `coinOf` finds the output an input spends, or nothing.
export function transferFlaw(tx, coinOf) {
  if (tx.inputs.length === 0) return 'inputs_empty';
  if (tx.outputs.length === 0) return 'outputs_empty';
  const most = 21_000_000n * COIN;
  if (tx.outputs.some((output) => output.value < 0n || output.value > most)) return 'output_value_range';
  const sum = (outputs) => outputs.reduce((total, output) => total + output.value, 0n);
  if (sum(tx.outputs) > most) return 'output_sum_range';
  if (new Set(tx.inputs.map(coinName)).size !== tx.inputs.length) return 'inputs_duplicate';
  const spent = tx.inputs.map(coinOf);
  if (spent.some((output) => !output)) return 'input_missing';
  if (sum(tx.outputs) > sum(spent)) return 'overspent';
  return tx.inputs.every((_, at) => isSigned(tx, spent, at)) ? null : 'signature';
}

// The root over ids; an odd row repeats its last one.
export function merkleRoot(ids) {
  let row = ids;
  while (row.length > 1) {
    const next = [];
    for (let at = 0; at < row.length; at += 2) {
      next.push(sha256d(concat(row[at], row[at + 1] ?? row[at])));
    }
    row = next;
  }
  return row[0];
}

// A height as a coinbase begins with it (BIP 34).
function pushNumber(number) {
  if (number === 0) return [0];
  if (number <= 16) return [0x50 + number];
  let bytes = [...le(number, 4)];
  while (bytes.at(-1) === 0) bytes.pop();
  if (bytes.at(-1) & 0x80) bytes = [...bytes, 0];
  return [bytes.length, ...bytes];
}

// Bytes of text that a coinbase has room for.
export const TAG_BYTES_MAX = 75;

// The transaction that makes a block's new coins. `tag` is free text.
export function coinbase({ height, tag, value, key, others = [] }) {
  const text = utf8(tag).slice(0, TAG_BYTES_MAX);
  const script = concat(pushNumber(height), withLength(new Uint8Array(8)), withLength(text));
  const ids = [new Uint8Array(32), ...others.map(wtxid)];
  const commitment = sha256d(concat(merkleRoot(ids), new Uint8Array(32)));
  return {
    version: 2,
    inputs: [
      { txid: new Uint8Array(32), vout: 0xffffffff, script, sequence: FINAL, witness: [new Uint8Array(32)] },
    ],
    outputs: [
      { value, script: payTo(key) },
      { value: 0n, script: concat([0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed], commitment) },
    ],
    lockTime: 0,
  };
}

