// Starts the page: tabs, what is shown, and the state of the connection.

import { blocksView } from './blocks.js';
import { forgetChain } from './chain.js';
import { h, say } from './dom.js';
import { explorerView } from './explorer.js';
import { faultsView } from './faults.js';
import { learnView } from './learn.js';
import { connect, takeToken } from './link.js';
import { mempoolView } from './mempool.js';
import { networkView } from './network.js';
import { nodeView } from './node.js';
import { changed, store, watch } from './store.js';

const TABS = [['network', 'Network'], ['blocks', 'Blocks'], ['mempool', 'Mempool'], ['faults', 'Faults'], ['explorer', 'Explorer'], ['learn', 'Learn']];
const VIEWS = { network: networkView, blocks: blocksView, mempool: mempoolView, faults: faultsView, explorer: explorerView, learn: learnView, node: nodeView };

const main = document.getElementById('main');
const tabs = document.getElementById('tabs');
let view = null;
let shown = '';

// A part of an address without its escapes; one that has none is itself.
function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function route() {
  const [, name = 'network', ...rest] = location.hash.split('/');
  return { name: Object.hasOwn(VIEWS, name) ? name : 'network', rest: rest.map(plain).join('/') };
}

function show() {
  const { name, rest } = route();
  for (const link of tabs.children) {
    const isHere = link.hash === `#/${name === 'node' ? 'network' : name}`;
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (view?.go && shown === name) {
    view.go(rest);
    return;
  }
  view?.end?.();
  const isFirst = shown === '';
  shown = name;
  view = VIEWS[name](rest);
  main.replaceChildren(view.element);
  view.update?.(new Set(['whole']));
  retitle();
  if (!isFirst) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function retitle() {
  const network = store.network?.name;
  document.title = `${view.title} · ${network ? `devnet ${network}` : 'devnet'}`;
  say(document.getElementById('name'), network ?? 'devnet');
}

function state() {
  const live = document.getElementById('live');
  const words = { live: 'live', lost: 'reconnecting', connecting: 'connecting' };
  say(live, store.network?.is_recording ? 'recording' : words[store.connection]);
  live.className = `pill ${store.connection === 'live' ? 'good' : store.connection === 'lost' ? 'bad' : ''}`;
  const right = document.getElementById('right');
  say(right, store.mayAct ? 'control' : 'read-only');
  right.className = 'pill plain';
  right.title = store.mayAct ? 'This page may change the network.' : 'Open the address with the token that devnet printed to change the network.';
}

function start() {
  takeToken();
  tabs.append(...TABS.map(([name, title]) => h('a', { href: `#/${name}` }, title)));
  document.getElementById('skip').addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  watch((parts) => {
    forgetChain();
    if (parts.has('network') || parts.has('connection') || parts.has('right')) {
      state();
      retitle();
    }
    view?.update?.(parts);
  });
  addEventListener('hashchange', () => {
    if (/token=/.test(location.hash)) location.reload();
    else show();
  });
  addEventListener('keydown', (event) => {
    if (event.target.closest('input, select, textarea') || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') {
      event.preventDefault();
      location.hash = '#/explorer';
      setTimeout(() => document.querySelector('input[type="search"]')?.focus(), 50);
    } else if (event.key === 'Escape' && store.selected.size) {
      store.selected.clear();
      changed('selection');
    } else if (/^[1-6]$/.test(event.key)) {
      location.hash = `#/${TABS[Number(event.key) - 1][0]}`;
    }
  });
  // What cannot be drawn must not keep the rest from being told.
  connect();
  state();
  show();
}

export { start };
