// Reads the tree of blocks: the best chain, branches, where they part.

import { store } from './store.js';

const COLOURS = 6;
let colours = new Map();
let last = null;

// What the tips of all nodes say together. Kept until something changes.
export function chain() {
  return last ??= read();
}

export function forgetChain() {
  last = null;
}

function ancestors(hash, until) {
  const path = [];
  for (let at = store.blocks.get(hash); at && !until?.has(at.hash); at = store.blocks.get(at.parent)) path.push(at);
  return path;
}

function read() {
  const tips = new Map();
  for (const node of store.nodes.values()) {
    if (!node.tip) continue;
    const tip = tips.get(node.tip.hash) ?? { ...node.tip, nodes: [], up: 0 };
    tip.nodes.push(node.name);
    if (node.condition === 'up') tip.up += 1;
    tips.set(tip.hash, tip);
  }
  // A node that is down says nothing about what holds now.
  const alive = [...tips.values()].filter((tip) => tip.up > 0);
  const judged = alive.length ? alive : [...tips.values()];
  const heavier = (a, b) => b.work.localeCompare(a.work) || b.up - a.up || a.hash.localeCompare(b.hash);
  judged.sort(heavier);
  const best = judged[0] ?? null;
  const path = best ? ancestors(best.hash) : [];
  const onBest = new Set(path.map((block) => block.hash));
  const branches = [];
  for (const tip of tips.values()) {
    if (tip === best || onBest.has(tip.hash)) continue;
    const own = ancestors(tip.hash, onBest);
    const root = own.at(-1);
    // Where the blocks below are not known any more, the fork lies deeper still.
    const isDeep = root !== undefined && !onBest.has(root.parent);
    branches.push({ tip, blocks: own, root: root?.hash ?? tip.hash, fork: root ? root.height - 1 : tip.height, isDeep });
  }
  branches.sort((a, b) => heavier(a.tip, b.tip));
  const living = branches.filter((branch) => branch.tip.up > 0);
  const fork = living.length ? Math.min(...living.map((branch) => branch.fork)) : null;
  const isDeep = living.some((branch) => branch.isDeep);
  paint(path, living, fork);
  const colourOf = new Map();
  for (const block of path) colourOf.set(block.hash, 0);
  if (fork !== null) for (const block of path) if (block.height > fork) colourOf.set(block.hash, colours.get('best'));
  for (const branch of branches) for (const block of branch.blocks) colourOf.set(block.hash, colours.get(branch.root) ?? 1);
  return { best, path, onBest, tips, branches, living, fork, isDeep, colourOf };
}

// A branch keeps its colour while it lives, whoever is ahead.
function paint(path, living, fork) {
  if (fork === null) {
    colours = new Map([['best', 0]]);
    return;
  }
  const own = path.find((block) => block.height === fork + 1)?.hash ?? 'best';
  const roots = [own, ...living.map((branch) => branch.root)];
  const next = new Map();
  for (const root of roots) if (colours.has(root)) next.set(root, colours.get(root));
  for (const root of roots) {
    if (next.has(root)) continue;
    const used = new Set(next.values());
    let colour = 0;
    while (used.has(colour) && colour < COLOURS - 1) colour += 1;
    next.set(root, colour);
  }
  next.set('best', next.get(own));
  colours = next;
}

// The number of the colour a node has.
export function colourOf(node) {
  if (!node.tip || node.condition === 'down') return 'down';
  const { colourOf: known, best } = chain();
  if (node.tip.hash === best?.hash) return known.get(best.hash) ?? 0;
  return known.get(node.tip.hash) ?? 0;
}

// How the network stands, in a sentence and a half.
export function verdict() {
  const nodes = [...store.nodes.values()];
  const up = nodes.filter((node) => node.condition === 'up');
  const { best, living, fork, isDeep } = chain();
  const down = nodes.length - up.length;
  const rest = down ? ` ${down === 1 ? '1 node does' : `${down} nodes do`} not answer.` : '';
  if (!nodes.length) return { title: 'No nodes yet', more: '', isWell: false };
  if (!best || !up.length) return { title: 'No node answers', more: 'Waiting for the first that does.', isWell: false };
  if (!living.length) {
    const behind = up.filter((node) => node.tip && node.tip.hash !== best.hash).length;
    const who = up.length === 1 ? 'The only node that answers is' : `${up.length === nodes.length ? 'All' : ''} ${up.length} nodes are`.trim();
    const more = behind ? `${behind} of them ${behind === 1 ? 'is' : 'are'} a block or more behind.` : 'Same block everywhere.';
    return { title: `${who} on one chain at height ${best.height}`, more: more + rest, isWell: !down };
  }
  const counts = [best.up, ...living.map((branch) => branch.tip.up)];
  const alone = [best.height - fork, ...living.map((branch) => branch.tip.height - fork)];
  return {
    title: `Split in ${counts.length}: ${counts.join(' against ')} nodes`,
    more: isDeep ? `The chains part below height ${fork}; each has many blocks of its own.${rest}`
      : `The chains part above height ${fork}; since then they have ${alone.every((own) => own === 1) ? 'one block each' : `${alone.join(' and ')} blocks of their own`}.${rest}`,
    isWell: false,
  };
}

// Times between blocks of the best chain, oldest first.
export function intervals(count) {
  const path = chain().path.slice(0, count + 1).reverse();
  const when = (block) => block.seen_ms ?? block.time_ms;
  return path.slice(1).map((block, at) => ({ block, ms: Math.max(0, when(block) - when(path[at])) }));
}
