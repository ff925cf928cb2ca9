// Which of several branches counts: the one with most work, of equals the one
// that was there first.

import { hashText } from './bytes.js';
import { bitsToTarget, headerHash, workOf } from './header.js';

export class BlockTree {
  constructor(genesis) {
    const name = hashText(headerHash(genesis));
    const work = workOf(bitsToTarget(genesis.bits));
    this.blocks = new Map([[name, { name, header: genesis, parent: null, height: 0, work }]]);
    this.genesis = name;
    this.tip = name;
  }

  get(name) {
    return this.blocks.get(name);
  }

  // Blocks from genesis to that one.
  chain(name = this.tip) {
    const chain = [];
    for (let at = this.blocks.get(name); at; at = this.blocks.get(at.parent)) chain.push(at);
    return chain.reverse();
  }

  // Takes a header in, and says what it changed: `known`, `orphan` (its parent is
  // missing), `side` (less work than the tip), or `tip` with the blocks that were
  // taken back and those that were put in their place.
  accept(header) {
    const name = hashText(headerHash(header));
    if (this.blocks.has(name)) return { name, kind: 'known' };
    const parent = this.blocks.get(hashText(header.previous));
    if (!parent) return { name, kind: 'orphan' };
    const work = parent.work + workOf(bitsToTarget(header.bits));
    this.blocks.set(name, { name, header, parent: parent.name, height: parent.height + 1, work });
    if (work <= this.blocks.get(this.tip).work) return { name, kind: 'side' };
    const [before, now] = [this.chain(), this.chain(name)];
    const shared = before.filter((block, at) => now[at]?.name === block.name).length;
    this.tip = name;
    const names = (blocks) => blocks.slice(shared).map((block) => block.name);
    return { name, kind: 'tip', disconnected: names(before).reverse(), connected: names(now) };
  }
}
