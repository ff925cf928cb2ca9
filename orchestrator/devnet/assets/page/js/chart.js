// Small charts: points or a line over time or height, with a text in their
// place for those who do not see them.

import { h, s } from './dom.js';

const [LEFT, RIGHT, TOP, BOTTOM] = [46, 10, 10, 26];

// `spec`: points [{x, y, kind, title}], labelX, labelY, target, line, name.
export function chart(spec) {
  const svg = s('svg', { class: 'chart', role: 'img' });
  let width = 600;
  let drawn = [];
  let said = {};
  let look = '';
  function draw(points, extra = {}) {
    [drawn, said] = [points, extra];
    const now = JSON.stringify([points, extra, width]);
    if (now === look) return;
    look = now;
    const all = { ...spec, ...extra };
    svg.setAttribute('viewBox', `0 0 ${width} 210`);
    svg.setAttribute('aria-label', all.text ?? all.name);
    if (points.length < 2) {
      svg.replaceChildren(s('text', { x: width / 2, y: 100, 'text-anchor': 'middle' }, 'Not enough blocks yet'));
      return;
    }
    const xs = points.map((point) => point.x);
    const ys = points.map((point) => point.y);
    const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
    const y1 = nice(Math.max(...ys, all.target ?? 0, 1));
    const px = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (width - LEFT - RIGHT);
    const py = (y) => 210 - BOTTOM - (y / y1) * (210 - TOP - BOTTOM);
    const lines = [0, 0.5, 1].map((part) => s('g', {}, s('path', { class: 'axis', d: `M${LEFT} ${py(y1 * part)}H${width - RIGHT}` }),
      s('text', { x: LEFT - 7, y: py(y1 * part), dy: '.35em', 'text-anchor': 'end' }, all.labelY(y1 * part))));
    const marks = [x0, x1].map((x, at) => s('text', { x: px(x), y: 205, 'text-anchor': at ? 'end' : 'start' }, all.labelX(x)));
    const target = all.target ? s('path', { class: 'target', d: `M${LEFT} ${py(all.target)}H${width - RIGHT}` }) : null;
    const path = all.line ? s('path', { class: 'line', d: `M${points.map((point) => `${px(point.x).toFixed(1)} ${py(point.y).toFixed(1)}`).join('L')}` }) : null;
    // One element for all dots: a thousand cost as much as one.
    const dots = (kind) => s('path', { class: kind, d: points.filter((point) => (point.kind ?? 'dots') === kind)
      .map((point) => `M${(px(point.x) - 2.5).toFixed(1)} ${py(point.y).toFixed(1)}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0`).join('') });
    svg.replaceChildren(...[...lines, ...marks, target, path, all.line ? null : dots('dots'), all.line ? null : dots('late')].filter(Boolean));
  }
  const observer = new ResizeObserver(([entry]) => {
    width = Math.max(260, Math.round(entry.contentRect.width));
    draw(drawn, said);
  });
  observer.observe(svg);
  return { element: h('div', {}, svg), draw, end: () => observer.disconnect() };
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}
