// What happened, newest first, and what is in force.

import { clock, h, plural, span } from './dom.js';
import { chain, colourOf } from './chain.js';
import { now, store } from './store.js';

const MARKS = { fault: '⚡', heal: '✓', proof: '✓', reorg: '↺', node: '•', payment: '¤', refused: '✗' };
const WORDS = { fault: 'Fault', heal: 'Over', proof: 'Measured', reorg: 'Reorganisation', node: 'Node', payment: 'Payment', refused: 'Refused' };

export function eventList(count, kinds) {
  const element = h('ol', { class: 'events', 'aria-label': 'What happened, newest first' });
  const update = () => {
    const shown = store.events.filter((event) => !kinds || kinds.includes(event.kind)).slice(-count).reverse();
    element.replaceChildren(...(shown.length ? shown.map(row) : [h('li', {}, h('span', { class: 'note' }, 'Nothing yet.'))]));
  };
  return { element, update };
}

const row = (event) => h('li', {}, h('time', { datetime: new Date(event.at_ms).toISOString() }, clock(event.at_ms)),
  h('span', { class: `mark ${event.kind}`, title: WORDS[event.kind] ?? event.kind, role: 'img', 'aria-label': WORDS[event.kind] ?? event.kind }, MARKS[event.kind] ?? '•'),
  h('div', {}, event.title, event.detail && h('small', {}, event.kind === 'payment'
    ? h('a', { href: `#/explorer/${event.detail}` }, event.detail) : event.detail)));

// One row a fault in force, and what each side of a cut has mined.
export function activeFaults() {
  const list = h('ul', { class: 'active' });
  const sides = h('div', { class: 'sides' });
  const element = h('div', {}, list, sides);
  const update = () => {
    const { active, groups } = store.faults;
    list.hidden = !active.length;
    list.replaceChildren(...active.map((fault) => h('li', {}, h('span', {}, fault.title,
      h('small', { class: 'note' }, ` for ${span(now() - fault.since_ms)}${fault.until_ms ? `, until ${clock(fault.until_ms)}` : ''}`)))));
    const { fork, isDeep } = chain();
    sides.replaceChildren(...groups.map((group, at) => side(group, at, fork, isDeep)));
  };
  return { element, update };
}

function side(group, at, fork, isDeep) {
  const nodes = group.map((name) => store.nodes.get(name)).filter((node) => node?.tip);
  const top = nodes.reduce((best, node) => (!best || node.tip.work > best.tip.work ? node : best), null);
  const height = top?.tip.height ?? 0;
  const own = fork === null || !top ? 0 : Math.max(0, height - fork);
  return h('div', { class: `side c${top ? colourOf(top) : 'down'}` }, h('div', { class: 'note' }, `Side ${String.fromCharCode(65 + at)}`),
    h('b', {}, top ? `height ${height}` : 'silent'), h('div', { class: 'note' }, fork === null ? 'not parted yet' : `${isDeep ? 'more than ' : ''}${plural(own, 'block')} of its own`),
    h('div', { class: 'note' }, group.length > 6 ? plural(group.length, 'node') : group.join(', ')));
}
