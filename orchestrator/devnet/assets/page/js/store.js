// What is known of the network, and who is told when it changes.

const BLOCKS_MAX = 1500;
const EVENTS_MAX = 400;

export const store = {
  network: null,
  nodes: new Map(),
  blocks: new Map(),
  faults: { active: [], groups: [], links: [] },
  events: [],
  lastEvent: 0,
  scenario: null,
  // Server's clock less ours.
  offset: 0,
  // What time it is in a recording.
  frozen: null,
  selected: new Set(),
  mayAct: false,
  connection: 'connecting',
};

const listeners = new Set();
let waiting = null;

// Calls `listener` with what changed, once a frame at most; the answer ends it.
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Tells all listeners with the next frame. A hidden page draws nothing.
export function changed(...parts) {
  if (waiting) {
    for (const part of parts) waiting.add(part);
    return;
  }
  waiting = new Set(parts);
  const tell = () => {
    const told = waiting;
    waiting = null;
    for (const listener of [...listeners]) listener(told);
  };
  if (document.hidden) setTimeout(tell, 0);
  else requestAnimationFrame(tell);
}

export const now = () => store.frozen ?? Date.now() + store.offset;

// The selection outlives it, as far as its nodes are still there.
export function clear() {
  store.nodes.clear();
  store.blocks.clear();
  store.events = [];
  store.lastEvent = 0;
  store.faults = { active: [], groups: [], links: [] };
  store.scenario = null;
}

// Takes in what the server tells.
export function take(patch) {
  if (patch.whole) {
    clear();
    for (const name of store.selected) if (!patch.nodes?.[name]) store.selected.delete(name);
  }
  if (store.frozen === null) store.offset = patch.at_ms - Date.now();
  const parts = new Set();
  if (patch.network) {
    store.network = patch.network;
    parts.add('network');
  }
  for (const [name, node] of Object.entries(patch.nodes ?? {})) {
    if (node) store.nodes.set(name, node);
    else {
      store.nodes.delete(name);
      store.selected.delete(name);
    }
    parts.add('nodes');
  }
  for (const block of patch.blocks ?? []) {
    store.blocks.set(block.hash, block);
    parts.add('blocks');
  }
  for (const { node: name, ...tip } of patch.tips ?? []) {
    const node = store.nodes.get(name);
    if (!node) continue;
    // A node that was told whole in the same patch has its last tip already.
    if (!patch.whole && node.tip?.hash !== tip.hash) node.fresh = true;
    else if (!patch.whole && patch.nodes?.[name]) node.fresh = true;
    node.tip = tip;
    parts.add('tips');
  }
  if (patch.faults) {
    store.faults = patch.faults;
    parts.add('faults');
  }
  if (patch.events?.length) {
    const fresh = patch.events.filter((event) => event.id > store.lastEvent);
    store.lastEvent = fresh.reduce((last, event) => Math.max(last, event.id), store.lastEvent);
    // What happened earlier may be told later.
    store.events = [...store.events, ...fresh].sort((a, b) => a.at_ms - b.at_ms || a.id - b.id).slice(-EVENTS_MAX);
    parts.add('events');
  }
  if (patch.scenario) {
    store.scenario = patch.scenario;
    parts.add('scenario');
  }
  if (store.blocks.size > BLOCKS_MAX + 200) forget();
  changed(...parts, ...(patch.whole ? ['whole'] : []));
}

function forget() {
  const lowest = [...store.blocks.values()].sort((a, b) => a.height - b.height);
  for (const block of lowest.slice(0, store.blocks.size - BLOCKS_MAX)) store.blocks.delete(block.hash);
}
