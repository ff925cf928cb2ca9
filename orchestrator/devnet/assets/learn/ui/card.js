// A block as a card: its text, its nonce, its links, and whether it is sound.

import { hashText } from '../chain/bytes.js';
import { TAG_BYTES_MAX } from '../chain/transaction.js';
import { nameOf } from './blocks.js';
import { button, el, field } from './dom.js';
import { short } from './hex.js';

// `onedit` gets the new text; `onmine`, where given, is offered as a button. The
// card is made once and shown again by `show`, so that typing keeps its place.
export function card({ who = '', height, tag, onedit, onmine }) {
  const text = el('input', { value: tag, maxLength: TAG_BYTES_MAX });
  text.addEventListener('input', () => onedit(text.value));
  const labelled = field('Text', text);
  text.setAttribute('aria-label', `Text of ${who ? `${who}'s ` : ''}block ${height}`);
  const parts = { before: el('code'), nonce: el('code'), hash: el('code') };
  const state = el('p', { class: 'learn-verdict' });
  const mine = onmine && button('Mine', onmine, { 'aria-label': `Mine block ${height} again` });
  const element = el(
    'article',
    { class: 'learn-block', 'aria-label': `${who ? `${who}, b` : 'B'}lock ${height}` },
    el('h3', { text: `Block ${height}` }),
    labelled,
    el(
      'dl',
      {},
      ...[['before', 'Before'], ['nonce', 'Nonce'], ['hash', 'Hash']].flatMap(([key, name]) => [
        el('dt', { text: name }),
        el('dd', {}, parts[key]),
      ]),
    ),
    state,
    ...(mine ? [mine] : []),
  );
  const show = (made, flaw) => {
    if (text.value !== made.tag) text.value = made.tag;
    parts.before.textContent = height === 0 ? 'none' : short(hashText(made.header.previous));
    parts.nonce.textContent = made.header.nonce;
    parts.hash.textContent = short(nameOf(made));
    element.classList.toggle('learn-broken', flaw !== null);
    state.className = `learn-verdict ${flaw === null ? 'learn-good' : 'learn-bad'}`;
    state.textContent = flaw === null ? '✓ sound' : `✗ ${flaw}`;
  };
  return { element, show };
}
