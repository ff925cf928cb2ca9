// The search for a nonce, quick enough for lessons: the first 64 bytes of the
// header are hashed once, then two compressions a try.

import { reversed, toBigInt } from './bytes.js';
import { compress, startState } from './sha256.js';

const swap = (word) =>
  ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);

export class Search {
  // `header` are 80 bytes, of which the nonce does not matter.
  constructor(header, target) {
    const view = new DataView(header.buffer, header.byteOffset, 80);
    this.target = target;
    this.highest = Number(target >> 224n);
    this.words = new Int32Array(64);
    this.second = new Int32Array(64);
    for (let at = 0; at < 16; at += 1) this.words[at] = view.getInt32(4 * at);
    this.middle = startState();
    compress(this.middle, this.words);
    this.tail = [64, 68, 72].map((at) => view.getInt32(at));
  }

  // Tries `count` nonces from `from` on; the first that meets the target, or null.
  run(from, count) {
    const { words, second, middle, tail } = this;
    const start = startState();
    const state = new Int32Array(8);
    for (let nonce = from; nonce < from + count; nonce += 1) {
      words.fill(0, 4, 16);
      [words[0], words[1], words[2]] = tail;
      words[3] = swap(nonce | 0);
      words[4] = 0x80000000 | 0;
      words[15] = 640;
      state.set(middle);
      compress(state, words);
      second.set(state);
      second.fill(0, 8, 16);
      second[8] = 0x80000000 | 0;
      second[15] = 256;
      state.set(start);
      compress(state, second);
      if (swap(state[7]) >>> 0 <= this.highest && this.isMet(state)) return nonce;
    }
    return null;
  }

  isMet(state) {
    const hash = new Uint8Array(32);
    const view = new DataView(hash.buffer);
    state.forEach((word, at) => view.setInt32(4 * at, word));
    return toBigInt(reversed(hash)) <= this.target;
  }
}
