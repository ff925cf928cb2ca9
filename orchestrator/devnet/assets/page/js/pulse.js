// Rings that grow around nodes when a block reaches them. On a canvas of their
// own: a hundred of them as elements would have the whole picture painted anew
// in every frame.

import { h } from './dom.js';

const LIFE_MS = 900;

// `marks` tells where nodes are, and how large.
export function pulses(marks) {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const alive = new Map();
  const colours = new Map();
  let size = { width: 0, height: 0 };
  let frame = null;

  function draw(time) {
    const pen = canvas.getContext('2d');
    const ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    pen.lineWidth = 3;
    for (const [name, { begun, colour }] of alive) {
      const part = Math.max(0, time - begun) / LIFE_MS;
      const mark = marks.get(name);
      if (part >= 1 || !mark) {
        alive.delete(name);
        continue;
      }
      pen.globalAlpha = 0.9 * (1 - part);
      pen.strokeStyle = colours.get(colour);
      pen.beginPath();
      pen.arc(mark.x, mark.y, mark.r * (1 + 0.75 * part * (2 - part)), 0, 2 * Math.PI);
      pen.stroke();
    }
    frame = alive.size ? requestAnimationFrame(draw) : null;
  }

  function begin(name, colour) {
    if (document.hidden) return;
    if (!colours.has(colour)) {
      const known = getComputedStyle(canvas).getPropertyValue(colour === 'down' ? '--down' : `--b${colour}`);
      colours.set(colour, known.trim());
    }
    alive.set(name, { begun: performance.now(), colour });
    frame ??= requestAnimationFrame(draw);
  }

  function resize(to) {
    size = to;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  }

  return { element: canvas, begin, resize, forget: () => colours.clear(), end: () => cancelAnimationFrame(frame) };
}
