// Several nodes' copies side by side; the odd one out can be seen, and what the
// others do about it.

import { BlockTree } from '../chain/tree.js';
import { block, chainOf, flaws, hashOf, minedAgain, minedNow, nameOf, withTag } from '../ui/blocks.js';
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
    told.textContent = `${node.name} mines …`;
    const [from, last] = [flaws(node.chain).findIndex((flaw) => flaw !== null), node.chain.length - 1];
    const write = (at, made) => {
      node.chain = node.chain.with(at, made);
      show();
    };
    let isDone = false;
    try {
      isDone = await minedAgain({ read: () => node.chain, write }, from, last);
    } finally {
      isBusy = false;
    }
    if (!isDone || !isSound(node)) told.textContent = `A block was changed while ${node.name} mined: mine the copy again.`;
    else told.textContent = `${node.name} has mined ${last + 1 - from} blocks again. ${differs(node)}`;
  };
  const differs = (node) =>
    tipOf(node) === common() ? 'The copy is that of the others again.' : 'The copy is sound, and still not that of the others.';
  // Those who agree mine a block; whoever has another chain sees which has more work.
  const goOn = () => {
    const agreed = nodes.filter((node) => tipOf(node) === common() && isSound(node));
    if (isBusy) return;
    if (agreed.length === 0) {
      told.textContent = 'No two copies agree; nobody knows what to mine on.';
      return;
    }
    const chain = agreed[0].chain;
    const next = minedNow(block(chain.length, `Block ${chain.length}`, hashOf(chain.at(-1))));
    const longer = [...chain, next];
    const said = [`${agreed.map((node) => node.name).join(' and ')} mined block ${next.height}.`];
    for (const node of nodes) {
      const heard = agreed.includes(node) ? { follows: true } : hear(node, longer);
      if (heard.said) said.push(heard.said);
      if (!heard.follows) continue;
      node.chain = longer;
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

// Whether a node follows another chain than its own, by the chain's own rule, and
// what it says. A broken copy is thrown away.
function hear({ name, chain }, other) {
  if (flaws(chain).some((flaw) => flaw !== null)) return { follows: true, said: `${name}'s broken copy is thrown away.` };
  if (nameOf(chain[0]) !== nameOf(other[0])) {
    return { follows: false, said: `${name} has another first block and stays alone for good.` };
  }
  const tree = new BlockTree(chain[0].header);
  chain.slice(1).forEach((made) => tree.accept(made.header));
  const tips = other.slice(1).map((made) => tree.accept(made.header)).filter((step) => step.kind === 'tip');
  const back = tips.flatMap((step) => step.disconnected).length;
  return tips.length > 0
    ? { follows: true, said: `${name} saw more work there, took back ${back} blocks and follows.` }
    : { follows: false, said: `${name}'s chain has as much work and was there first: it stays.` };
}
