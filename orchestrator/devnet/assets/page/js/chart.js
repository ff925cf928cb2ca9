// Small charts: points or a line over time or height, with a text in their
// place for those who do not see them. Their parts stay and are moved.

import { attribute, h, s, say } from './dom.js';

const [LEFT, RIGHT, TOP, BOTTOM] = [46, 10, 10, 26];
const HEIGHT = 210;
const KINDS = ['dots', 'late'];
// Below that the halves of the axis would be called the same.
const LEAST = 2;

// `spec`: points [{x, y, kind}], labelX, labelY, target, line, name, empty.
export function chart(spec) {
  const levels = [0, 0.5, 1].map((part) => ({ part, path: s('path', { class: 'axis' }), text: s('text', { x: LEFT - 7, dy: '.35em', 'text-anchor': 'end' }) }));
  const marks = ['start', 'end'].map((side) => s('text', { y: HEIGHT - 5, 'text-anchor': side }));
  const target = s('path', { class: 'target' });
  const line = s('path', { class: 'line' });
  const dots = new Map(KINDS.map((kind) => [kind, s('path', { class: kind })]));
  const none = s('text', { y: 100, 'text-anchor': 'middle' }, spec.empty ?? 'Not enough blocks yet');
  const some = s('g', {}, levels.map(({ path, text }) => [path, text]).flat(), marks, target, line, [...dots.values()]);
  const svg = s('svg', { class: 'chart', role: 'img' }, none, some);
  let width = 600;
  let drawn = [];
  let said = {};

  function draw(points, extra = {}) {
    [drawn, said] = [points, extra];
    const all = { ...spec, ...extra };
    const isEmpty = points.length < 2;
    attribute(svg, 'viewBox', `0 0 ${width} ${HEIGHT}`);
    attribute(svg, 'aria-label', all.text ?? all.name);
    attribute(none, 'x', width / 2);
    attribute(none, 'visibility', isEmpty ? 'visible' : 'hidden');
    attribute(some, 'visibility', isEmpty ? 'hidden' : 'visible');
    if (!isEmpty) place(points, all);
  }

  function place(points, all) {
    const xs = points.map((point) => point.x);
    const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
    const y1 = nice(Math.max(...points.map((point) => point.y), all.target ?? 0, LEAST));
    const px = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (width - LEFT - RIGHT);
    const py = (y) => HEIGHT - BOTTOM - (y / y1) * (HEIGHT - TOP - BOTTOM);
    for (const { part, path, text } of levels) {
      attribute(path, 'd', `M${LEFT} ${py(y1 * part)}H${width - RIGHT}`);
      attribute(text, 'y', py(y1 * part));
      say(text, all.labelY(y1 * part));
    }
    [x0, x1].forEach((x, at) => {
      attribute(marks[at], 'x', px(x));
      say(marks[at], all.labelX(x));
    });
    attribute(target, 'd', all.target ? `M${LEFT} ${py(all.target)}H${width - RIGHT}` : '');
    attribute(line, 'd', all.line ? `M${points.map((point) => `${px(point.x).toFixed(1)} ${py(point.y).toFixed(1)}`).join('L')}` : '');
    // One element for all dots: a thousand cost as much as one.
    for (const [kind, path] of dots) {
      attribute(path, 'd', all.line ? '' : points.filter((point) => (point.kind ?? 'dots') === kind)
        .map((point) => `M${px(point.x).toFixed(1)} ${py(point.y).toFixed(1)}h0`).join(''));
    }
  }

  const observer = new ResizeObserver(([entry]) => {
    const now = Math.max(260, Math.round(entry.contentRect.width));
    if (now === width) return;
    width = now;
    draw(drawn, said);
  });
  observer.observe(svg);
  return { element: h('div', {}, svg), draw, end: () => observer.disconnect() };
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}
