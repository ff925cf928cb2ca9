// A chain where an edited byte breaks every block that follows.

import { chainOf, flaws, minedAgain, withTag } from '../ui/blocks.js';
import { card } from '../ui/card.js';
import { button, el } from '../ui/dom.js';

export const id = 'chain';
export const title = 'Chain';
export const lead =
  'Every header names the hash of the block before. ' +
  'Change one byte of an old block and its hash changes: it misses its target, and the next block names a block that is no more. ' +
  'To hide the change, that block and all that follow must be mined again.';

const TEXTS = ['In the beginning', 'Alice pays Bob 5', 'Bob pays Carol 2', 'Carol pays Dave 1', 'Dave pays Alice 1'];

export function build() {
  const first = chainOf(TEXTS);
  let chain = first;
  let isMining = false;
  const told = el('p', { class: 'learn-note', role: 'status' });
  const cards = chain.map((made, height) =>
    card({
      height,
      tag: made.tag,
      onedit: (tag) => put(height, withTag(chain[height], tag)),
      onmine: () => again(height, height),
    }),
  );
  const show = () => {
    const found = flaws(chain);
    cards.forEach((one, at) => one.show(chain[at], found[at]));
    const broken = found.filter((flaw) => flaw !== null).length;
    if (!isMining) {
      told.textContent = broken === 0 ? 'All blocks are sound.' : `${broken} of ${chain.length} blocks are broken.`;
    }
  };
  const put = (at, made) => {
    chain = chain.with(at, made);
    show();
  };
  const tell = (at) => {
    told.textContent = `Mining block ${at} …`;
  };
  const again = async (from, to) => {
    if (isMining) return;
    isMining = true;
    let isDone = false;
    try {
      isDone = await minedAgain({ read: () => chain, write: put, tell }, from, to);
    } finally {
      isMining = false;
      show();
    }
    if (!isDone) told.textContent += ' A block was changed while it was mined: mine it again.';
  };
  const repair = () => {
    const broken = flaws(chain).findIndex((flaw) => flaw !== null);
    if (broken >= 0) again(broken, chain.length - 1);
  };
  const reset = () => {
    chain = first;
    show();
  };
  show();
  return el(
    'div',
    { class: 'learn-stack' },
    el(
      'div',
      { class: 'learn-actions' },
      button('Mine all broken blocks', repair, { class: 'learn-main' }),
      button('As it was', reset),
      told,
    ),
    el('div', { class: 'learn-chain' }, ...cards.map((one) => one.element)),
  );
}
