// Has things done, and knows which nodes they are meant for.

import { toast } from './dom.js';
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

// The selected nodes, in the order of the network.
export const picked = () => [...store.nodes.keys()].filter((name) => store.selected.has(name));
