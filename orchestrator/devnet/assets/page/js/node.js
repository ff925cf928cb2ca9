// One node: what it stands on, its peers, what it takes, what it says.

import { ask } from './link.js';
import { bytes, card, h, keep, plural, rate, say, short, span } from './dom.js';
import { act } from './orders.js';
import { faultSheet } from './sheet.js';
import { store } from './store.js';
import { tileRow } from './network.js';

const PAUSE_MS = 2000;

export function nodeView(first) {
  let name = first;
  const title = h('h1', {});
  const more = h('p');
  const tiles = tileRow(['Height', 'Peers', 'Mempool', 'Hash rate', 'Memory', 'Processor']);
  const peers = h('tbody');
  const facts = h('dl');
  const log = h('pre', { class: 'log', tabindex: '0', role: 'region', 'aria-label': 'Log' });
  const control = h('div', { class: 'row' });
  const sheet = faultSheet(() => [name]);
  const others = h('button', { type: 'button', 'aria-expanded': 'false', onclick: () => sheet.open(others, 'slow') }, 'All faults…');
  const element = h('div', { class: 'grid' },
    h('div', { class: 'head' }, h('div', { class: 'grow' }, h('p', {}, h('a', { href: '#/network' }, '‹ Network')), title, more), control),
    h('section', { class: 'card' }, sheet.element),
    tiles.element,
    h('div', { class: 'halves' },
      card('Peers', null, h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Peers' }, h('table', {}, h('thead', {}, h('tr', {}, ['Peer', 'Direction', 'Ping', 'Height', 'Age'].map((one) => h('th', { scope: 'col' }, one)))), peers))),
      card('About it', null, facts)),
    card('End of its log', null, log));
  let before = null;
  let isOver = false;

  const button = (text, what, kind) => {
    const made = h('button', { type: 'button', class: kind ?? '', onclick: () => act({ do: 'node', nodes: [name], act: what }, made) }, text);
    return made;
  };

  function update() {
    const node = store.nodes.get(name);
    say(title, name);
    if (!node) {
      say(more, store.network ? 'There is no such node in this network.' : 'Loading.');
      return;
    }
    say(more, `${node.role}${node.zone ? ` in ${node.zone}` : ''} · ${node.condition === 'up' ? 'answers' : `${node.condition}${node.why ? `: ${node.why}` : ''}`}`);
    tiles.set('Height', node.tip?.height ?? '–', node.tip ? short(node.tip.hash) : '');
    tiles.set('Peers', node.peers.length, 'connected');
    tiles.set('Mempool', node.mempool, bytes(node.mempool_bytes));
    tiles.set('Hash rate', node.hashrate ? rate(node.hashrate) : '–', node.hashrate ? plural(node.found, 'block found', 'blocks found') : 'does not mine');
    sheet.update();
    if (store.network?.is_recording) recorded(node);
    const look = `${node.condition} ${store.mayAct}`;
    if (control.dataset.look === look) return;
    control.dataset.look = look;
    const isUp = node.condition === 'up' || node.condition === 'silent';
    control.replaceChildren(...(!store.mayAct ? [] : isUp
      ? [button('Pause', 'pause'), button('Restart', 'restart'), button('Kill', 'kill', 'danger'), others]
      : [button(node.condition === 'paused' ? 'Unpause' : 'Start', node.condition === 'paused' ? 'unpause' : 'start', 'main'), others]));
    if (!store.mayAct) sheet.element.hidden = true;
  }

  // There is nobody to ask for more.
  function recorded(node) {
    keep(peers, node.peers.map((peer) => [peer, '', () => h('tr', {}, h('td', { colspan: 5 }, h('a', { href: `#/node/${peer}` }, peer)))]));
    if (!facts.firstChild) facts.append(h('dt', {}, 'Told by'), h('dd', {}, 'a recording, which has no node to ask for more'));
    say(log, 'A recording keeps no log.');
  }

  async function load() {
    if (isOver || store.network?.is_recording) return;
    const wanted = name;
    const detail = await ask(`/api/node/${encodeURIComponent(wanted)}`).catch(() => null);
    if (detail && wanted === name && !isOver) show(detail);
    if (!isOver) setTimeout(load, PAUSE_MS);
  }

  function show(detail) {
    const memory = detail.resources.process_resident_memory_bytes;
    const cpu = detail.resources.process_cpu_seconds_total;
    const last = before?.name === detail.name && cpu >= before.cpu ? before : null;
    const share = last ? (cpu - last.cpu) / ((detail.at_ms - last.at) / 1000) : null;
    before = { name: detail.name, cpu, at: detail.at_ms };
    tiles.set('Memory', bytes(memory), 'resident');
    tiles.set('Processor', share === null ? '–' : `${(share * 100).toFixed(1)} %`, 'of one core');
    const since = (peer) => span(detail.at_ms - peer.conntime * 1000);
    keep(peers, detail.peers.length ? detail.peers.map((peer) => {
      const other = /\(([^)]*)\)/.exec(peer.subver)?.[1];
      const words = [peer.inbound ? 'in' : 'out', peer.pingtime === null ? '–' : `${(peer.pingtime * 1000).toFixed(1)} ms`, peer.synced_blocks ?? '–', since(peer)];
      return [`${peer.peerid} ${peer.conntime}`, other ?? '', () => h('tr', {}, h('td', {}, other ? h('a', { href: `#/node/${other}` }, other) : short(peer.peerid)), words.map(() => h('td'))),
        (row) => words.forEach((text, at) => say(row.cells[at + 1], text))];
    }) : [['none', '', () => h('tr', {}, h('td', { colspan: 5, class: 'note' }, 'No peers.'))]]);
    const row = (key, value) => (value === undefined || value === null ? [] : [h('dt', {}, key), h('dd', {}, value)]);
    facts.replaceChildren(...[
      row('Version', detail.network?.subversion), row('Peer id', detail.network && h('span', { class: 'mono' }, detail.network.peerid)),
      row('Tip', detail.chain && h('a', { class: 'mono', href: `#/explorer/${detail.chain.bestblockhash}` }, detail.chain.bestblockhash)),
      row('Difficulty', detail.chain?.difficulty.toFixed(3)), row('Chain on disk', detail.chain && bytes(detail.chain.size_on_disk)),
      row('Addresses', detail.network?.multiaddrs.join(', ')), row('JSON-RPC', detail.rpc), row('Metrics', detail.metrics), row('Open files', detail.resources.process_open_fds)].flat());
    const text = detail.log.length ? detail.log.map((line) => line.text).join('\n') : 'It has said nothing, or its engine does not tell.';
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
    if (log.textContent !== text) {
      log.textContent = text;
      if (isAtEnd) log.scrollTop = log.scrollHeight;
    }
  }
  load();
  const go = (other) => {
    name = other;
    before = null;
    peers.replaceChildren();
    facts.replaceChildren();
    log.textContent = '';
    update();
  };
  return { element, title: 'Node', update, go, end: () => { isOver = true; } };
}
