// The lessons: `mount(element)` puts them into an element of any page. They need
// nothing but the files beside this one.

import * as block from './lessons/block.js';
import * as chain from './lessons/chain.js';
import * as copies from './lessons/copies.js';
import * as fork from './lessons/fork.js';
import * as hash from './lessons/hash.js';
import * as payment from './lessons/payment.js';
import { button, el } from './ui/dom.js';
import { connect } from './ui/live.js';

// What was played and typed stays when the lessons are put somewhere else, as a
// page does whose reader leaves them and comes back.
const built = new Map();
let shown = 0;

const LESSONS = [hash, block, chain, copies, payment, fork];

// `newest`, where given, promises the newest block's header of a network, as
// `getblockheader` tells it, or null.
export function mount(element, { newest } = {}) {
  connect(newest);
  const sheet = el('link', { rel: 'stylesheet', href: new URL('./learn.css', import.meta.url).href });
  if (!document.querySelector(`link[href="${sheet.href}"]`)) document.head.append(sheet);
  const panel = el('div', { class: 'learn-panel' });
  const steps = LESSONS.map((lesson, at) =>
    button(lesson.title, () => show(at, true), { class: 'learn-step', 'data-lesson': lesson.id }),
  );
  const turn = (at, text, mark) => (at in LESSONS ? button(text(LESSONS[at].title), () => show(at, true), { class: mark }) : '');
  const show = (at, isMoved) => {
    const lesson = LESSONS[at];
    shown = at;
    if (!built.has(at)) built.set(at, lesson.build());
    steps.forEach((step, place) => {
      if (place === at) step.setAttribute('aria-current', 'step');
      else step.removeAttribute('aria-current');
    });
    const heading = el('h2', { text: `${at + 1}. ${lesson.title}`, tabIndex: -1 });
    panel.replaceChildren(
      heading,
      el('p', { class: 'learn-lead', text: lesson.lead }),
      built.get(at),
      el(
        'div',
        { class: 'learn-turn' },
        turn(at - 1, (title) => `← ${title}`, 'learn-back'),
        turn(at + 1, (title) => `${title} →`, 'learn-next'),
      ),
    );
    // Whoever turns a page reads on at its top.
    if (isMoved) heading.focus();
  };
  const list = el('ol', {}, ...steps.map((step) => el('li', {}, step)));
  element.replaceChildren(el('div', { class: 'learn' }, el('nav', { 'aria-label': 'Lessons' }, list), panel));
  show(shown, false);
}
