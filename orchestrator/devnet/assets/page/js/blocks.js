// All blocks: the tree, how long they took, how they spread.

import { chain, intervals, verdict } from './chain.js';
import { chart } from './chart.js';
import { card, clock, h, keep, median, plural, say, short, span } from './dom.js';
import { store } from './store.js';
import { tileRow } from './network.js';
import { tree } from './tree.js';

const SHOWN = 200;
const ROWS = 25;

export function blocksView() {
  const more = h('p');
  const picture = tree('Tree of blocks');
  const tiles = tileRow(['Blocks', 'Stale', 'Mean interval', 'Median interval', 'Reorganisations']);
  const times = chart({ name: 'Time between blocks', labelX: (x) => `height ${x}`, labelY: span });
  const spreads = chart({ name: 'Propagation', labelX: (x) => `height ${x}`, labelY: span });
  const body = h('tbody');
  const table = h('table', {}, h('thead', {}, h('tr', {}, ['Height', 'Hash', 'Miner', 'Found', 'Interval', 'To the last node', 'Transactions'].map((name, at) => h('th', { class: at > 3 ? 'n' : '', scope: 'col' }, name)))), body);
  const element = h('div', { class: 'grid' },
    h('div', { class: 'head' }, h('div', { class: 'grow' }, h('h1', {}, 'Blocks'), more)),
    tiles.element,
    card('Tree', 'All nodes merged. Grey outlines lost; flags are tips.', picture.element),
    h('div', { class: 'halves' },
      card('Time between blocks', 'Dashed: the target.', times.element),
      card('Propagation', 'From the first node to the median and to the last one.', spreads.element)),
    card('Latest blocks of the best chain', null, h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Latest blocks' }, table)));

  function update(parts) {
    if (!['blocks', 'tips', 'whole', 'network', 'events'].some((part) => parts.has(part))) return;
    const known = chain();
    say(more, verdict().title);
    picture.update();
    const found = intervals(SHOWN);
    const target = store.network?.spacing_ms ?? 0;
    const ms = found.map((one) => one.ms);
    const mean = ms.length ? ms.reduce((a, b) => a + b, 0) / ms.length : null;
    times.draw(found.map(({ block, ms: y }) => ({ x: block.height, y, kind: y > 3 * target ? 'late' : 'dots' })),
      { target, text: `Time between the last ${ms.length} blocks: mean ${span(mean)}, median ${span(median(ms))}, target ${span(target)}` });
    const spread = known.path.slice(0, SHOWN).filter((block) => block.spread?.nodes > 1).reverse();
    spreads.draw(spread.flatMap((block) => [{ x: block.height, y: block.spread.median_ms }, { x: block.height, y: block.spread.last_ms, kind: 'late' }]),
      { text: `Propagation of the last ${spread.length} blocks: median to the last node ${span(median(spread.map((block) => block.spread.last_ms)))}` });
    const living = new Set(known.living.flatMap((branch) => branch.blocks.map((block) => block.hash)));
    const stale = [...store.blocks.values()].filter((block) => !known.onBest.has(block.hash) && !living.has(block.hash)).length;
    tiles.set('Blocks', store.blocks.size.toLocaleString('en'), known.best ? `height ${known.best.height}` : '');
    tiles.set('Stale', stale, store.blocks.size ? `${((100 * stale) / store.blocks.size).toFixed(1)} % of those seen` : '');
    tiles.set('Mean interval', span(mean), `target ${span(target)}`);
    tiles.set('Median interval', span(median(ms)), plural(ms.length, 'block'));
    tiles.set('Reorganisations', store.events.filter((event) => event.kind === 'reorg').length, 'as far as the logs tell');
    const took = new Map(found.map(({ block, ms: one }) => [block.hash, one]));
    keep(body, known.path.slice(0, ROWS).map((block) => {
      const cells = [short(block.hash), block.miner ?? (block.height ? 'unknown' : 'genesis'), clock(block.seen_ms ?? block.time_ms),
        took.has(block.hash) ? span(took.get(block.hash)) : '–', block.spread?.nodes > 1 ? `${span(block.spread.last_ms)} (${block.spread.nodes})` : '–', block.transactions];
      return [block.hash, cells.join(), () => row(block, cells)];
    }));
  }
  return { element, title: 'Blocks', update, end: () => { picture.end(); times.end(); spreads.end(); } };
}

function row(block, [hash, ...rest]) {
  return h('tr', {}, h('td', {}, h('a', { href: `#/explorer/${block.hash}` }, block.height)), h('td', { class: 'mono', title: block.hash }, hash),
    rest.map((text, at) => h('td', { class: at > 1 ? 'n' : '' }, text)));
}
