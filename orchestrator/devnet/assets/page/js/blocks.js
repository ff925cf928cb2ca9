// All blocks: the tree, how long they took, how they spread.

import { chain, intervals, verdict } from './chain.js';
import { chart } from './chart.js';
import { card, clock, h, keep, median, plural, say, seldom, short, span } from './dom.js';
import { store } from './store.js';
import { tileRow } from './network.js';
import { tree } from './tree.js';

const SHOWN = 200;
const ROWS = 25;
// The tree follows every change; nobody reads figures faster than that.
const FIGURES_MS = 250;

const COLUMNS = ['Height', 'Hash', 'Miner', 'Found', 'Interval', 'To the last node', 'Transactions'];

export function blocksView() {
  const more = h('p');
  const picture = tree('Tree of blocks');
  const tiles = tileRow(['Blocks', 'Stale', 'Mean interval', 'Median interval', 'Reorganisations']);
  const times = chart({ name: 'Time between blocks', labelX: (x) => `height ${x}`, labelY: span });
  const spreads = chart({ name: 'Propagation', labelX: (x) => `height ${x}`, labelY: span });
  const body = h('tbody');
  const table = h('table', {}, h('thead', {}, h('tr', {}, COLUMNS.map((name, at) => h('th', { class: at > 3 ? 'n' : '', scope: 'col' }, name)))), body);
  const element = h('div', { class: 'grid' },
    h('div', { class: 'head' }, h('div', { class: 'grow' }, h('h1', {}, 'Blocks'), more)),
    tiles.element,
    card('Tree', 'The blocks of all nodes together. Grey outlines lost; flags are where nodes stand.', picture.element),
    h('div', { class: 'halves' },
      card('Time between blocks', h('p', {}, 'Dashed: the target. ', key(1, 'over three times that')), times.element),
      card('Propagation', h('p', {}, 'From the first node to the ', key(0, 'median'), ' and to the ', key(1, 'last one')), spreads.element)),
    card('Latest blocks of the best chain', null, h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Latest blocks' }, table)));
  const figures = seldom(FIGURES_MS, () => {
    const known = chain();
    const found = intervals(SHOWN);
    const target = store.network?.spacing_ms ?? 0;
    const ms = found.map((one) => one.ms);
    const mean = ms.length ? ms.reduce((a, b) => a + b, 0) / ms.length : null;
    times.draw(found.map(({ block, ms: y }) => ({ x: block.height, y, kind: y > 3 * target ? 'late' : 'dots' })),
      { target, text: `Time between the last ${ms.length} blocks: mean ${span(mean)}, median ${span(median(ms))}, target ${span(target)}` });
    const spread = known.path.slice(0, SHOWN).filter((block) => block.spread?.nodes > 1).reverse();
    spreads.draw(spread.flatMap((block) => [{ x: block.height, y: block.spread.median_ms }, { x: block.height, y: block.spread.last_ms, kind: 'late' }]),
      { text: `Propagation of the last ${spread.length} blocks: median to the last node ${span(median(spread.map((block) => block.spread.last_ms)))}` });
    const stale = staleCount(known);
    tiles.set('Blocks', store.blocks.size.toLocaleString('en'), known.best ? `height ${known.best.height}` : '');
    tiles.set('Stale', stale, store.blocks.size ? `${((100 * stale) / store.blocks.size).toFixed(1)} % of those seen` : '');
    tiles.set('Mean interval', span(mean), `target ${span(target)}`);
    tiles.set('Median interval', span(median(ms)), plural(ms.length, 'block'));
    tiles.set('Reorganisations', store.events.filter((event) => event.kind === 'reorg').length, 'as far as the logs tell');
    const took = new Map(found.map(({ block, ms: one }) => [block.hash, one]));
    keep(body, known.path.slice(0, ROWS).map((block) => [block.hash, '', () => row(block), (line) => tell(line, block, took)]));
  });

  function update(parts) {
    if (!['blocks', 'tips', 'whole', 'network', 'events'].some((part) => parts.has(part))) return;
    say(more, verdict().title);
    picture.update();
    figures.ask();
  }
  const end = () => {
    figures.end();
    picture.end();
    times.end();
    spreads.end();
  };
  return { element, title: 'Blocks', update, end };
}

const key = (colour, words) => h('span', { class: `key c${colour}` }, words);

function staleCount(known) {
  const living = new Set(known.living.flatMap((branch) => branch.blocks.map((block) => block.hash)));
  return [...store.blocks.values()].filter((block) => !known.onBest.has(block.hash) && !living.has(block.hash)).length;
}

function row(block) {
  const cells = COLUMNS.slice(1).map((_, at) => h('td', { class: at === 0 ? 'mono' : at > 2 ? 'n' : '', title: at === 0 && block.hash }));
  return h('tr', {}, h('td', {}, h('a', { href: `#/explorer/${block.hash}` }, block.height)), cells);
}

function tell({ cells }, block, took) {
  const { spread } = block;
  const words = [short(block.hash), block.miner ?? (block.height ? 'unknown' : 'genesis'), clock(block.seen_ms ?? block.time_ms),
    took.has(block.hash) ? span(took.get(block.hash)) : '–', spread?.nodes > 1 ? `${span(spread.last_ms)} (${spread.nodes})` : '–', block.transactions];
  words.forEach((text, at) => say(cells[at + 1], text));
}
