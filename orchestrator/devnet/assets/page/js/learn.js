// The Learn part, fetched when it is opened.

import { h } from './dom.js';

export function learnView() {
  const element = h('div', { class: 'learn' }, h('p', { class: 'empty' }, 'Loading.'));
  import('/learn/index.js').then(({ mount }) => {
    element.replaceChildren();
    mount(element);
  }).catch((error) => {
    element.replaceChildren(h('p', { class: 'empty' }, `This part could not be loaded: ${error.message}`));
  });
  return { element, title: 'Learn' };
}
