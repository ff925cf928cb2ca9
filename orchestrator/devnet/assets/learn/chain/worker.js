// Searches in a thread of its own, so that the page stays awake.

import { Search } from './search.js';

const CHUNK = 20_000;
const NONCES = 2 ** 32;

self.onmessage = ({ data }) => {
  const search = new Search(data.header, data.target);
  let told = performance.now();
  for (let from = data.from; from < NONCES; from += CHUNK) {
    const count = Math.min(CHUNK, NONCES - from);
    const nonce = search.run(from, count);
    if (nonce !== null) {
      self.postMessage({ nonce, tries: nonce - data.from + 1 });
      return;
    }
    if (performance.now() - told > 100) {
      told = performance.now();
      self.postMessage({ tries: from + count - data.from });
    }
  }
  self.postMessage({ nonce: null, tries: NONCES - data.from });
};
