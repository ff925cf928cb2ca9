// The tree of blocks, left to right, with every node's tip on it. Only what is
// in sight is drawn, and of that only what changed. Arrows go from block to block.

import { chain } from './chain.js';
import { attribute, h, plural, s, say, short } from './dom.js';
import { store } from './store.js';

const CELL = 62;
const ROW = 76;
const TOP = 44;
const [W, H] = [42, 28];
// A block appears by itself only where blocks do not come faster than that.
const CALM_MS = 800;
// Heights after which what is drawn is placed anew.
const ORIGIN_EVERY = 1000;

function move(element, x, y) {
  attribute(element, 'x', x);
  attribute(element, 'y', y);
}

export function tree(label) {
  const layers = { wire: s('g'), box: s('g'), flag: s('g') };
  const world = s('g', {}, ...Object.values(layers));
  const svg = s('svg', { role: 'group', 'aria-label': `${label}; arrows move, enter opens` }, world);
  // As wide as the whole tree, for the scroll bar; the picture is as wide as the window.
  const wide = h('div', {}, svg);
  const element = h('div', { class: 'tree', tabindex: '0', role: 'region', 'aria-label': `${label}, scrolls sideways`, onkeydown: (event) => key(event) }, wide);
  const parts = new Map();
  const seen = new Set();
  let isAtEnd = true;
  let [room, left, width] = [0, 0, 0];
  let [bottom, origin] = [0, 0];
  let isToScroll = false;
  let turn = 0;
  let newest = 0;
  let isCalm = true;
  let focused = null;
  let laneOf = new Map();
  let lanesOf = null;

  element.addEventListener('scroll', () => {
    if (Math.abs(element.scrollLeft - left) < 1) return;
    left = element.scrollLeft;
    isAtEnd = left + room >= width - CELL;
    draw(false);
  }, { passive: true });

  // From a height that changes seldom, so that what is drawn stays where it is.
  const x = (height) => (height - origin) * CELL + 34;
  const y = (lane) => TOP + lane * ROW;

  // Makes what was not there, and dresses anew what looks otherwise.
  function put(layer, id, look, make, dress) {
    const name = `${layer} ${id}`;
    let part = parts.get(name);
    if (!part) {
      part = { element: make(), look: null };
      layers[layer].append(part.element);
      parts.set(name, part);
    }
    part.turn = turn;
    if (part.look === look) return;
    part.look = look;
    dress(part.element);
  }

  function sweep() {
    for (const [name, part] of parts) {
      if (part.turn === turn) continue;
      part.element.remove();
      parts.delete(name);
    }
  }

  // How far the tree reaches, and which part of it is in sight.
  function measure(known, isNews) {
    const top = Math.max(known.best.height, ...known.branches.map((branch) => branch.tip.height));
    const first = known.path.at(-1).height;
    if (!isAtEnd) scrollTo(left - (first - bottom) * CELL);
    bottom = first;
    origin = first - (first % ORIGIN_EVERY);
    const wanted = Math.max((top - bottom + 1) * CELL + 60, room);
    if (wanted !== width) wide.style.width = `${wanted}px`;
    width = wanted;
    if (isNews && isAtEnd) scrollTo(width - room);
    attribute(world, 'transform', `translate(${(origin - bottom) * CELL - left})`);
    const from = bottom + Math.floor(left / CELL) - 1;
    return [from, from + Math.ceil(room / CELL) + 2];
  }

  // Scrolling lays the page out: once, when everything of this frame is drawn.
  function scrollTo(wanted) {
    const to = Math.max(0, Math.min(wanted, width - room));
    if (to === left) return;
    left = to;
    if (!isToScroll) queueMicrotask(() => {
      isToScroll = false;
      element.scrollLeft = left;
    });
    isToScroll = true;
  }

  function draw(isNews = true) {
    const known = chain();
    room ||= element.clientWidth;
    if (!room) return;
    turn += 1;
    if (known.path.length) show(known, measure(known, isNews));
    sweep();
  }

  function show(known, [first, last]) {
    if (lanesOf !== known) [laneOf, lanesOf] = [lanes(known), known];
    const living = new Set(known.living.flatMap((branch) => branch.blocks.map((block) => block.hash)));
    const isStale = (block) => !known.onBest.has(block.hash) && !living.has(block.hash);
    // The block that the focus is on, or will be, stays, however far away.
    if (!store.blocks.has(focused) || !element.contains(document.activeElement)) focused = known.best.hash;
    const shown = [...store.blocks.values()].filter((block) => (block.height >= first && block.height <= last) || block.hash === focused);
    const deepest = Math.max(0, ...shown.map((block) => laneOf.get(block.hash) ?? 0));
    attribute(svg, 'width', room);
    attribute(svg, 'height', TOP + deepest * ROW + 50);
    isCalm = performance.now() - newest > CALM_MS;
    for (const block of shown) {
      const look = isStale(block) ? 'stale cdown' : `c${known.colourOf.get(block.hash) ?? 0}`;
      wire(block, isStale(block) ? 'stale' : look);
      box(block, look);
    }
    for (const tip of known.tips.values()) {
      if (tip.height >= first && tip.height <= last && store.blocks.has(tip.hash)) flag(tip, known.colourOf.get(tip.hash) ?? 0);
    }
    for (const block of shown) {
      if (seen.has(block.hash)) continue;
      seen.add(block.hash);
      newest = performance.now();
    }
  }

  function wire(block, look) {
    const parent = store.blocks.get(block.parent);
    if (!parent) return;
    const [from, to] = [laneOf.get(parent.hash) ?? 0, laneOf.get(block.hash) ?? 0];
    const [x1, x2, y1, y2] = [x(parent.height) + W / 2, x(block.height) - W / 2, y(from), y(to)];
    const d = from === to ? `M${x1} ${y1}H${x2}` : `M${x1} ${y1}C${x1 + 14} ${y1} ${x2 - 16} ${y2} ${x2} ${y2}`;
    put('wire', block.hash, `${look} ${d}`, () => s('path'), (path) => {
      attribute(path, 'class', `wire ${look}`);
      attribute(path, 'd', d);
    });
  }

  function box(block, look) {
    const { hash, height, transactions } = block;
    const [cx, cy] = [x(height), y(laneOf.get(hash) ?? 0)];
    const who = block.miner ?? (height === 0 ? 'genesis' : '');
    const isNew = seen.size > 0 && !seen.has(hash) && isCalm;
    const place = hash === focused ? 0 : -1;
    put('box', hash, `${look} ${cx} ${cy} ${who} ${transactions} ${place}`, () => s('g', { role: 'link', onclick: () => open(hash) },
      s('title'), s('rect', { width: W, height: H, rx: 7 }), s('text', { dy: '.36em' }, height), s('text', { class: 'who-by' })),
    (group) => {
      const [title, rect, number, name] = group.children;
      attribute(group, 'class', `block ${look}${isNew ? ' new' : ''}`);
      attribute(group, 'tabindex', place);
      attribute(group, 'aria-label', `Block ${height}${who ? ` by ${who}` : ''}${look.startsWith('stale') ? ', stale' : ''}`);
      say(title, `Block ${height} · ${short(hash)}${who ? ` · ${who}` : ''} · ${plural(transactions, 'transaction')}`);
      move(rect, cx - W / 2, cy - H / 2);
      move(number, cx, cy);
      move(name, cx, cy + H / 2 + 13);
      say(name, who.length > 10 ? `${who.slice(0, 9)}…` : who);
    });
  }

  function flag(tip, colour) {
    const [cx, cy] = [x(tip.height), y(laneOf.get(tip.hash) ?? 0)];
    const text = tip.nodes.length === 1 ? tip.nodes[0] : tip.nodes.length === store.nodes.size ? `all ${tip.nodes.length}` : `${tip.nodes.length} nodes`;
    const breadth = Math.min(90, text.length * 6.6 + 14);
    const names = tip.nodes.join(', ');
    put('flag', tip.hash, `${colour} ${cx} ${cy} ${text} ${names}`, () => s('g', {}, s('title'), s('rect', { height: 19, rx: 9.5 }), s('text')), (group) => {
      const [title, rect, words] = group.children;
      attribute(group, 'class', `flag c${colour}`);
      say(title, names);
      attribute(rect, 'width', breadth);
      move(rect, cx - breadth / 2, cy - H / 2 - 23);
      move(words, cx, cy - H / 2 - 9.5);
      say(words, text);
    });
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
    const middle = (block.height - bottom) * CELL + 34;
    if (middle < left + CELL || middle > left + room - CELL) scrollTo(middle - room / 2);
    isAtEnd = left + room >= width - CELL;
    draw(false);
    parts.get(`box ${block.hash}`)?.element.focus({ preventScroll: true });
  }

  const observer = new ResizeObserver(([entry]) => {
    room = Math.round(entry.contentRect.width);
    draw();
  });
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
