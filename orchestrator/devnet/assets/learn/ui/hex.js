// Bytes and hashes made readable.

import { el } from './dom.js';
import { toHex } from '../chain/bytes.js';
import { FIELDS, headerBytes } from '../chain/header.js';

const NAMES = {
  version: 'version',
  previous: 'hash before',
  merkleRoot: 'merkle root',
  time: 'time',
  bits: 'bits',
  nonce: 'nonce',
};

// The 80 bytes of a header, each field in a colour of its own with its name.
export function headerView(header) {
  const bytes = headerBytes(header);
  let from = 0;
  const parts = FIELDS.map(([name, size], at) => {
    const hex = toHex(bytes.slice(from, from + size));
    from += size;
    return el(
      'span',
      { class: `learn-part learn-part-${at}` },
      el('span', { class: 'learn-part-name', text: `${NAMES[name]}, ${size} bytes` }),
      el('code', { text: hex }),
    );
  });
  return el('div', { class: 'learn-header' }, ...parts);
}

// A hash with its leading zeros told apart.
export function hashView(text) {
  const zeros = text.match(/^0*/)[0];
  return el(
    'code',
    { class: 'learn-hash' },
    el('span', { class: 'learn-zeros', text: zeros }),
    text.slice(zeros.length),
  );
}

// The digits of `text`, those marked that are not as in `before`.
export function changesView(text, before) {
  const parts = [];
  for (let at = 0; at < text.length; at += 1) {
    const isNew = before !== undefined && before[at] !== text[at];
    parts.push(isNew ? el('mark', { text: text[at] }) : text[at]);
  }
  return el('code', { class: 'learn-hash' }, ...parts);
}

// How many bits differ between two hashes.
export function bitsChanged(a, b) {
  let count = 0;
  for (let at = 0; at < a.length; at += 1) {
    for (let bits = a[at] ^ b[at]; bits; bits &= bits - 1) count += 1;
  }
  return count;
}

export const short = (text) => text.replace(/^0+/, (zeros) => (zeros.length > 4 ? '0000…' : zeros)).slice(0, 13);

export const coins = (value) => {
  const text = (value / 100_000_000n).toString();
  const rest = (value % 100_000_000n).toString().padStart(8, '0').replace(/0+$/, '');
  return rest ? `${text}.${rest}` : text;
};
