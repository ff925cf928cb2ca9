// Two nodes that are cut apart and mine on, and what happens when they meet.

import { hashBytes } from '../chain/bytes.js';
import { bitsToTarget, targetToBits } from '../chain/header.js';
import { BlockTree } from '../chain/tree.js';
import { EASY, block, minedNow, nameOf } from '../ui/blocks.js';
import { box, button, el, restartable } from '../ui/dom.js';
import { treeView } from '../ui/tree.js';

export const id = 'fork';
export const title = 'Fork';
export const lead =
  'Cut off from each other, two nodes mine two branches, and one coin can be spent on each. ' +
  'When they meet again, the branch with most work wins, not the longer one; with equal work everybody keeps what was there first. ' +
  'The loser takes its blocks back, and what they paid is undone: that is why one waits for a few blocks.';

const NAMES = ['North', 'South'];
const PAID = { North: 'Bob', South: 'Carol' };
// A quarter of the target is four times the work.
const HARD = targetToBits(bitsToTarget(EASY) / 4n);

export const build = () => restartable(network);

function network(restart) {
  const genesis = minedNow(block(0, 'In the beginning'));
  const nodes = NAMES.map((name) => ({ name, tree: new BlockTree(genesis.header), panel: el('div') }));
  const texts = new Map([[nameOf(genesis), genesis.tag]]);
  let isCut = false;
  const told = el('p', { class: 'learn-note', role: 'status', text: 'Both nodes have the same chain. Cut the line, then let both mine.' });
  const picture = el('div', { class: 'learn-tree' });
  const isHard = el('input', { type: 'checkbox' });
  const line = button('Cut the line', () => toggle(), { class: 'learn-main', 'aria-pressed': 'false' });

  const paidBy = (node) => node.tree.chain().find((one) => texts.get(one.name).startsWith('Alice pays'));
  const show = () => {
    line.textContent = isCut ? 'Join them again' : 'Cut the line';
    line.setAttribute('aria-pressed', String(isCut));
    picture.replaceChildren(treeView(nodes, texts));
    for (const { name, tree, panel } of nodes) {
      const tip = tree.get(tree.tip);
      const paid = paidBy({ tree });
      const depth = paid ? tip.height - paid.height + 1 : 0;
      panel.replaceChildren(
        box(
          name,
          el('p', {}, 'Height ', el('strong', { text: tip.height }), ', work ', el('strong', { text: tip.work.toLocaleString('en') }), ' hashes'),
          el('p', { text: paid ? `${texts.get(paid.name)}: ${depth} ${depth === 1 ? 'block' : 'blocks'} deep` : 'Alice’s coin is not spent.' }),
        ),
      );
    }
  };
  // A node takes blocks of another in, and says what that changed.
  const hear = (node, headers) => {
    const steps = headers.map((header) => node.tree.accept(header));
    const back = steps.flatMap((step) => step.disconnected ?? []).length;
    const tips = steps.filter((step) => step.kind === 'tip');
    if (back > 0) {
      const put = tips.flatMap((step) => step.connected).length;
      return `${node.name} takes ${back} of its blocks back and puts ${put} in their place.`;
    }
    if (tips.length > 0) return `${node.name} follows.`;
    return steps.some((step) => step.kind === 'side') ? `${node.name} keeps its own branch.` : '';
  };
  const dig = (node) => {
    const { tree } = node;
    const tip = tree.get(tree.tip);
    const spends = isCut && !paidBy(node);
    const text = spends ? `Alice pays ${PAID[node.name]}` : `${node.name} ${tip.height + 1}`;
    const isHarder = node.name === 'South' && isHard.checked;
    const made = minedNow(block(tip.height + 1, text, hashBytes(tree.tip), isHarder ? HARD : EASY));
    texts.set(nameOf(made), text);
    tree.accept(made.header);
    const other = nodes.find((one) => one !== node);
    const said = isCut ? `${other.name} does not hear of it.` : hear(other, [made.header]);
    told.textContent = `${node.name} mined block ${made.height}. ${said}`;
    show();
  };
  const toggle = () => {
    isCut = !isCut;
    if (isCut) {
      told.textContent = 'The line is cut: each hears only itself.';
    } else {
      const chains = nodes.map(({ tree }) => tree.chain().map((one) => one.header));
      const said = nodes.map((node, at) => hear(node, chains[1 - at]));
      told.textContent = `They meet and tell each other their blocks. ${said.filter(Boolean).join(' ')}`;
    }
    show();
  };
  show();
  return [
    el(
      'div',
      { class: 'learn-actions' },
      line,
      ...nodes.map((node) => button(`${node.name} mines`, () => dig(node))),
      el('label', { class: 'learn-check' }, isHard, 'South’s blocks take four times the work'),
      button('As it was', restart),
    ),
    told,
    picture,
    el('div', { class: 'learn-flow' }, ...nodes.map((node) => node.panel)),
  ];
}
