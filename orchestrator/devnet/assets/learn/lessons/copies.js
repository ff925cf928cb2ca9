// Several nodes' copies side by side; the odd one out can be seen, and what the
// others do about it.

import { BlockTree } from '../chain/tree.js';
import { block, chainOf, flaws, hashOf, mined, minedNow, nameOf, withHeader, withTag } from '../ui/blocks.js';
import { card } from '../ui/card.js';
import { button, el, restartable, status, verdict } from '../ui/dom.js';
import { short } from '../ui/hex.js';

export const id = 'copies';
export const title = 'Copies';
export const lead =
  'Every node keeps a whole copy and checks all of it. ' +
  'Who rewrites a copy and mines it again has a sound chain with another tip, and everybody sees that it differs. ' +
  'Nodes do not vote: each follows the chain with most work, and as soon as the others mine on, the rewritten one has less.';

const NAMES = ['Alice', 'Bob', 'Carol'];
const TEXTS = ['In the beginning', 'Mint pays Alice 50', 'Alice pays Bob 20'];

export const build = () => restartable(network);

function network(restart) {
  const first = chainOf(TEXTS);
  const nodes = NAMES.map((name) => ({ name, chain: first, cards: [], list: el('div', { class: 'learn-column-blocks' }), verdict: status() }));
  let isBusy = false;
  const told = el('p', { class: 'learn-note', role: 'status' });

  const deal = (node) => {
    node.cards = node.chain.map((made, height) =>
      card({
        who: node.name,
        height,
        tag: made.tag,
        onedit: (tag) => {
          node.chain = node.chain.with(height, withTag(node.chain[height], tag));
          show();
        },
      }),
    );
    node.list.replaceChildren(...node.cards.map((one) => one.element));
  };
  const isSound = (node) => flaws(node.chain).every((flaw) => flaw === null);
  const tipOf = (node) => nameOf(node.chain.at(-1));
  // The tip that several sound copies have.
  const common = () => {
    const tips = nodes.filter(isSound).map(tipOf);
    return tips.find((tip) => tips.filter((other) => other === tip).length > 1);
  };
  const show = () => {
    for (const node of nodes) {
      const found = flaws(node.chain);
      node.cards.forEach((one, at) => one.show(node.chain[at], found[at]));
      const isOdd = tipOf(node) !== common() || !isSound(node);
      node.column.classList.toggle('learn-odd', isOdd);
      const tip = short(tipOf(node));
      if (!isSound(node)) verdict(node.verdict, false, `odd one out, and broken: nobody accepts tip ${tip}`);
      else verdict(node.verdict, !isOdd, isOdd ? `odd one out: sound, but with tip ${tip}` : `tip ${tip}`);
    }
  };
  const rewrite = async () => {
    const node = nodes.find((one) => !isSound(one));
    if (isBusy) return;
    if (!node) {
      told.textContent = 'No copy is broken. Edit a text first.';
      return;
    }
    isBusy = true;
    const from = flaws(node.chain).findIndex((flaw) => flaw !== null);
    for (let at = from; at < node.chain.length; at += 1) {
      const link = at === 0 ? {} : { previous: hashOf(node.chain[at - 1]) };
      node.chain = node.chain.with(at, await mined(withHeader(node.chain[at], { ...link, nonce: 0 })));
      show();
    }
    isBusy = false;
    told.textContent = `${node.name} has mined ${node.chain.length - from} blocks again. The copy is sound, and still not that of the others.`;
  };
  // Those who agree mine a block; whoever has another chain sees which has more work.
  const goOn = () => {
    const agreed = nodes.filter((node) => tipOf(node) === common() && isSound(node));
    if (isBusy || agreed.length === 0) {
      told.textContent = 'No two copies agree; nobody knows what to mine on.';
      return;
    }
    const chain = agreed[0].chain;
    const next = minedNow(block(chain.length, `Block ${chain.length}`, hashOf(chain.at(-1))));
    const longer = [...chain, next];
    const said = [`${agreed.map((node) => node.name).join(' and ')} mined block ${next.height}.`];
    for (const node of nodes) {
      if (!agreed.includes(node)) said.push(hear(node, longer));
      node.chain = node.follows === false ? node.chain : longer;
      deal(node);
    }
    told.textContent = said.join(' ');
    show();
  };
  for (const node of nodes) {
    deal(node);
    node.column = el('section', { class: 'learn-column', 'aria-label': `${node.name}'s copy` }, el('h3', { text: node.name }), node.verdict, node.list);
  }
  show();
  return [
    el(
      'div',
      { class: 'learn-actions' },
      button('Mine the edited copy again', rewrite, { class: 'learn-main' }),
      button('The others mine a block', goOn),
      button('As it was', restart),
    ),
    told,
    el('div', { class: 'learn-columns' }, ...nodes.map((node) => node.column)),
  ];
}

// Which of two chains a node follows, by the chain's own rule, and in words. A
// broken copy is thrown away.
function hear(node, other) {
  node.follows = true;
  if (flaws(node.chain).some((flaw) => flaw !== null)) return `${node.name}'s broken copy is thrown away.`;
  if (nameOf(node.chain[0]) !== nameOf(other[0])) {
    node.follows = false;
    return `${node.name} has another first block and stays alone for good.`;
  }
  const tree = new BlockTree(node.chain[0].header);
  node.chain.slice(1).forEach((made) => tree.accept(made.header));
  let change = null;
  for (const made of other.slice(1)) {
    const step = tree.accept(made.header);
    if (step.kind === 'tip') change = step;
  }
  node.follows = change !== null;
  return change
    ? `${node.name} saw more work there, took back ${change.disconnected.length} blocks and follows.`
    : `${node.name}'s chain has as much work and was there first: it stays.`;
}
