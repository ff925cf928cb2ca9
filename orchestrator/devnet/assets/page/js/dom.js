// Makes elements, and says numbers and times in words.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value === 'boolean') element[name] = value;
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// An element of HTML.
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

// An element of SVG.
export const s = (tag, properties, ...children) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

// Sets text only where it is another one, so that nothing is drawn for nothing.
export function say(element, text) {
  const words = String(text);
  if (element.textContent !== words) element.textContent = words;
}

export function attribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// Children of `parent` by key, in that order; only those that look otherwise are
// made anew. An entry is [key, look, make, tell]: `tell`, where given, says in
// the element what changes often.
const lists = new WeakMap();
export function keep(parent, entries) {
  const before = lists.get(parent) ?? new Map();
  const after = new Map();
  for (const [key, look, make, tell] of entries) {
    const had = before.get(key);
    const one = had?.look === look ? had : { look, element: make() };
    tell?.(one.element);
    after.set(key, one);
  }
  lists.set(parent, after);
  for (const [key, { element }] of before) if (after.get(key)?.element !== element) element.remove();
  let at = parent.firstChild;
  for (const { element } of after.values()) {
    if (element === at) at = at.nextSibling;
    else parent.insertBefore(element, at);
  }
}

// Does something at once, then every `ms` at most while it is asked for.
export function seldom(ms, act) {
  let timer = null;
  let isDue = false;
  const turn = () => {
    timer = null;
    if (!isDue) return;
    isDue = false;
    timer = setTimeout(turn, ms);
    act();
  };
  const ask = () => {
    isDue = true;
    if (timer === null) turn();
  };
  return { ask, end: () => clearTimeout(timer) };
}

export const card = (title, note, ...body) => h('section', { class: 'card' },
  h('header', {}, h('h2', {}, title), note && (typeof note === 'string' ? h('p', {}, note) : note)),
  h('div', { class: 'body' }, body));

export const short = (hash) => {
  if (!hash) return '';
  const rest = hash.replace(/^0+/, '');
  return rest.length < 8 ? hash.slice(-8) : rest.slice(0, 8);
};
// Asked for hundreds of times a second; a formatter of its own each time is slow.
const numbers = new Intl.NumberFormat('en');
export const plural = (count, one, many = `${one}s`) => `${numbers.format(count)} ${count === 1 ? one : many}`;

export function span(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const seconds = ms / 1000;
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(2)) : Math.round(ms)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
}

const DAY_MS = 86_400_000;

export function clock(ms) {
  // A simulation counts from zero, in every time zone.
  const date = new Date(ms < DAY_MS ? ms + new Date(ms).getTimezoneOffset() * 60_000 : ms);
  const two = (number) => String(number).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function rate(hashes) {
  if (!hashes) return '0 H/s';
  const units = ['H/s', 'kH/s', 'MH/s', 'GH/s'];
  const power = Math.min(3, Math.max(0, Math.floor(Math.log10(hashes) / 3)));
  const number = hashes / 1000 ** power;
  return `${number >= 100 ? number.toFixed(0) : number.toFixed(1)} ${units[power]}`;
}

export function bytes(count) {
  if (count === null || count === undefined) return '–';
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = count < 1 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

export const coins = (amount) => Number(amount).toLocaleString('en', { maximumFractionDigits: 8 });

// A fault's words so that lines break between names, and its first letters where
// they are very many.
const TITLE_LETTERS = 220;
export function titled(words) {
  const spaced = words.replaceAll(/,(?=\S)/g, ', ');
  return spaced.length > TITLE_LETTERS ? `${spaced.slice(0, TITLE_LETTERS)}…` : spaced;
}

// A message that goes by itself.
export function toast(title, detail, isBad) {
  const box = h('div', { class: isBad ? 'toast bad' : 'toast' }, titled(title), detail && h('small', {}, detail));
  document.getElementById('toasts').append(box);
  setTimeout(() => box.remove(), isBad ? 12000 : 7000);
}

export function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
