// The tree of blocks of several nodes as a picture, and as a text in its place.

import { short } from './hex.js';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, GAP_X, GAP_Y] = [132, 62, 26, 22];

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// `nodes` have a name and a tree; `texts` are the blocks' texts by name.
export function treeView(nodes, texts) {
  const blocks = new Map();
  for (const { tree } of nodes) for (const [name, block] of tree.blocks) blocks.set(name, block);
  const lanes = lanesOf(nodes, blocks);
  const place = (block) => ({ x: block.height * (WIDTH + GAP_X) + 2, y: lanes.get(block.name) * (HEIGHT + GAP_Y) + 2 });
  const highest = Math.max(...[...blocks.values()].map((block) => block.height));
  const lowest = Math.max(...lanes.values());
  const size = { width: (highest + 1) * (WIDTH + GAP_X) - GAP_X + 4, height: (lowest + 1) * (HEIGHT + GAP_Y) - GAP_Y + 4 };
  const picture = svg('svg', { ...size, viewBox: `0 0 ${size.width} ${size.height}`, role: 'img', 'aria-label': inWords(nodes, blocks) });
  for (const block of blocks.values()) {
    const parent = blocks.get(block.parent);
    if (parent) picture.append(joint(place(parent), place(block)));
  }
  for (const block of blocks.values()) picture.append(box(block, place(block), nodes, texts));
  return picture;
}

// The first node's chain is straight; what leaves it has a lane of its own.
function lanesOf(nodes, blocks) {
  const lanes = new Map();
  const tips = [...blocks.values()].filter((block) => ![...blocks.values()].some((other) => other.parent === block.name));
  const rank = (tip) => nodes.findIndex(({ tree }) => tree.tip === tip.name);
  tips.sort((a, b) => (rank(a) < 0 ? 9 : rank(a)) - (rank(b) < 0 ? 9 : rank(b)) || b.height - a.height);
  tips.forEach((tip, lane) => {
    for (let at = tip; at && !lanes.has(at.name); at = blocks.get(at.parent)) lanes.set(at.name, lane);
  });
  return lanes;
}

function joint(from, to) {
  const [x1, y1, x2, y2] = [from.x + WIDTH, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2];
  const middle = x1 + GAP_X / 2;
  return svg('path', { d: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, class: 'learn-joint' });
}

function box(block, { x, y }, nodes, texts) {
  const followers = nodes.filter(({ tree }) => tree.chain().some((one) => one.name === block.name));
  const tipOf = nodes.filter(({ tree }) => tree.tip === block.name).map(({ name }) => name);
  const kind = followers.length === 0 ? 'learn-stale' : tipOf.length > 0 ? 'learn-tip' : '';
  const write = (text, dy, style) => {
    const line = svg('text', { x: x + 8, y: y + dy, class: style });
    line.textContent = text;
    return line;
  };
  return svg(
    'g',
    {},
    svg('rect', { x, y, width: WIDTH, height: HEIGHT, rx: 6, class: `learn-box ${kind}` }),
    write(`${block.height}  ${short(block.name)}`, 18, 'learn-mono'),
    write(texts.get(block.name), 35, 'learn-text'),
    write(tipOf.length > 0 ? `tip of ${tipOf.join(', ')}` : followers.length === 0 ? 'taken back' : '', 52, 'learn-who'),
  );
}

function inWords(nodes, blocks) {
  const tips = nodes.map(({ name, tree }) => `${name} is at height ${tree.get(tree.tip).height}, block ${short(tree.tip)}`);
  const lost = [...blocks.keys()].filter((name) => !nodes.some(({ tree }) => tree.chain().some((one) => one.name === name)));
  return `Tree of ${blocks.size} blocks. ${tips.join('. ')}. ${lost.length} blocks are on no node's chain.`;
}
