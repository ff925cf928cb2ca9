// Every fault that the page can make: what it asks for, what it sends, and the
// command that does the same.

import { store } from './store.js';

const others = (nodes) => [...store.nodes.keys()].filter((name) => !nodes.includes(name));
const some = (nodes) => (nodes.length ? null : 'Select nodes first.');
const apart = (nodes) => some(nodes) ?? (others(nodes).length ? null : 'All nodes are selected; leave some out.');
const two = (nodes) => (nodes.length > 1 ? null : 'Select two nodes or more.');
const never = () => null;
const pairs = (nodes) => nodes.flatMap((a, at) => nodes.slice(at + 1).map((b) => `${a}:${b}`));

const text = (name, label, hint, more) => ({ name, label, hint, ...more });
const choice = (name, label, options) => ({ name, label, options });

// A fault of whole nodes that wants nothing more.
const ofNodes = (name, act, verb, note, more = {}) => ({
  name, part: 'Nodes', note, why: some, lasts: true, fields: () => [],
  wish: (nodes) => ({ do: 'node', nodes, act }), command: (nodes) => [`${verb} ${nodes.join(' ')}`], ...more,
});
const cut = (name, note, why, shape, command, fields = () => []) => ({
  name, part: 'Cuts', note, why, lasts: true, fields,
  wish: (nodes, values) => ({ do: 'cut', shape: shape(nodes, values) }), command: (nodes, values) => [`partition ${command(nodes, values)}`],
});

const sides = (nodes, { sides: kept = [] }) => [...kept, nodes].filter((side) => side.length).map((side) => side.join(','));
const target = () => [['', 'everybody else'], ...[...store.nodes.keys()].map((name) => [name, name])];
const oneWay = (nodes, { to, way }) => {
  const ends = [nodes.filter((name) => name !== to).join(','), to || others(nodes).join(',')];
  return (way === 'in' ? ends.reverse() : ends).join(':');
};
const where = (nodes, { where: at }) => (!nodes.length || at === 'all' ? [] : at === 'between' ? pairs(nodes) : nodes);
const filled = (values, names) => Object.fromEntries(names.filter((name) => values[name]).map((name) => [name, values[name]]));

