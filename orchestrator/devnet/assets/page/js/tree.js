// The tree of blocks, left to right, with every node's tip on it. Only what is
// in sight is drawn.

import { chain } from './chain.js';
import { h, s, short } from './dom.js';
import { store } from './store.js';

const CELL = 62;
const ROW = 76;
const TOP = 44;
const [W, H] = [42, 28];

export function tree(label) {
  const svg = s('svg', { role: 'group', 'aria-label': label });
  const element = h('div', { class: 'tree', tabindex: '0', role: 'region', 'aria-label': `${label}, scrolls sideways` }, svg);
  let isAtEnd = true;
  let seen = new Set();
  let top = 0;
  let bottom = 0;

  element.addEventListener('scroll', () => {
    isAtEnd = element.scrollLeft + element.clientWidth >= element.scrollWidth - CELL;
    draw(false);
  }, { passive: true });

  // Rows of side branches: the first that is free between fork and tip.
  function lanes(known) {
    const sides = new Map();
    const free = [];
    const laneOf = new Map();
    const blocks = [...store.blocks.values()].filter((block) => !known.onBest.has(block.hash)).sort((a, b) => b.height - a.height);
    for (const block of blocks) {
      if (sides.has(block.hash)) continue;
      const path = [];
      for (let one = block; one && !known.onBest.has(one.hash) && !sides.has(one.hash); one = store.blocks.get(one.parent)) {
        path.push(one);
        sides.set(one.hash, true);
      }
      const [from, to] = [path.at(-1).height - 1, path[0].height + 1];
      let lane = 0;
      while (free[lane]?.some((taken) => from <= taken.to && taken.from <= to)) lane += 1;
      (free[lane] ??= []).push({ from, to });
      for (const one of path) laneOf.set(one.hash, lane + 1);
    }
    return laneOf;
  }

  const x = (height) => (height - bottom) * CELL + 34;
  const y = (lane) => TOP + lane * ROW;

  function draw(isNews = true) {
    const known = chain();
    const heights = known.path.length ? [known.path.at(-1).height, known.best.height] : null;
    if (!heights) {
      svg.replaceChildren();
      return;
    }
    bottom = heights[0];
    top = Math.max(heights[1], ...known.branches.map((branch) => branch.tip.height));
    const laneOf = lanes(known);
    const width = (top - bottom + 1) * CELL + 60;
    svg.setAttribute('width', Math.max(width, element.clientWidth - 2));
    if (isNews && isAtEnd) element.scrollLeft = width;
    const first = bottom + Math.floor(element.scrollLeft / CELL) - 3;
    const last = first + Math.ceil(element.clientWidth / CELL) + 6;
    const shown = [...store.blocks.values()].filter((block) => block.height >= first && block.height <= last
      && (known.onBest.has(block.hash) || laneOf.has(block.hash)));
    const deepest = Math.max(0, ...shown.map((block) => laneOf.get(block.hash) ?? 0));
    svg.setAttribute('height', TOP + deepest * ROW + 50);
    const wires = shown.map((block) => wire(block, known, laneOf)).filter(Boolean);
    const boxes = shown.sort((a, b) => a.height - b.height).map((block) => box(block, known, laneOf));
    const flags = [...known.tips.values()].filter((tip) => tip.height >= first && tip.height <= last && store.blocks.has(tip.hash))
      .map((tip) => flag(tip, known, laneOf));
    seen = new Set([...seen, ...shown.map((block) => block.hash)]);
    const focused = svg.contains(document.activeElement) ? document.activeElement.dataset.hash : null;
    svg.replaceChildren(...wires, ...boxes, ...flags);
    if (focused) svg.querySelector(`[data-hash="${focused}"]`)?.focus({ preventScroll: true });
  }

  const isStale = (block, known) => !known.onBest.has(block.hash)
    && !known.living.some((branch) => branch.blocks.some((one) => one.hash === block.hash));

  function wire(block, known, laneOf) {
    const parent = store.blocks.get(block.parent);
    if (!parent) return null;
    const [from, to] = [laneOf.get(parent.hash) ?? 0, laneOf.get(block.hash) ?? 0];
    const [x1, x2, y1, y2] = [x(parent.height) + W / 2, x(block.height) - W / 2, y(from), y(to)];
    const d = from === to ? `M${x1} ${y1}H${x2}` : `M${x1} ${y1}C${x1 + 14} ${y1} ${x2 - 16} ${y2} ${x2} ${y2}`;
    return s('path', { class: `wire ${isStale(block, known) ? 'stale' : `c${known.colourOf.get(block.hash) ?? 0}`}`, d });
  }

  function box(block, known, laneOf) {
    const stale = isStale(block, known);
    const [cx, cy] = [x(block.height), y(laneOf.get(block.hash) ?? 0)];
    const who = block.miner ?? (block.height === 0 ? 'genesis' : '');
    const open = () => { location.hash = `#/explorer/${block.hash}`; };
    const isNew = seen.size > 0 && !seen.has(block.hash);
    return s('g', { class: `block ${stale ? 'stale cdown' : `c${known.colourOf.get(block.hash) ?? 0}`}${isNew ? ' new' : ''}`, role: 'link', tabindex: '-1',
      'data-hash': block.hash, 'aria-label': `Block ${block.height}${who ? ` by ${who}` : ''}${stale ? ', stale' : ''}`,
      onclick: open, onkeydown: (event) => { if (event.key === 'Enter') open(); } },
    s('title', {}, `Block ${block.height} · ${short(block.hash)}${who ? ` · ${who}` : ''} · ${block.transactions} tx`),
    s('rect', { x: cx - W / 2, y: cy - H / 2, width: W, height: H, rx: 7 }),
    s('text', { x: cx, y: cy, dy: '.36em' }, block.height),
    s('text', { class: 'who-by', x: cx, y: cy + H / 2 + 13 }, who.length > 10 ? `${who.slice(0, 9)}…` : who));
  }

  function flag(tip, known, laneOf) {
    const [cx, cy] = [x(tip.height), y(laneOf.get(tip.hash) ?? 0)];
    const text = tip.nodes.length === 1 ? tip.nodes[0] : tip.nodes.length === store.nodes.size ? `all ${tip.nodes.length}` : `${tip.nodes.length} nodes`;
    const width = Math.min(90, text.length * 6.6 + 14);
    return s('g', { class: `flag c${known.colourOf.get(tip.hash) ?? 0}` }, s('title', {}, tip.nodes.join(', ')),
      s('rect', { x: cx - width / 2, y: cy - H / 2 - 23, width, height: 19, rx: 9.5 }),
      s('text', { x: cx, y: cy - H / 2 - 9.5 }, text));
  }

  const observer = new ResizeObserver(() => draw());
  observer.observe(element);
  return { element, update: draw, end: () => observer.disconnect() };
}
