// The network at a glance: picture, nodes, tree, what is in force.

import { actions } from './actions.js';
import { chain, colourOf, intervals, verdict } from './chain.js';
import { attribute, card, h, median, plural, rate, say, seldom, span } from './dom.js';
import { activeFaults, eventList } from './events.js';
import { select } from './orders.js';
import { scenarioCard } from './scenario.js';
import { now, store } from './store.js';
import { topology } from './topology.js';
import { tree } from './tree.js';

// A longer list of nodes follows only so often: it has the page laid out.
const LIST_MS = 200;
const LIST_FEW = 30;

export function networkView() {
  const title = h('h1', { 'aria-live': 'polite' });
  const more = h('p');
  const open = (name) => { location.hash = `#/node/${name}`; };
  const picture = topology(select, open);
  const bar = actions();
  const tiles = tileRow(['Height', 'Block time', 'Propagation', 'Hash rate', 'Mempool', 'Faults']);
  const list = nodeList(open);
  const listed = seldom(LIST_MS, list.update);
  const blocks = tree('Latest blocks');
  const active = activeFaults();
  const events = eventList(8);
  const scenario = scenarioCard();
  const legend = h('ul', { class: 'legend', 'aria-label': 'Legend' },
    h('li', {}, '● miner, larger with more hash power'), h('li', {}, '■ observer'), h('li', {}, '⬢ bootstrap'),
    h('li', {}, h('i'), 'connection'), h('li', {}, h('i', { class: 'cut' }), 'cut'), h('li', {}, h('i', { class: 'slow' }), 'slow or lossy'));
  const force = card('In force', null, active.element);
  const element = h('div', {},
    h('div', { class: 'head' }, h('div', { class: 'grow' }, title, more)),
    tiles.element,
    h('div', { class: 'split' },
      h('section', { class: 'card', 'aria-label': 'Topology' }, picture.element, legend, bar.element),
      h('div', { class: 'grid' }, list.element, force, scenario.element)),
    h('div', { class: 'grid below' },
      card('Blocks', 'Each colour is a branch; a flag is where a node stands.', blocks.element),
      card('What happened', h('a', { href: '#/faults' }, 'all of it'), events.element)));

  function numbers() {
    const { best } = chain();
    const nodes = [...store.nodes.values()];
    const times = intervals(60).map(({ ms }) => ms);
    const mean = times.length ? times.reduce((a, b) => a + b, 0) / times.length : null;
    const spreads = chain().path.slice(0, 60).map((block) => block.spread).filter((spread) => spread?.nodes > 1);
    const waiting = Math.max(0, ...nodes.map((node) => node.mempool));
    const since = best ? store.blocks.get(best.hash) : null;
    tiles.set('Height', best ? best.height.toLocaleString('en') : '–', since ? `${span(Math.max(0, now() - (since.seen_ms ?? since.time_ms)))} ago` : '');
    tiles.set('Block time', span(mean), store.network ? `target ${span(store.network.spacing_ms)}` : '');
    tiles.set('Propagation', span(median(spreads.map((spread) => spread.last_ms))), 'median to the last node');
    tiles.set('Hash rate', rate(nodes.filter((node) => node.condition === 'up').reduce((sum, node) => sum + node.hashrate, 0)), plural(nodes.filter((node) => node.hashrate > 0).length, 'miner'));
    tiles.set('Mempool', waiting.toLocaleString('en'), 'transactions wait');
    tiles.set('Faults', store.faults.active.length, store.faults.active.length ? 'in force' : 'none in force');
  }

  function update(parts) {
    const told = verdict();
    say(title, told.title);
    say(more, told.more);
    picture.update();
    if (parts.has('tips') || parts.has('blocks') || parts.has('nodes') || parts.has('whole')) blocks.update();
    if (parts.has('selection') || parts.has('whole')) list.update();
    else if (parts.has('nodes') || parts.has('tips')) store.nodes.size > LIST_FEW ? listed.ask() : list.update();
    bar.update();
    force.hidden = !store.faults.active.length;
    active.update();
    if (parts.has('events') || parts.has('whole')) events.update();
    if (parts.has('scenario') || parts.has('whole')) scenario.update();
    numbers();
  }
  const timer = setInterval(numbers, 1000);
  return { element, title: 'Network', update, end: () => { clearInterval(timer); listed.end(); picture.end(); blocks.end(); } };
}

// A row of figures.
export function tileRow(names) {
  const parts = new Map(names.map((name) => [name, { value: h('span', { class: 'value' }, '–'), more: h('span', { class: 'more' }) }]));
  const element = h('ul', { class: 'tiles' }, names.map((name) => h('li', {}, h('span', { class: 'name' }, name), parts.get(name).value, parts.get(name).more)));
  const set = (name, value, more) => {
    say(parts.get(name).value, value);
    say(parts.get(name).more, more);
  };
  return { element, set };
}

// All nodes with boxes to select them.
function nodeList(open) {
  const items = h('ul', { class: 'nodes', tabindex: '0', 'aria-label': 'Nodes' });
  const count = h('span', { class: 'note' });
  const element = h('section', { class: 'card' }, h('header', {}, h('h2', {}, 'Nodes'), count), h('div', { class: 'body' }, items));
  const rows = new Map();
  function row(name) {
    const box = h('input', { type: 'checkbox', 'aria-label': `Select ${name}`, onchange: () => select(name, true) });
    const dot = h('span', { class: 'dot' });
    const link = h('a', { href: `#/node/${name}` }, name);
    const role = h('small', {});
    const peers = h('span', { class: 'note' });
    const height = h('span', { class: 'height' });
    const element = h('li', {}, box, dot, h('span', { class: 'who' }, link, role), peers, height);
    return { element, box, dot, role, peers, height, look: '' };
  }
  function update() {
    const names = [...store.nodes.keys()];
    for (const [name, parts] of rows) {
      if (store.nodes.has(name)) continue;
      parts.element.remove();
      rows.delete(name);
    }
    for (const name of names) {
      if (!rows.has(name)) {
        rows.set(name, row(name));
        items.append(rows.get(name).element);
      }
      const node = store.nodes.get(name);
      const parts = rows.get(name);
      const isUp = node.condition === 'up';
      const look = [store.selected.has(name), colourOf(node), node.condition, node.hashrate, node.role, node.peers.length, node.tip?.height].join();
      if (parts.look === look) continue;
      parts.look = look;
      parts.box.checked = store.selected.has(name);
      attribute(parts.element, 'class', store.selected.has(name) ? 'on' : '');
      attribute(parts.dot, 'class', `dot c${isUp ? colourOf(node) : 'down'}`);
      say(parts.role, node.hashrate > 0 ? rate(node.hashrate) : node.role);
      say(parts.peers, isUp ? plural(node.peers.length, 'peer') : node.condition);
      say(parts.height, isUp && node.tip ? node.tip.height : '–');
    }
    const up = [...store.nodes.values()].filter((node) => node.condition === 'up').length;
    say(count, `${up} of ${names.length} answer`);
  }
  return { element, update };
}
