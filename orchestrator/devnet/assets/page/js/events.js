// What happened, newest first, and what is in force.

import { clock, h, keep, plural, say, span, titled } from './dom.js';
import { chain, colourOf } from './chain.js';
import { act } from './orders.js';
import { now, store } from './store.js';

const MARKS = { fault: '⚡', heal: '✓', proof: '✓', reorg: '↺', node: '•', payment: '¤', refused: '✗' };
const WORDS = { fault: 'Fault', heal: 'Over', proof: 'Measured', reorg: 'Reorganisation', node: 'Node', payment: 'Payment', refused: 'Refused' };

export function eventList(count, kinds) {
  const element = h('ol', { class: 'events', 'aria-label': 'What happened, newest first' });
  const update = () => {
    const shown = together(store.events.filter((event) => !kinds || kinds.includes(event.kind))).slice(-count).reverse();
    keep(element, shown.length ? shown.map((event) => [event.id, `${event.at_ms} ${event.title} ${event.nodes?.join()}`, () => row(event)]) : [['none', '', () => h('li', {}, h('span', { class: 'note' }, 'Nothing yet.'))]]);
  };
  return { element, update };
}

// Nodes that leave a branch for the same one do so one after the other: that is
// one thing that happened.
const SAME_MS = 5000;

function together(events) {
  const told = [];
  const open = new Map();
  for (const event of events) {
    const one = event.kind === 'reorg' ? open.get(event.detail) : undefined;
    if (one && event.at_ms - one.at_ms < SAME_MS && !one.nodes.includes(event.node)) {
      one.nodes.push(event.node);
      one.title = `${one.nodes.length} nodes left blocks for a heavier branch`;
    } else {
      const entry = { ...event, nodes: [event.node] };
      told.push(entry);
      if (event.kind === 'reorg') open.set(event.detail, entry);
    }
  }
  return told;
}

const words = ({ kind, detail, nodes }) => (kind === 'reorg' && nodes.length > 1 ? `${nodes.length > 8 ? `${nodes.slice(0, 8).join(', ')} and ${nodes.length - 8} more` : nodes.join(', ')}: ${detail}` : detail);

const row = (event) => h('li', {}, h('time', { datetime: new Date(event.at_ms).toISOString() }, clock(event.at_ms)),
  h('span', { class: `mark ${event.kind}`, title: WORDS[event.kind] ?? event.kind, role: 'img', 'aria-label': WORDS[event.kind] ?? event.kind }, MARKS[event.kind] ?? '•'),
  h('div', {}, titled(event.title), event.detail && h('small', {}, event.kind === 'payment'
    ? h('a', { href: `#/explorer/${event.detail}` }, event.detail) : words(event))));

// One row a fault in force with its proof, and what each side of a cut has mined.
export function activeFaults() {
  const list = h('ul', { class: 'active' });
  const sides = h('div', { class: 'sides' });
  const element = h('div', {}, list, sides);
  const rows = new Map();
  const update = () => {
    const { active, groups } = store.faults;
    list.hidden = !active.length;
    for (const id of rows.keys()) {
      if (active.some((fault) => fault.id === id)) continue;
      rows.get(id).element.remove();
      rows.delete(id);
    }
    for (const fault of active) {
      if (!rows.has(fault.id)) {
        rows.set(fault.id, activeRow(fault));
        list.append(rows.get(fault.id).element);
      }
      rows.get(fault.id).update(fault);
    }
    const { fork, isDeep } = chain();
    keep(sides, groups.map((group, at) => side(group, at, fork, isDeep)));
  };
  return { element, update };
}

function activeRow(fault) {
  const since = h('small', { class: 'note' });
  const proof = h('small', {});
  const end = h('button', { type: 'button', 'aria-label': `Take out: ${fault.title}`, onclick: () => act({ do: 'lift', id: fault.id }, end) }, 'Take out');
  const element = h('li', {}, h('div', { class: 'grow', title: fault.title }, titled(fault.title), since, proof), end);
  const update = ({ since_ms: from, until_ms: until, proof: told }) => {
    say(since, ` for ${span(Math.max(0, now() - from))}${until ? `, until ${clock(until)}` : ''}`);
    say(proof, told ? `${told.came === 'done' ? '✓' : '✗'} ${told.detail}` : store.network?.is_recording ? '' : 'not measured yet');
    proof.className = told && told.came !== 'done' ? 'bad-text' : 'note';
    end.hidden = !store.mayAct;
  };
  return { element, update };
}

function side(group, at, fork, isDeep) {
  const nodes = group.map((name) => store.nodes.get(name)).filter((node) => node?.tip);
  const top = nodes.reduce((best, node) => (!best || node.tip.work > best.tip.work ? node : best), null);
  const height = top?.tip.height ?? 0;
  const own = fork === null || !top ? 0 : Math.max(0, height - fork);
  const colour = top ? colourOf(top) : 'down';
  return [at, [group, colour, height, own, fork === null, isDeep].join(), () => h('div', { class: `side c${colour}` }, h('div', { class: 'note' }, `Side ${String.fromCharCode(65 + at)}`),
    h('b', {}, top ? `height ${height}` : 'silent'), h('div', { class: 'note' }, fork === null ? 'not parted yet' : `${isDeep ? 'more than ' : ''}${plural(own, 'block')} of its own`),
    h('div', { class: 'note' }, group.length > 6 ? plural(group.length, 'node') : group.join(', ')))];
}
