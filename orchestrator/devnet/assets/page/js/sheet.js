// A form for any fault: its fields, what it will do, and the command that does
// the same. It follows the selection while it is open.

import { h, say } from './dom.js';
import { KINDS, PARTS } from './kinds.js';
import { act, select } from './orders.js';
import { store } from './store.js';

const DEFAULT_NAME = 'local';

// `picked` tells which nodes are meant.
export function faultSheet(picked) {
  const kinds = h('select', { onchange: () => choose(kinds.value) }, PARTS.map((part) => h('optgroup', { label: part },
    Object.entries(KINDS).filter(([, kind]) => kind.part === part).map(([key, kind]) => h('option', { value: key }, kind.name)))));
  const fields = h('div', { class: 'inline' });
  const time = h('input', { size: 8, placeholder: 'until healed', autocomplete: 'off', oninput: () => told() });
  const timeField = h('label', { class: 'field' }, 'For', time);
  const note = h('p', { class: 'note' });
  const why = h('p', { class: 'why', role: 'status' });
  const command = h('pre', { class: 'command', tabindex: '0', role: 'region', 'aria-label': 'The same on the command line' });
  const go = h('button', { type: 'submit', class: 'main' });
  const element = h('form', { class: 'sheet', hidden: true, 'aria-label': 'A fault', onsubmit: submit, onkeydown: (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
  } },
    h('div', { class: 'fields' }, h('label', { class: 'field' }, 'Fault', kinds), fields, timeField),
    h('div', {}, note, why), command,
    h('div', { class: 'row' }, go, h('button', { type: 'button', onclick: close }, 'Close')));
  let key = 'partition';
  let inputs = new Map();
  let kept = [];
  let opener = null;
  let shape = '';

  const kind = () => KINDS[key];
  const values = () => ({ sides: kept, ...Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()])) });
  const lasting = () => (kind().lasts ? time.value.trim() : '');

  function choose(next) {
    key = next;
    kinds.value = next;
    kept = [];
    shape = '';
    update();
  }

  // Fields are made anew only where other ones are wanted: what is typed stays.
  function build(nodes) {
    const wanted = kind().fields(nodes);
    const look = JSON.stringify([key, wanted.map((field) => [field.name, field.options]), kept]);
    if (look === shape) return;
    shape = look;
    const before = new Map([...inputs].map(([name, input]) => [name, input.value]));
    inputs = new Map();
    fields.replaceChildren(...wanted.map((field) => (field.name === 'sides' ? sideList() : made(field, before.get(field.name)))));
  }

  function made(field, before) {
    const input = field.options
      ? h('select', { onchange: () => told() }, field.options.map(([value, label]) => h('option', { value }, label)))
      : h('input', { placeholder: field.hint, size: field.size, required: field.required, value: field.value ?? '', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', inputmode: field.mode, oninput: () => told() });
    if (before !== undefined && (!field.options || field.options.some(([value]) => value === before))) input.value = before;
    inputs.set(field.name, input);
    return h('label', { class: 'field' }, field.label, input);
  }

  // Sides beyond the selected one: a selection is put aside, then the next is made.
  function sideList() {
    const drop = (at) => () => {
      kept.splice(at, 1);
      update();
    };
    const keep = h('button', { type: 'button', class: 'keep', onclick: () => {
      kept.push(picked().filter((name) => !kept.flat().includes(name)));
      select([]);
    } }, 'One more side…');
    return h('div', { class: 'row sides-kept' }, kept.map((side, at) => h('button', { type: 'button', 'aria-label': `Give up the side ${side.join(', ')}`, onclick: drop(at) }, `${side.length > 3 ? `${side.slice(0, 2).join(', ')} and ${side.length - 2} more` : side.join(', ')} ✕`)), keep);
  }

  const refusal = () => kind().refusal?.(store.network?.refused ?? {});

  function told() {
    const nodes = picked();
    const refused = refusal();
    const reason = refused ? `Refused here: ${refused}.` : kind().why(nodes, values());
    say(why, reason ?? '');
    why.hidden = !reason;
    say(note, [kind().note, kind().remark?.(store.network?.refused ?? {})].filter(Boolean).join(' '));
    const network = store.network && store.network.name !== DEFAULT_NAME ? ` --name ${store.network.name}` : '';
    const during = lasting() ? ` --for ${lasting()}` : '';
    const lines = reason ? [] : kind().command(nodes, values()).map((line) => `devnet ${line}${during}${network}`);
    command.hidden = !lines.length;
    say(command, lines.join('\n'));
    say(go, kind().name);
    go.className = kind().danger ? 'main danger' : 'main';
    go.disabled = Boolean(reason) || go.classList.contains('busy');
    const keep = fields.querySelector('.keep');
    if (keep) keep.disabled = !nodes.length;
    timeField.hidden = !kind().lasts;
  }

  function update() {
    if (element.hidden) return;
    build(picked());
    told();
  }

  async function submit(event) {
    event.preventDefault();
    const during = lasting();
    const wish = { ...kind().wish(picked(), values()), ...(during ? { for: during } : {}) };
    const isDone = await act(wish, go);
    if (isDone) kept = [];
    update();
  }

  // Opened again by what opened it, it closes.
  function open(from, wanted) {
    if (!element.hidden && opener === from) {
      close();
      return;
    }
    opener?.setAttribute('aria-expanded', 'false');
    opener = from;
    from.setAttribute('aria-expanded', 'true');
    element.hidden = false;
    choose(wanted ?? key);
    element.scrollIntoView({ block: 'nearest' });
    (wanted && wanted !== 'partition' ? fields.querySelector('input, select') ?? kinds : kinds).focus();
  }

  function close() {
    element.hidden = true;
    opener?.setAttribute('aria-expanded', 'false');
    opener?.focus();
    opener = null;
  }
  return { element, open, update };
}
