// Links between nodes, on a canvas below them. Drawn when they change, not when
// a block comes.

import { h } from './dom.js';
import { store } from './store.js';

export function wires(element, marks) {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  let drawn = new Map();
  let faults = null;

  // Whether other links are there than were drawn.
  function isStale() {
    if (faults !== store.faults || drawn.size !== store.nodes.size) return true;
    for (const [name, { peers }] of store.nodes) {
      const had = drawn.get(name);
      if (had === peers) continue;
      if (!had || had.length !== peers.length || had.some((peer, at) => peer !== peers[at])) return true;
      drawn.set(name, peers);
    }
    return false;
  }

  function draw(size, hulls) {
    faults = store.faults;
    drawn = new Map([...store.nodes].map(([name, { peers }]) => [name, peers]));
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { paths, count } = sorted();
    const dense = count > 200;
    const stroke = (kind, lineWidth, globalAlpha, dash, name) => {
      Object.assign(pen, { lineWidth, globalAlpha, strokeStyle: colour(name) });
      pen.setLineDash(dash);
      pen.stroke(paths[kind]);
    };
    stroke('open', dense ? 0.7 : 1.4, dense ? 0.35 : 0.8, [], '--edge');
    stroke('slow', dense ? 1 : 2.6, 0.9, [], '--slow');
    stroke('cut', dense ? 0.8 : 1.7, dense ? 0.35 : 0.8, [5, 5], '--cut');
    divide(pen, colour('--cut'), size, hulls);
  }

  // All links by what is done to them, each once.
  function sorted() {
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
    return { paths, count: done.size };
  }
  return { element: canvas, isStale, draw };
}

// A line where the cut is: connections across it are soon gone.
function divide(pen, colour, size, hulls) {
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
