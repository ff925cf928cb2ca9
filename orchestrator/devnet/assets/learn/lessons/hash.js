// A text and its hash, as one types.

import { toHex, utf8 } from '../chain/bytes.js';
import { sha256, sha256d } from '../chain/sha256.js';
import { el, field } from '../ui/dom.js';
import { bitsChanged, changesView } from '../ui/hex.js';

export const id = 'hash';
export const title = 'Hash';
export const lead =
  'A hash is a fingerprint of bytes: always 256 bits, the same for the same bytes. ' +
  'Change one letter and about half of the bits turn over, so nobody can aim for a certain hash. ' +
  'The chain takes SHA-256 twice.';

export function build() {
  const text = el('textarea', { rows: 3, value: 'Alice pays Bob 5 coins', spellcheck: 'false' });
  const [once, twice] = [el('output'), el('output')];
  const change = el('p', { class: 'learn-note', role: 'status' });
  let before;
  const update = () => {
    const bytes = utf8(text.value);
    const hashes = [sha256(bytes), sha256d(bytes)];
    once.replaceChildren(changesView(toHex(hashes[0]), before && toHex(before[0])));
    twice.replaceChildren(changesView(toHex(hashes[1]), before && toHex(before[1])));
    const turned = before ? bitsChanged(hashes[1], before[1]) : 0;
    change.textContent = before
      ? `${turned} of 256 bits turned over with the last change; the marked digits are new.`
      : 'Change the text, and see how much of the hash stays.';
    before = hashes;
  };
  text.addEventListener('input', update);
  update();
  return el(
    'div',
    { class: 'learn-card' },
    field('Text', text),
    el('h3', { text: 'SHA-256' }),
    once,
    el('h3', { text: 'SHA-256 twice, as the chain takes it' }),
    twice,
    change,
  );
}
