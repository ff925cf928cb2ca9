// The picture of the network: nodes, links, sides of a cut. Nodes are elements
// that can be reached with mouse, touch and keyboard.

import { chain, colourOf } from './chain.js';
import { attribute, h, s, say } from './dom.js';
import { place } from './layout.js';
import { pulses } from './pulse.js';
import { store } from './store.js';
import { wires } from './wires.js';

const MOVE_MS = 550;
// Letters of heights in nodes: wanted, and the least that can be read.
const LETTER_PX = 12;
const LETTER_MIN_PX = 9;

export function topology(onSelect, onOpen) {
  const hulls = s('g');
  const nodes = s('g');
  const lasso = s('rect', { class: 'lasso', visibility: 'hidden' });
  const svg = s('svg', { role: 'group', 'aria-label': 'Nodes and their links; arrows move, space selects, enter opens' }, hulls, nodes, lasso);
  const element = h('div', { class: 'topology' });
  const marks = new Map();
  const lines = wires(element, marks);
  const rings = pulses(marks);
  element.append(lines.element, svg, rings.element);
  let layout = null;
  let moving = null;
  let size = { width: 0, height: 0 };
  let drawn = '';
  let focused = null;

  const quiet = matchMedia('(prefers-reduced-motion: reduce)');
  const names = () => [...store.nodes.keys()];
  function mark(name) {
    const ring = s('circle', { class: 'ring' });
    const shape = s('path', { class: 'shape' });
    const height = s('text', { class: 'height', dy: '.36em' });
    const label = s('text', { class: 'label' }, name);
    const group = s('g', { class: 'node', role: 'checkbox', tabindex: '-1', 'data-name': name,
      onclick: (event) => { onSelect(name, event.shiftKey || event.ctrlKey || event.metaKey); focus(name); },
      ondblclick: () => onOpen(name),
      onkeydown: (event) => key(event, name),
      onfocus: () => { focused = name; } }, ring, shape, height, label);
    nodes.append(group);
    return { group, ring, shape, height, label, x: size.width / 2, y: size.height / 2, r: 0, look: '' };
  }

  function focus(name) {
    focused = name;
    for (const [other, { group }] of marks) attribute(group, 'tabindex', other === name ? 0 : -1);
  }

  function key(event, name) {
    if (event.key === ' ') onSelect(name, true);
    else if (event.key === 'Enter') onOpen(name);
    else if (event.key.startsWith('Arrow')) step(event.key, name);
    else return;
    event.preventDefault();
  }

  // The nearest node in that direction.
  function step(arrow, name) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[arrow];
    const from = marks.get(name);
    let best = null;
    for (const [other, to] of marks) {
      const [x, y] = [to.x - from.x, to.y - from.y];
      const ahead = x * dx + y * dy;
      if (other === name || ahead <= 1) continue;
      const cost = ahead + 2.5 * Math.abs(x * dy - y * dx);
      if (!best || cost < best.cost) best = { other, cost };
    }
    if (!best) return;
    focus(best.other);
    marks.get(best.other).group.focus();
  }

  const shapeOf = (role, r) => {
    if (role === 'miner') return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
    if (role === 'bootstrap') {
      const points = [...Array(6).keys()].map((at) => `${r * 1.08 * Math.cos((at * Math.PI) / 3)} ${r * 1.08 * Math.sin((at * Math.PI) / 3)}`);
      return `M${points.join('L')}z`;
    }
    const [a, c] = [r * 0.9, r * 0.3];
    return `M${-a + c} ${-a}H${a - c}Q${a} ${-a} ${a} ${-a + c}V${a - c}Q${a} ${a} ${a - c} ${a}H${-a + c}Q${-a} ${a} ${-a} ${a - c}V${-a + c}Q${-a} ${-a} ${-a + c} ${-a}z`;
  };

  const radius = ({ hashrate }, total) => 17 + 34 * Math.sqrt(total ? hashrate / total : 0);

  function dress(name, node, total) {
    const parts = marks.get(name);
    const colour = colourOf(node);
    const r = radius(node, total) * (layout?.scale ?? 1);
    const isOn = store.selected.has(name);
    const isMany = store.nodes.size > 30;
    const isUp = node.condition === 'up';
    const text = isUp || !node.tip ? String(node.tip?.height ?? '…') : node.condition === 'paused' ? '❚❚' : '✕';
    const look = [colour, r.toFixed(1), node.condition, isOn, isMany, node.role, text].join();
    if (parts.look !== look) {
      parts.look = look;
      attribute(parts.group, 'class', `node c${colour} ${node.condition} ${node.role}${isOn ? ' on' : ''}${isMany ? ' many' : ''}`);
      attribute(parts.group, 'aria-checked', isOn);
      attribute(parts.group, 'aria-label', `${name}, ${node.role}, ${isUp ? `height ${node.tip?.height ?? 'unknown'}` : node.condition}`);
      if (parts.r !== r) {
        parts.r = r;
        attribute(parts.shape, 'd', shapeOf(node.role, r));
        attribute(parts.ring, 'r', r + 6);
        attribute(parts.label, 'y', r + 20);
      }
      // A mark that is too small for its height does without.
      const letter = Math.min(LETTER_PX, (1.5 * r) / (0.72 * text.length));
      parts.height.style.fontSize = `${letter.toFixed(1)}px`;
      say(parts.height, r < 11 || letter < LETTER_MIN_PX ? '' : text);
    }
    if (node.fresh) {
      node.fresh = false;
      if (!quiet.matches) rings.begin(name, colour);
    }
  }

  // Everything that is drawn anew after a change.
  function update() {
    if (!size.width) return;
    const known = names();
    for (const name of [...marks.keys()]) {
      if (!store.nodes.has(name)) {
        marks.get(name).group.remove();
        marks.delete(name);
      }
    }
    const wasEmpty = marks.size === 0;
    for (const name of known) if (!marks.has(name)) marks.set(name, mark(name));
    const total = [...store.nodes.values()].reduce((sum, node) => sum + node.hashrate, 0);
    const shape = JSON.stringify([known, store.faults.groups, size]);
    if (shape !== drawn) {
      drawn = shape;
      layout = place(known, store.faults.groups, size.width, size.height, (name) => radius(store.nodes.get(name), total));
      move(wasEmpty || quiet.matches);
    }
    for (const [name, node] of store.nodes) dress(name, node, total);
    if (known.length && !marks.has(focused)) focus(known[0]);
    sides();
    if (!moving && lines.isStale()) links();
  }

  function move(atOnce) {
    cancelAnimationFrame(moving);
    moving = null;
    const from = new Map([...marks].map(([name, { x, y }]) => [name, { x, y }]));
    const begun = performance.now();
    const frame = (time) => {
      const part = atOnce ? 1 : Math.min(1, (time - begun) / MOVE_MS);
      const eased = 1 - (1 - part) ** 3;
      for (const [name, to] of layout.places) {
        const parts = marks.get(name);
        const start = from.get(name);
        parts.x = start.x + (to.x - start.x) * eased;
        parts.y = start.y + (to.y - start.y) * eased;
        parts.group.setAttribute('transform', `translate(${parts.x.toFixed(1)} ${parts.y.toFixed(1)})`);
      }
      links();
      moving = part < 1 ? requestAnimationFrame(frame) : null;
    };
    frame(begun);
  }

  function sides() {
    const { living, best, fork, isDeep } = chain();
    const pictures = (layout?.hulls ?? []).map((hull, at) => {
      const member = hull.nodes.map((name) => store.nodes.get(name)).find((node) => node?.condition === 'up' && node.tip);
      const heights = hull.nodes.map((name) => store.nodes.get(name)?.tip?.height ?? 0);
      const top = Math.max(0, ...heights);
      const alone = fork !== null && !isDeep && top > fork && (living.length || best) ? ` · ${top - fork} alone` : '';
      const colour = member ? colourOf(member) : 'down';
      return { ...hull, colour, title: `Side ${String.fromCharCode(65 + at)} · height ${top}${alone}` };
    });
    const look = JSON.stringify(pictures);
    if (hulls.dataset.look === look) return;
    hulls.dataset.look = look;
    hulls.replaceChildren(...pictures.map(({ x, y, rx, ry, colour, title }) => s('g', { class: `c${colour}` },
      s('ellipse', { class: 'sidehull', cx: x, cy: y, rx, ry }),
      s('text', { class: 'sidename', x, y: Math.max(16, y - ry - 7) }, title))));
  }

  const links = () => lines.draw(size, layout?.hulls ?? []);

  // A frame drawn over nodes selects them.
  let start = null;
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  svg.addEventListener('pointerdown', (event) => {
    if (event.target !== svg || event.pointerType === 'touch') return;
    start = at(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    if (!start) return;
    const end = at(event);
    for (const [name, value] of [['x', Math.min(start.x, end.x)], ['y', Math.min(start.y, end.y)],
      ['width', Math.abs(end.x - start.x)], ['height', Math.abs(end.y - start.y)], ['visibility', 'visible']]) lasso.setAttribute(name, value);
  });
  svg.addEventListener('pointerup', (event) => {
    if (!start) return;
    const end = at(event);
    const [left, right, top, bottom] = [Math.min(start.x, end.x), Math.max(start.x, end.x), Math.min(start.y, end.y), Math.max(start.y, end.y)];
    start = null;
    lasso.setAttribute('visibility', 'hidden');
    const inside = [...marks].filter(([, { x, y }]) => left <= x && x <= right && top <= y && y <= bottom);
    onSelect(inside.map(([name]) => name), event.shiftKey);
  });

  const observer = new ResizeObserver(([entry]) => {
    size = { width: entry.contentRect.width, height: entry.contentRect.height };
    rings.resize(size);
    update();
  });
  observer.observe(element);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const recolour = () => {
    rings.forget();
    links();
  };
  dark.addEventListener('change', recolour);
  const end = () => {
    observer.disconnect();
    rings.end();
    dark.removeEventListener('change', recolour);
  };
  return { element, update, end };
}
