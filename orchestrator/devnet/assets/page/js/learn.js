// The Learn part, fetched when it is opened.

import { chain } from './chain.js';
import { h } from './dom.js';
import { ask } from './link.js';
import { store } from './store.js';

export function learnView() {
  const lessons = h('div', {}, h('p', { class: 'empty' }, 'Loading.'));
  const element = h('div', { class: 'grid' },
    h('div', { class: 'head' }, h('div', { class: 'grow' }, h('h1', {}, 'Learn'), h('p', {}, 'How a block chain works, to try out: your browser computes by the chain’s own rules.'))),
    lessons);
  import('/learn/index.js').then(({ mount }) => {
    mount(lessons, { newest });
  }).catch((error) => {
    lessons.replaceChildren(h('p', { class: 'empty' }, `This part could not be loaded: ${error.message}`));
  });
  return { element, title: 'Learn' };
}

// The header of the newest block that a node of the network tells; none of a
// recording, which has no node to ask.
async function newest() {
  if (!store.network || store.network.is_recording) return null;
  const { best } = chain();
  if (!best) return null;
  const found = await ask(`/api/find/${best.hash}`);
  return found.block ?? null;
}
