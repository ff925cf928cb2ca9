// The picture of the network: nodes, links, sides of a cut. Links are drawn on
// a canvas below the nodes, and only when they change; nodes are elements that
// can be reached with mouse, touch and keyboard.

import { chain, colourOf } from './chain.js';
import { attribute, h, s, say } from './dom.js';
import { place } from './layout.js';
import { store } from './store.js';

const MOVE_MS = 550;

export function topology(onSelect, onOpen) {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const hulls = s('g');
  const nodes = s('g');
  const lasso = s('rect', { class: 'lasso', visibility: 'hidden' });
  const svg = s('svg', { role: 'group', 'aria-label': 'Nodes and their links; arrows move, space selects, enter opens' }, hulls, nodes, lasso);
  const element = h('div', { class: 'topology' }, canvas, svg);
  const marks = new Map();
  let layout = null;
  let moving = null;
  let size = { width: 0, height: 0 };
  let drawn = '';
  let focused = null;

  const quiet = matchMedia('(prefers-reduced-motion: reduce)');
  const names = () => [...store.nodes.keys()];
  const radius = (name) => {
    const node = store.nodes.get(name);
    const total = [...store.nodes.values()].reduce((sum, one) => sum + (one.hashrate || 0), 0);
    const share = total ? (node?.hashrate ?? 0) / total : 0;
    return (17 + 34 * Math.sqrt(share)) * (layout?.scale ?? 1);
  };

  function mark(name) {
    const ring = s('circle', { class: 'ring' });
    const pulse = s('circle', { class: 'pulse' });
    const shape = s('path', { class: 'shape' });
    const height = s('text', { class: 'height', dy: '.36em' });
    const label = s('text', { class: 'label' }, name);
    const group = s('g', { class: 'node', role: 'checkbox', tabindex: '-1', 'data-name': name,
      onclick: (event) => { onSelect(name, event.shiftKey || event.ctrlKey || event.metaKey); focus(name); },
      ondblclick: () => onOpen(name),
      onkeydown: (event) => key(event, name),
      onfocus: () => { focused = name; } }, pulse, ring, shape, height, label);
    pulse.addEventListener('animationend', () => group.classList.remove('fresh'));
    nodes.append(group);
    return { group, ring, pulse, shape, height, label, x: size.width / 2, y: size.height / 2, look: '' };
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

  function dress(name, node) {
    const parts = marks.get(name);
    const colour = colourOf(node);
    const r = radius(name);
    const isOn = store.selected.has(name);
    const isMany = store.nodes.size > 30;
    const isUp = node.condition === 'up';
    const text = isUp || !node.tip ? String(node.tip?.height ?? '…') : node.condition === 'paused' ? '❚❚' : '✕';
    const look = [colour, r.toFixed(1), node.condition, isOn, isMany, node.role, text].join();
    if (parts.look !== look) {
      parts.look = look;
      const isFresh = parts.group.classList.contains('fresh');
      attribute(parts.group, 'class', `node c${colour} ${node.condition} ${node.role}${isOn ? ' on' : ''}${isMany ? ' many' : ''}${isFresh ? ' fresh' : ''}`);
      attribute(parts.group, 'aria-checked', isOn);
      attribute(parts.group, 'aria-label', `${name}, ${node.role}, ${isUp ? `height ${node.tip?.height ?? 'unknown'}` : node.condition}`);
      attribute(parts.shape, 'd', shapeOf(node.role, r));
      attribute(parts.ring, 'r', r + 6);
      attribute(parts.pulse, 'r', r);
      attribute(parts.label, 'y', r + 20);
      attribute(parts.height, 'visibility', r < 12 ? 'hidden' : 'visible');
      attribute(parts.height, 'font-size', '12');
      say(parts.height, text);
    }
    if (node.fresh) {
      node.fresh = false;
      if (!quiet.matches) parts.group.classList.add('fresh');
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
    const shape = JSON.stringify([known, store.faults.groups, size]);
    if (shape !== drawn) {
      drawn = shape;
      layout = place(known, store.faults.groups, size.width, size.height);
      move(wasEmpty || quiet.matches);
    }
    for (const [name, node] of store.nodes) dress(name, node);
    if (known.length && !marks.has(focused)) focus(known[0]);
    sides();
    if (!moving) links();
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

  function links() {
    const ratio = devicePixelRatio || 1;
    const [w, hgt] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== w || canvas.height !== hgt) Object.assign(canvas, { width: w, height: hgt });
    const pen = canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const side = new Map(store.faults.groups.flatMap((group, at) => group.map((name) => [name, at])));
    const special = new Map();
    for (const link of store.faults.links) {
      const key = [link.from, link.to].sort().join(' ');
      special.set(key, special.get(key) === 'cut' || link.state.cut ? 'cut' : 'slow');
    }
    const paths = { open: new Path2D(), cut: new Path2D(), slow: new Path2D() };
    const done = new Set();
    const add = (a, b, kind) => {
      const [from, to] = [marks.get(a), marks.get(b)];
      if (!from || !to) return;
      paths[kind].moveTo(from.x, from.y);
      paths[kind].lineTo(to.x, to.y);
    };
    for (const node of store.nodes.values()) {
      for (const peer of node.peers) {
        const key = node.name < peer ? `${node.name} ${peer}` : `${peer} ${node.name}`;
        if (done.has(key)) continue;
        done.add(key);
        const isApart = side.has(node.name) && side.has(peer) && side.get(node.name) !== side.get(peer);
        add(node.name, peer, isApart ? 'cut' : special.get(key) ?? 'open');
      }
    }
    for (const [key, kind] of special) if (!done.has(key)) add(...key.split(' '), kind);
    const dense = done.size > 200;
    const stroke = (kind, width, alpha, dash, name) => {
      Object.assign(pen, { lineWidth: width, globalAlpha: alpha, strokeStyle: colour(name) });
      pen.setLineDash(dash);
      pen.stroke(paths[kind]);
    };
    stroke('open', dense ? 0.7 : 1.4, dense ? 0.35 : 0.8, [], '--edge');
    stroke('slow', dense ? 1 : 2.6, 0.9, [], '--slow');
    stroke('cut', dense ? 0.8 : 1.7, dense ? 0.35 : 0.8, [5, 5], '--cut');
    divide(pen, colour('--cut'));
  }

  // A line where the cut is: connections across it are soon gone.
  function divide(pen, colour) {
    const hulls = layout?.hulls ?? [];
    const isWide = size.width > size.height * 1.1;
    Object.assign(pen, { lineWidth: 2, globalAlpha: 1, strokeStyle: colour });
    pen.setLineDash([7, 6]);
    pen.beginPath();
    hulls.slice(1).forEach((hull, at) => {
      const before = hulls[at];
      if (isWide) {
        const x = (before.x + before.rx + hull.x - hull.rx) / 2;
        pen.moveTo(x, 8);
        pen.lineTo(x, size.height - 8);
      } else {
        const y = (before.y + before.ry + hull.y - hull.ry) / 2 - 12;
        pen.moveTo(8, y);
        pen.lineTo(size.width - 8, y);
      }
    });
    pen.stroke();
  }

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
    update();
  });
  observer.observe(element);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', links);
  return { element, update, end: () => { observer.disconnect(); dark.removeEventListener('change', links); } };
}
