// Elements without markup in strings: what people type is never read as HTML.

// `props`: attributes by name; `on…` are listeners, `text` is the content.
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name === 'text') element.textContent = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || (name in element && typeof value !== 'string')) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let last = 0;

// A control with its label above it, and what it is for below.
export function field(label, control, hint) {
  last += 1;
  control.id = `learn-${last}`;
  const parts = [el('label', { for: control.id, text: label }), control];
  if (hint) {
    const id = `${control.id}-hint`;
    control.setAttribute('aria-describedby', id);
    parts.push(el('small', { id, text: hint }));
  }
  return el('div', { class: 'learn-field' }, ...parts);
}

// A box with its title above what it holds.
export const box = (title, ...parts) => el('div', { class: 'learn-card' }, el('h3', { text: title }), ...parts);

export const button = (text, onclick, props = {}) => el('button', { type: 'button', text, onclick, ...props });

// Whether something holds, by mark, word and colour.
export function verdict(element, isGood, text) {
  element.className = `learn-verdict ${isGood ? 'learn-good' : 'learn-bad'}`;
  element.textContent = `${isGood ? '✓' : '✗'} ${text}`;
}

export const status = () => el('p', { class: 'learn-verdict', role: 'status' });

// A lesson that can begin anew: `parts` makes its elements, given what restarts it.
export function restartable(parts) {
  const stack = el('div', { class: 'learn-stack' });
  const start = () => stack.replaceChildren(...parts(start));
  start();
  return stack;
}
