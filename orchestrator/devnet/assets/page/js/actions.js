// What can be done to the selected nodes, and to the network.

import { h, plural, say, toast } from './dom.js';
import { request } from './link.js';
import { changed, store } from './store.js';

const WORDS = { done: 'Done', ineffective: 'It had not the effect it should have', failed: 'It could not be done' };

// Does something, and says what came of it.
export async function act(wish, button) {
  if (button) {
    button.disabled = true;
    button.classList.add('busy');
  }
  try {
    const done = await request('/api/act', wish);
    const isBad = done.outcome !== 'done';
    toast(isBad ? `${WORDS[done.outcome]}: ${done.title}` : done.title, [done.detail, ...done.objections].filter(Boolean).join(' · '), isBad);
    return !isBad;
  } catch (error) {
    toast('It was not done', error.message, true);
    return false;
  } finally {
    if (button) {
      button.classList.remove('busy');
      button.disabled = false;
    }
    changed('selection');
  }
}

export function select(names, isMore) {
  if (typeof names === 'string') {
    if (store.selected.has(names)) store.selected.delete(names);
    else store.selected.add(names);
  } else {
    if (!isMore) store.selected.clear();
    for (const name of names) store.selected.add(name);
  }
  changed('selection');
}

const picked = () => [...store.selected];
const button = (text, kind, onclick) => h('button', { type: 'button', class: kind, onclick }, text);

// The bar of buttons below the picture.
export function actions() {
  const what = h('span', { class: 'what', 'aria-live': 'polite' });
  const sheet = h('form', { class: 'sheet', hidden: true });
  const cut = button('Partition', 'main', () => act({ do: 'partition', groups: [picked()] }, cut));
  const halves = button('Cut in two halves', '', () => act({ do: 'halves' }, halves));
  const heal = button('Heal everything', '', () => act({ do: 'heal', nodes: [] }, heal));
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
  const slow = button('Slow links…', '', () => show(slowForm()));
  const power = button('Hash rate…', '', () => show(powerForm()));
  const add = button('Add nodes…', '', () => show(addForm()));
  const none = button('Clear', '', () => select([]));
  const readOnly = h('span', { class: 'note' }, 'Read-only. Open the address with the token that `devnet serve` printed to partition, kill, pause or pay.');
  const controls = [cut, kill, pause, start, restart, slow, power, none, halves, heal, add];
  const bar = h('div', { class: 'bar', role: 'toolbar', 'aria-label': 'Faults' }, what, readOnly, ...controls);

  function show(fields) {
    sheet.replaceChildren(...fields.inputs, h('button', { type: 'submit', class: 'main' }, fields.title), button('Cancel', '', hide));
    sheet.onsubmit = async (event) => {
      event.preventDefault();
      const wish = fields.wish();
      hide();
      await act(wish);
    };
    sheet.hidden = false;
    sheet.querySelector('input, select')?.focus();
  }

  function hide() {
    sheet.hidden = true;
    sheet.replaceChildren();
  }

  const number = (label, value, more) => {
    const input = h('input', { type: 'number', value, min: 0, step: 'any', ...more });
    return { field: h('label', { class: 'field' }, label, input), read: () => (input.value === '' ? null : Number(input.value)) };
  };

  function slowForm() {
    const delay = number('Latency, ms one way', 80);
    const loss = number('Loss, %', '', { max: 100 });
    const time = number('Seconds, empty: until healed', '', { min: 1, step: 1 });
    const nodes = picked();
    return {
      title: nodes.length ? `Slow down all links of ${plural(nodes.length, 'node')}` : 'Slow down every link',
      inputs: [delay.field, loss.field, time.field],
      wish: () => ({ do: 'links', nodes, for_s: time.read(), with: {
        ...(delay.read() === null ? {} : { latency_ms: delay.read() }),
        ...(loss.read() === null ? {} : { loss: loss.read() / 100 }) } }),
    };
  }

  function powerForm() {
    const nodes = picked();
    const hashes = number('Hashes a second', store.nodes.get(nodes[0])?.hashrate ?? 1000);
    return { title: 'Set hash rate', inputs: [hashes.field], wish: () => ({ do: 'hash-rate', nodes, hashes_per_second: hashes.read() ?? 0 }) };
  }

  function addForm() {
    const group = h('select', {}, (store.network?.groups ?? []).map((name) => h('option', { value: name }, name)));
    const count = number('How many', 1, { min: 1, max: 50, step: 1 });
    return { title: 'Add', inputs: [h('label', { class: 'field' }, 'Group', group), count.field],
      wish: () => ({ do: 'add', group: group.value, count: count.read() ?? 1 }) };
  }

  function update() {
    const nodes = picked().map((name) => store.nodes.get(name)).filter(Boolean);
    const has = nodes.length > 0;
    readOnly.hidden = store.mayAct;
    if (store.network?.is_recording) say(readOnly, 'A recording: play, pause and step below.');
    what.hidden = !store.mayAct;
    for (const control of controls) control.hidden = !store.mayAct;
    if (!store.mayAct) return;
    say(what, has ? `${plural(nodes.length, 'node')} selected:` : 'Select nodes to cut them off.');
    for (const control of [cut, kill, pause, start, restart, none]) control.hidden = !has;
    power.hidden = !nodes.some((node) => node.role === 'miner');
    const stopped = nodes.filter((node) => node.condition !== 'up').length;
    start.hidden = !stopped;
    pause.hidden = kill.hidden = !has || stopped === nodes.length;
    restart.hidden = !has || stopped > 0;
    cut.disabled = cut.classList.contains('busy') || nodes.length === store.nodes.size;
    halves.hidden = has || store.nodes.size < 2;
    add.hidden = has;
    const isHurt = store.faults.active.length > 0;
    heal.classList.toggle('main', isHurt);
    heal.disabled = heal.classList.contains('busy');
  }
  return { element: h('div', {}, bar, sheet), update };
}
