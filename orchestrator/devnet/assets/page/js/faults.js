// Faults: what is in force, and all that happened, as lanes over time and as a list.

import { actions } from './actions.js';
import { activeFaults, eventList } from './events.js';
import { readBack } from './force.js';
import { scenarioCard } from './scenario.js';
import { card, clock, h, plural, s, seldom, span } from './dom.js';
import { now, store } from './store.js';

// Width of a letter of the chart's text, at most on average.
const LETTER_PX = 7.5;
// How often the timeline is drawn at most.
const LINE_MS = 250;

export function faultsView() {
  const active = activeFaults();
  const bar = actions();
  const scenario = scenarioCard();
  const events = eventList(200);
  const line = timeline();
  const force = readBack();
  const none = h('p', { class: 'empty' }, 'No fault is in force. Select nodes on the Network page and press Partition.');
  const element = h('div', { class: 'grid' },
    h('div', { class: 'head' }, h('div', { class: 'grow' }, h('h1', {}, 'Faults'), h('p', {}, 'Every fault is measured after it is made; what was measured stands below it.'))),
    h('section', { class: 'card' }, h('header', {}, h('h2', {}, 'In force')), h('div', { class: 'body' }, none, active.element), bar.element),
    force.element,
    scenario.element,
    card('Timeline', 'Bars are faults in force, ticks are blocks that some node left for another branch.', line.element),
    card('What happened', 'Newest first, as far as it was written down.', events.element));
  const figures = seldom(LINE_MS, line.update);
  const update = (parts) => {
    none.hidden = store.faults.active.length > 0;
    active.update();
    bar.update();
    scenario.update();
    if (parts.has('events') || parts.has('whole')) events.update();
    figures.ask();
    force.update(parts);
  };
  const timer = setInterval(() => { active.update(); figures.ask(); }, 1000);
  return { element, title: 'Faults', update, end: () => { clearInterval(timer); figures.end(); line.end(); } };
}

// When each fault began and ended, as far as was seen.
function spans() {
  const found = new Map();
  for (const event of store.events) {
    if (event.fault === undefined) continue;
    if (event.kind === 'fault') found.set(event.fault, { title: event.title, from: event.at_ms, to: null });
    if (event.kind === 'heal') {
      const had = found.get(event.fault) ?? { title: event.title.replace('over: ', ''), from: store.events[0].at_ms };
      found.set(event.fault, { ...had, to: event.at_ms });
    }
  }
  for (const fault of store.faults.active) found.set(fault.id, { title: fault.title, from: fault.since_ms, to: null });
  return [...found.values()].sort((a, b) => a.from - b.from).slice(-12);
}

function timeline() {
  const svg = s('svg', { class: 'chart', role: 'img' });
  let width = 800;
  function update() {
    const bars = spans();
    const reorgs = store.events.filter((event) => event.kind === 'reorg');
    const end = now();
    const begin = Math.min(Math.max(0, end - 60_000), ...bars.map((bar) => bar.from), ...reorgs.map((event) => event.at_ms));
    const x = (ms) => 8 + ((ms - begin) / (end - begin || 1)) * (width - 16);
    const height = Math.max(60, bars.length * 26 + 40);
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.style.height = `${height}px`;
    svg.setAttribute('aria-label', `${plural(bars.length, 'fault')} and ${plural(reorgs.length, 'reorganisation')} in ${span(end - begin)}`);
    const rows = bars.map((bar, at) => {
      const [from, to] = [x(bar.from), x(bar.to ?? end)];
      const isLeft = from < width / 2;
      const room = (isLeft ? width - from : to) - 8;
      return s('g', {}, s('rect', { class: 'lane', x: from, y: at * 26 + 15, width: Math.max(3, to - from), height: 6, rx: 3 }),
        s('text', { x: isLeft ? from : to, y: at * 26 + 11, 'text-anchor': isLeft ? 'start' : 'end' }, clipped(`${bar.title} · ${span((bar.to ?? end) - bar.from)}${bar.to ? '' : ', in force'}`, room)));
    });
    const ticks = s('path', { class: 'target', d: reorgs.map((event) => `M${x(event.at_ms).toFixed(1)} ${height - 30}v8`).join('') });
    svg.replaceChildren(...rows, ticks, s('path', { class: 'axis', d: `M8 ${height - 20}H${width - 8}` }),
      s('text', { x: 8, y: height - 4 }, clock(begin)), s('text', { x: width - 8, y: height - 4, 'text-anchor': 'end' }, 'now'));
  }
  const clipped = (text, room) => {
    const most = Math.max(8, Math.floor(room / LETTER_PX));
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  };
  const observer = new ResizeObserver(([entry]) => {
    width = Math.max(260, Math.round(entry.contentRect.width));
    update();
  });
  observer.observe(svg);
  return { element: svg, update, end: () => observer.disconnect() };
}