export const KINDS = {
  partition: cut('Partition', 'The selected nodes on one side, the others on another; they do not reach each other.',
    (nodes, { sides: kept = [] } = {}) => (kept.length ? null : apart(nodes)), (nodes, values) => ({ groups: sides(nodes, values) }),
    (nodes, values) => sides(nodes, values).join(' '), () => [{ name: 'sides' }]),
  isolate: cut('Isolate each', 'Each selected node alone, apart from all others.', some,
    (nodes) => ({ isolate: nodes }), (nodes) => `--isolate ${nodes.join(',')}`),
  halves: cut('Two halves', 'Two halves, in the order of the nodes.', never, () => 'halves', () => '--halves'),
  bridge: cut('Bridge', 'Two halves that meet in the selected nodes alone.',
    (nodes) => some(nodes) ?? (others(nodes).length > 1 ? null : 'Leave two nodes or more out: they are kept apart.'),
    (nodes) => ({ bridge: { bridge: nodes.join(','), sides: [] } }), (nodes) => `--bridge ${nodes.join(',')}`),
  ring: cut('Ring of majorities', 'Every node sees a majority, no two the same.',
    () => (store.nodes.size > 3 ? null : 'It takes four nodes or more.'), () => 'ring', () => '--majorities-ring'),
  'one-way': cut('One way', 'Packets of one direction are lost, those of the other arrive.', apart,
    (nodes, values) => ({ 'one-way': oneWay(nodes, values) }), (nodes, values) => `--one-way ${oneWay(nodes, values)}`,
    () => [choice('way', 'Lost is what', [['out', 'the selected send to'], ['in', 'the selected hear from']]), choice('to', 'Whom', target())]),
  links: cut('Single links', 'The links among the selected nodes, both directions; nothing else.', two,
    (nodes) => ({ links: pairs(nodes) }), (nodes) => pairs(nodes).map((pair) => `--link ${pair}`).join(' ')),
  slow: {
    name: 'Slow, lossy or narrow', part: 'Links', lasts: true, note: 'What is left empty stays as it is; 0 takes latency and loss away.',
    why: never,
    fields: (nodes) => [
      choice('where', 'Links', nodes.length > 1 ? [['of', 'of the selected'], ['between', 'among the selected'], ['all', 'all']] : nodes.length ? [['of', `of ${nodes[0]}`], ['all', 'all']] : [['all', 'all']]),
      choice('way', 'Direction', [['both', 'both'], ['sent', 'only sent']]),
      text('latency', 'Latency', '80ms', { size: 7 }), text('jitter', 'Jitter', '10ms', { size: 7 }),
      text('loss', 'Loss', '5%', { size: 6 }), text('bandwidth', 'Bandwidth', '1mbit', { size: 8 })],
    wish: (nodes, values) => ({ do: 'links', links: where(nodes, values), one_way: values.way === 'sent', 
      ...(values.jitter ? { latency: '0ms' } : {}), ...filled(values, ['latency', 'jitter', 'loss', 'bandwidth']) }),
    command: (nodes, values) => {
      const links = where(nodes, values).map((link) => ` ${link}`).join('');
      const way = values.way === 'sent' ? ' --one-way' : '';
      const delay = values.latency || values.jitter;
      return [
        delay && `latency${links} --delay ${values.latency || '0ms'}${values.jitter ? ` --jitter ${values.jitter}` : ''}${way}`,
        values.loss && `loss${links} ${values.loss}${way}`,
        values.bandwidth && `bandwidth${links} ${values.bandwidth}${way}`].filter(Boolean);
    },
  },
  kill: ofNodes('Kill', 'kill', 'kill', 'Ended at once, as a crash does.', { danger: true }),
  stop: ofNodes('Stop', 'stop', 'stop', 'Ended in good order.'),
  pause: ofNodes('Pause', 'pause', 'pause', 'Frozen: peers still connect, and wait for it.'),
  unpause: ofNodes('Unpause', 'unpause', 'unpause', 'Thawed.', { lasts: false }),
  start: ofNodes('Start', 'start', 'start', 'Started, or thawed.', { lasts: false }),
  restart: ofNodes('Restart', 'restart', 'restart', 'Stopped and started again.', { lasts: false }),
  skew: {
    name: 'Clock skew', part: 'Nodes', note: 'Their notion of time is off; 0s sets it right.', why: some, lasts: true,
    fields: () => [text('offset', 'Offset', '+5s or -90s', { value: '+5s', required: true, size: 10 })],
    wish: (nodes, { offset }) => ({ do: 'skew', nodes, offset }), command: (nodes, { offset }) => [`skew ${nodes.join(' ')} ${offset}`],
  },
  hashrate: {
    name: 'Hash rate', part: 'Nodes', note: 'Hashes a second of each; 0 idles the miner.', lasts: true,
    why: (nodes) => some(nodes) ?? (nodes.every((name) => store.nodes.get(name)?.role === 'miner') ? null : 'Select miners only: others have no hash rate.'),
    fields: (nodes) => [text('rate', 'Hashes a second', '20k', { value: String(Math.round(store.nodes.get(nodes[0])?.hashrate ?? 1000)), required: true, size: 10 })],
    wish: (nodes, { rate }) => ({ do: 'hash-rate', nodes, rate }), command: (nodes, { rate }) => [`hashrate ${nodes.join(' ')} ${rate}`],
  },
  'fill-disk': ofNodes('Full disk', 'fill-disk', 'fill-disk', 'They meet their disk quota and can write nothing more. Proven over some blocks.'),
  corrupt: ofNodes('Damaged store', 'corrupt', 'corrupt', 'Killed, pages of the store damaged, started again: they refuse it in clear words, or survive.', { danger: true }),
  wipe: ofNodes('Wipe', 'wipe', 'wipe', 'Stopped, emptied, started at genesis.', { lasts: false, danger: true }),
  upgrade: {
    name: 'Other program', part: 'Nodes', note: 'Runs in their place; their data is kept.', why: some, lasts: true, danger: true,
    refusal: (refused) => refused.upgrade,
    fields: () => [
      choice('what', 'Program', (store.network?.refused['upgrade-image'] ? [] : [['image', 'image']]).concat([['binary', 'binary']])),
      text('program', 'Reference or path', 'target/release/minichain', { required: true, size: 26 })],
    wish: (nodes, { what, program }) => ({ do: 'upgrade', nodes, [what]: program }),
    command: (nodes, { what, program }) => [`upgrade ${nodes.join(' ')} --${what} ${program || 'PROGRAM'}`],
    remark: (refused) => refused['upgrade-image'] && `No images: ${refused['upgrade-image']}.`,
  },
  remove: ofNodes('Remove', 'remove', 'remove', 'Taken out with all their data; healed, they come back empty.', { danger: true }),
  add: {
    name: 'Add nodes', part: 'Network', note: 'Fresh nodes with the settings of a group.', why: never, lasts: true,
    fields: () => [choice('group', 'Group', (store.network?.groups ?? []).map((name) => [name, name])), text('count', 'How many', '1', { value: '1', required: true, size: 5, mode: 'numeric' })],
    wish: (_, { group, count }) => ({ do: 'add', group, count: Number(count) }), command: (_, { group, count }) => [`add ${group} --count ${count}`],
  },
  'heal-nodes': { name: 'Heal the selected', part: 'Heal', note: 'What was done to these nodes themselves; links stay as they are.', why: some, lasts: false, fields: () => [],
    wish: (nodes) => ({ do: 'heal', nodes }), command: (nodes) => [`heal ${nodes.join(' ')}`] },
  'heal-cuts': { name: 'Heal cuts', part: 'Heal', note: 'Partitions and other cuts only.', why: never, lasts: false, fields: () => [],
    wish: () => ({ do: 'heal', nodes: [], only: 'cuts' }), command: () => ['heal --cuts'] },
  'heal-conditions': { name: 'Heal links', part: 'Heal', note: 'Latency, loss and bandwidth only, down to the topology’s own zones.', why: never, lasts: false, fields: () => [],
    wish: () => ({ do: 'heal', nodes: [], only: 'conditions' }), command: () => ['heal --conditions'] },
};

// The parts of the list, in its order.
export const PARTS = ['Cuts', 'Links', 'Nodes', 'Network', 'Heal'];
