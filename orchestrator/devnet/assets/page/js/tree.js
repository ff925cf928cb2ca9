// The tree of blocks, left to right, with every node's tip on it. Only what is
// in sight is drawn, and of that only what changed. Arrows go from block to block.

import { chain } from './chain.js';
import { attribute, h, s, short } from './dom.js';
import { store } from './store.js';

const CELL = 62;
const ROW = 76;
const TOP = 44;
const [W, H] = [42, 28];

export function tree(label) {
  const layers = { wire: s('g'), box: s('g'), flag: s('g') };
  const svg = s('svg', { role: 'group', 'aria-label': `${label}; arrows move, enter opens` }, ...Object.values(layers));
  const element = h('div', { class: 'tree', tabindex: '0', role: 'region', 'aria-label': `${label}, scrolls sideways`, onkeydown: (event) => key(event) }, svg);
  const parts = new Map();
  const seen = new Set();
  let isAtEnd = true;
  let bottom = 0;
  let turn = 0;
  let focused = null;
  let laneOf = new Map();

  element.addEventListener('scroll', () => {
    isAtEnd = element.scrollLeft + element.clientWidth >= element.scrollWidth - CELL;
    draw(false);
  }, { passive: true });

  const x = (height) => (height - bottom) * CELL + 34;
  const y = (lane) => TOP + lane * ROW;

  // Keeps what looks as before, and makes the rest anew.
  function put(layer, id, look, make) {
    const name = `${layer} ${id}`;
    const had = parts.get(name);
    if (had?.look === look) {
      had.turn = turn;
      return;
    }
    const made = make();
    const isFocused = had && had.element === document.activeElement;
    if (had) had.element.replaceWith(made);
    else layers[layer].append(made);
    parts.set(name, { element: made, look, turn });
    if (isFocused) made.focus({ preventScroll: true });
  }

  function sweep() {
    for (const [name, part] of parts) {
      if (part.turn === turn) continue;
      part.element.remove();
      parts.delete(name);
    }
  }

  function draw(isNews = true) {
    const known = chain();
    turn += 1;
    if (!known.path.length) {
      sweep();
      return;
    }
    bottom = known.path.at(-1).height;
    const top = Math.max(known.best.height, ...known.branches.map((branch) => branch.tip.height));
    laneOf = lanes(known);
    const width = (top - bottom + 1) * CELL + 60;
    const room = element.clientWidth;
    attribute(svg, 'width', Math.max(width, room - 2));
    if (isNews && isAtEnd) element.scrollLeft = width;
    const first = bottom + Math.floor(element.scrollLeft / CELL) - 3;
    const last = first + Math.ceil(room / CELL) + 6;
    const living = new Set(known.living.flatMap((branch) => branch.blocks.map((block) => block.hash)));
    const isStale = (block) => !known.onBest.has(block.hash) && !living.has(block.hash);
    const shown = [...store.blocks.values()].filter((block) => block.height >= first && block.height <= last
      && (known.onBest.has(block.hash) || laneOf.has(block.hash)));
    const deepest = Math.max(0, ...shown.map((block) => laneOf.get(block.hash) ?? 0));
    attribute(svg, 'height', TOP + deepest * ROW + 50);
    if (!store.blocks.has(focused)) focused = known.best.hash;
    for (const block of shown) {
      const look = isStale(block) ? 'stale cdown' : `c${known.colourOf.get(block.hash) ?? 0}`;
      wire(block, isStale(block) ? 'stale' : look);
      box(block, look);
    }
    for (const tip of known.tips.values()) {
      if (tip.height >= first && tip.height <= last && store.blocks.has(tip.hash)) flag(tip, known.colourOf.get(tip.hash) ?? 0);
    }
    for (const block of shown) seen.add(block.hash);
    sweep();
  }

  function wire(block, look) {
    const parent = store.blocks.get(block.parent);
    if (!parent) return;
    const [from, to] = [laneOf.get(parent.hash) ?? 0, laneOf.get(block.hash) ?? 0];
    const [x1, x2, y1, y2] = [x(parent.height) + W / 2, x(block.height) - W / 2, y(from), y(to)];
    const d = from === to ? `M${x1} ${y1}H${x2}` : `M${x1} ${y1}C${x1 + 14} ${y1} ${x2 - 16} ${y2} ${x2} ${y2}`;
    put('wire', block.hash, `${look} ${d}`, () => s('path', { class: `wire ${look}`, d }));
  }

  function box(block, look) {
    const [cx, cy] = [x(block.height), y(laneOf.get(block.hash) ?? 0)];
    const who = block.miner ?? (block.height === 0 ? 'genesis' : '');
    const isNew = seen.size > 0 && !seen.has(block.hash);
    const place = block.hash === focused ? 0 : -1;
    put('box', block.hash, `${look} ${cx} ${cy} ${who} ${block.transactions} ${place}`, () => s('g', { class: `block ${look}${isNew ? ' new' : ''}`, role: 'link', tabindex: place,
      'aria-label': `Block ${block.height}${who ? ` by ${who}` : ''}${look.startsWith('stale') ? ', stale' : ''}`,
      onclick: () => open(block.hash) },
      s('title', {}, `Block ${block.height} · ${short(block.hash)}${who ? ` · ${who}` : ''} · ${block.transactions} tx`),
      s('rect', { x: cx - W / 2, y: cy - H / 2, width: W, height: H, rx: 7 }),
      s('text', { x: cx, y: cy, dy: '.36em' }, block.height),
      s('text', { class: 'who-by', x: cx, y: cy + H / 2 + 13 }, who.length > 10 ? `${who.slice(0, 9)}…` : who)));
  }

  function flag(tip, colour) {
    const [cx, cy] = [x(tip.height), y(laneOf.get(tip.hash) ?? 0)];
    const text = tip.nodes.length === 1 ? tip.nodes[0] : tip.nodes.length === store.nodes.size ? `all ${tip.nodes.length}` : `${tip.nodes.length} nodes`;
    const width = Math.min(90, text.length * 6.6 + 14);
    const names = tip.nodes.join(', ');
    put('flag', tip.hash, `${colour} ${cx} ${cy} ${text} ${names}`, () => s('g', { class: `flag c${colour}` }, s('title', {}, names),
      s('rect', { x: cx - width / 2, y: cy - H / 2 - 23, width, height: 19, rx: 9.5 }),
      s('text', { x: cx, y: cy - H / 2 - 9.5 }, text)));
  }

  const open = (hash) => { location.hash = `#/explorer/${hash}`; };

  function key(event) {
    const block = store.blocks.get(focused);
    const isOnBlock = event.target !== element;
    if (!block || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' && isOnBlock) open(block.hash);
    else if (['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].includes(event.key)) go(isOnBlock ? next(block, event.key) : block);
    else return;
    event.preventDefault();
  }

  // The parent, the child that went furthest, or who competes at the same height.
  function next(block, arrow) {
    const lane = (one) => laneOf.get(one.hash) ?? 0;
    if (arrow === 'ArrowLeft') return store.blocks.get(block.parent);
    const among = [...store.blocks.values()].filter((one) => (arrow === 'ArrowRight' ? one.parent === block.hash : one.height === block.height))
      .sort((a, b) => lane(a) - lane(b));
    if (arrow === 'ArrowRight') return among[0];
    return arrow === 'ArrowUp' ? among.findLast((one) => lane(one) < lane(block)) : among.find((one) => lane(one) > lane(block));
  }

  function go(block) {
    if (!block) return;
    focused = block.hash;
    const at = x(block.height);
    if (at < element.scrollLeft + CELL || at > element.scrollLeft + element.clientWidth - CELL) element.scrollLeft = at - element.clientWidth / 2;
    isAtEnd = element.scrollLeft + element.clientWidth >= element.scrollWidth - CELL;
    draw(false);
    parts.get(`box ${block.hash}`)?.element.focus({ preventScroll: true });
  }

  const observer = new ResizeObserver(() => draw());
  observer.observe(element);
  return { element, update: draw, end: () => observer.disconnect() };
}

// Rows of side branches: the first that is free between fork and tip.
function lanes(known) {
  const done = new Set();
  const free = [];
  const laneOf = new Map();
  const sides = [...store.blocks.values()].filter((block) => !known.onBest.has(block.hash)).sort((a, b) => b.height - a.height);
  for (const block of sides) {
    if (done.has(block.hash)) continue;
    const path = [];
    for (let one = block; one && !known.onBest.has(one.hash) && !done.has(one.hash); one = store.blocks.get(one.parent)) {
      path.push(one);
      done.add(one.hash);
    }
    const [from, to] = [path.at(-1).height - 1, path[0].height + 1];
    let lane = 0;
    while (free[lane]?.some((taken) => from <= taken.to && taken.from <= to)) lane += 1;
    (free[lane] ??= []).push({ from, to });
    for (const one of path) laneOf.set(one.hash, lane + 1);
  }
  return laneOf;
}
