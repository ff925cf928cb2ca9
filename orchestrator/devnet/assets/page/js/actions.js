// What can be done to the selected nodes, and to the network.

import { h, plural, say } from './dom.js';
import { act, picked, select } from './orders.js';
import { faultSheet } from './sheet.js';
import { store } from './store.js';

const button = (text, kind, onclick) => h('button', { type: 'button', class: kind, onclick }, text);

// The bar of buttons below the picture.
export function actions() {
  const what = h('span', { class: 'what', 'aria-live': 'polite' });
  const sheet = faultSheet(picked);
  const opens = (text, kind) => {
    const made = button(text, '', () => sheet.open(made, kind));
    made.setAttribute('aria-expanded', 'false');
    return made;
  };
  const cut = button('Partition', 'main', () => act({ do: 'cut', shape: { groups: [picked().join(',')] } }, cut));
  const halves = button('Cut in two halves', '', () => act({ do: 'cut', shape: 'halves' }, halves));
  const heal = button('Heal everything', 'push', () => act({ do: 'heal', nodes: [] }, heal));
  const one = (text, name, kind = '') => {
    const made = button(text, kind, () => act({ do: 'node', nodes: picked(), act: name }, made));
    return made;
  };
  const kill = one('Kill', 'kill', 'danger');
  const pause = one('Pause', 'pause');
  const start = button('Start', '', () => {
    const isFrozen = picked().every((name) => store.nodes.get(name)?.condition === 'paused');
    return act({ do: 'node', nodes: picked(), act: isFrozen ? 'unpause' : 'start' }, start);
  });
  const restart = one('Restart', 'restart');
  const slow = opens('Slow links…', 'slow');
  const add = opens('Add nodes…', 'add');
  const more = opens('All faults…', 'partition');
  const none = button('Clear', '', () => select([]));
  const readOnly = h('span', { class: 'note' }, 'Read-only. Open the address with the token that `devnet serve` printed to partition, kill, pause or pay.');
  const controls = [cut, kill, pause, start, restart, none, halves, slow, add, more, heal];
  const bar = h('div', { class: 'bar', role: 'toolbar', 'aria-label': 'Faults' }, what, readOnly, ...controls);

  function update() {
    const nodes = picked().map((name) => store.nodes.get(name));
    const has = nodes.length > 0;
    readOnly.hidden = store.mayAct;
    if (store.network?.is_recording) say(readOnly, 'A recording: play, pause and step below.');
    what.hidden = !store.mayAct;
    for (const control of controls) control.hidden = !store.mayAct;
    if (!store.mayAct) {
      sheet.element.hidden = true;
      return;
    }
    say(what, has ? `${plural(nodes.length, 'node')} selected:` : 'Select nodes to cut them off.');
    for (const control of [cut, kill, pause, start, restart, none]) control.hidden = !has;
    const stopped = nodes.filter((node) => node.condition !== 'up').length;
    start.hidden = !stopped;
    pause.hidden = kill.hidden = !has || stopped === nodes.length;
    restart.hidden = !has || stopped > 0;
    cut.disabled = cut.classList.contains('busy') || nodes.length === store.nodes.size;
    halves.hidden = has || store.nodes.size < 2;
    add.hidden = has;
    heal.classList.toggle('main', store.faults.active.length > 0);
    heal.disabled = heal.classList.contains('busy');
    sheet.update();
  }
  return { element: h('div', {}, bar, sheet.element), update };
}
