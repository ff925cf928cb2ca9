// Mining on request: in a worker, or in small steps where there is none.

import { Search } from './search.js';

const STEP = 2_000;
const NONCES = 2 ** 32;

// The first nonce from `from` on that meets the target, with the number of tries;
// null where none does. `tell` hears of tries as they go on; `signal` stops it,
// and the promise is then rejected.
export async function mine(header, target, { from = 0, tell = () => {}, signal } = {}) {
  try {
    return await inWorker(header, target, { from, tell, signal });
  } catch (error) {
    if (signal?.aborted || !(error instanceof NoWorker)) throw error;
    return inSteps(header, target, { from, tell, signal });
  }
}

class NoWorker extends Error {}

async function inWorker(header, target, { from, tell, signal }) {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    let worker;
    try {
      worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    } catch {
      reject(new NoWorker());
      return;
    }
    const end = (act) => {
      worker.terminate();
      act();
    };
    signal?.addEventListener('abort', () => end(() => reject(signal.reason)), { once: true });
    worker.onerror = () => end(() => reject(new NoWorker()));
    worker.onmessage = ({ data }) => {
      tell(data.tries);
      if ('nonce' in data) end(() => resolve(data));
    };
    worker.postMessage({ header, target, from });
  });
}

async function inSteps(header, target, { from, tell, signal }) {
  const search = new Search(header, target);
  for (let at = from; at < NONCES; at += STEP) {
    const nonce = search.run(at, Math.min(STEP, NONCES - at));
    if (nonce !== null) return { nonce, tries: nonce - from + 1 };
    tell(at + STEP - from);
    await new Promise((resume) => setTimeout(resume));
    signal?.throwIfAborted();
  }
  return { nonce: null, tries: NONCES - from };
}

// At once, for targets that take few hundred tries.
export function mineNow(header, target) {
  return new Search(header, target).run(0, NONCES);
}
