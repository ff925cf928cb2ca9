// What is in force, read back from the nodes, and where it differs from what was
// asked for: `devnet faults`.

import { h, plural, say } from './dom.js';
import { ask } from './link.js';
import { act } from './orders.js';
import { store } from './store.js';

const LINKS_SHOWN = 24;

export function readBack() {
  const note = h('span', { class: 'note', role: 'status' });
  const again = h('button', { type: 'button', onclick: () => load() }, 'Read again');
  const mend = h('button', { type: 'button', class: 'main', onclick: async () => {
    await act({ do: 'reapply' }, mend);
    load();
  } }, 'Put it in force again');
  const differences = h('ul', { class: 'list bad-text' });
  const nodes = h('ul', { class: 'list' });
  const links = h('ul', { class: 'chips' });
  const element = h('section', { class: 'card' }, h('header', {}, h('h2', {}, 'Read back from the nodes'), note),
    h('div', { class: 'body grid' }, differences, nodes, links, h('div', { class: 'row' }, again, mend)));
  let isLoading = false;
  let isStale = false;
  let differs = false;

  // Nodes and their filters are asked, so this is done when something changed.
  async function load() {
    if (isLoading) {
      isStale = true;
      return;
    }
    isLoading = true;
    again.disabled = true;
    say(note, 'reading');
    try {
      show(await ask('/api/faults'));
    } catch (error) {
      say(note, error.message);
    }
    again.disabled = isLoading = false;
    if (isStale) {
      isStale = false;
      load();
    }
  }

  function show({ intended, links: found, nodes: held, differences: told }) {
    const count = found.length + Object.keys(held).length;
    differs = told.length > 0;
    say(note, differs ? 'It differs from what was asked for.' : count ? 'As asked for.' : intended.length ? 'Nothing on links, clocks, rates or disks.' : 'Nothing is in force.');
    differences.replaceChildren(...told.slice(0, LINKS_SHOWN).map((text) => h('li', {}, text)));
    nodes.replaceChildren(...Object.entries(held).map(([name, force]) => h('li', {}, h('a', { href: `#/node/${encodeURIComponent(name)}` }, name), ` ${words(force)}`)));
    const shown = found.slice(0, LINKS_SHOWN).map(({ link, state }) => h('li', { class: 'chip' }, `${link.from} → ${link.to}: ${state.cut ? 'cut' : condition(state.condition ?? state)}`));
    links.replaceChildren(...shown, ...(found.length > LINKS_SHOWN ? [h('li', { class: 'note' }, `and ${plural(found.length - LINKS_SHOWN, 'more link', 'more links')}`)] : []));
    for (const list of [differences, nodes, links]) list.hidden = !list.children.length;
    allow();
  }

  function allow() {
    mend.hidden = !differs || !store.mayAct;
  }

  function update(parts) {
    element.hidden = !store.network || store.network.is_recording;
    allow();
    if (!element.hidden && (parts.has('faults') || parts.has('whole'))) load();
  }
  return { element, update };
}

const words = (force) => [
  !force.runs && 'does not run',
  force.clock_offset_ms && `clock off by ${(force.clock_offset_ms / 1000).toLocaleString('en')} s`,
  force.hashrate !== null && force.hashrate !== undefined && `${force.hashrate.toLocaleString('en')} hashes a second`,
  force.quota_bytes && `disk limited to ${force.quota_bytes.toLocaleString('en')} bytes`].filter(Boolean).join(', ');

const condition = (at) => [
  at.latency_ms && `${at.latency_ms} ms`,
  at.jitter_ms && `± ${at.jitter_ms} ms`,
  at.loss && `${(at.loss * 100).toLocaleString('en')} % lost`,
  at.rate_bytes_s && `${at.rate_bytes_s.toLocaleString('en')} bytes a second`].filter(Boolean).join(', ') || 'free';
