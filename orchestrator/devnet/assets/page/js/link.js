// Speaks with the server: the stream of changes, and requests.

import { changed, store, take } from './store.js';

// A stream that is silent for so long is broken, though nobody said so.
const SILENCE_MS = 16000;
const AGAIN_MS = [300, 600, 1000, 2000, 4000];

let token = null;
let source = null;
let heard = 0;
let tries = 0;
let again = null;
let pulse = null;
let isPlaying = false;

// The token comes behind `#`, which no request bears; it is kept for this tab.
export function takeToken() {
  const found = /(?:^#|&)token=([0-9a-f]+)/.exec(location.hash);
  if (found) {
    token = found[1];
    keep((storage) => storage.setItem('token', token));
    history.replaceState(null, '', `${location.pathname}#/network`);
  } else token = keep((storage) => storage.getItem('token')) ?? null;
}

// A browser may refuse to keep anything; then the token is good until reloading.
function keep(act) {
  try {
    return act(sessionStorage);
  } catch {
    return undefined;
  }
}

export function connect() {
  open();
  pulse = setInterval(() => {
    if (source && performance.now() - heard > SILENCE_MS) lost();
  }, 2000);
  addEventListener('online', () => source || isPlaying || document.hidden || open());
  document.addEventListener('visibilitychange', () => {
    if (isPlaying) return;
    if (document.hidden) rest();
    else if (!source) open();
  });
}

// A hidden page hears nothing: browsers open few connections to one server, and
// tabs left open would use them up.
function rest() {
  clearTimeout(again);
  source?.close();
  source = null;
  // Whoever serves it when it is looked at again may be another one.
  store.connection = 'connecting';
  changed('connection');
}

function open() {
  clearTimeout(again);
  source?.close();
  source = new EventSource('/api/stream');
  heard = performance.now();
  source.onmessage = (message) => {
    heard = performance.now();
    tries = 0;
    const patch = JSON.parse(message.data);
    if (patch.network?.is_recording) {
      recording();
      return;
    }
    take(patch);
    if (store.connection !== 'live') {
      store.connection = 'live';
      changed('connection');
      checkToken();
    }
  };
  source.addEventListener('beat', () => { heard = performance.now(); });
  source.onerror = lost;
}

// A recording is fetched whole, and needs no stream.
async function recording() {
  source.close();
  source = null;
  isPlaying = true;
  let tape;
  let player;
  try {
    [tape, { player }] = await Promise.all([ask('/api/tape'), import('./player.js')]);
  } catch {
    isPlaying = false;
    lost();
    return;
  }
  clearInterval(pulse);
  store.connection = 'live';
  player(tape);
  changed('connection');
}

function lost() {
  source?.close();
  source = null;
  if (store.connection !== 'lost') {
    store.connection = 'lost';
    changed('connection');
  }
  clearTimeout(again);
  again = setTimeout(open, AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
  tries += 1;
}

// A server that was started anew has another token.
async function checkToken() {
  if (!token) return;
  try {
    await request('/api/token', {});
    store.mayAct = !store.network?.is_recording;
  } catch (error) {
    // Unreachable is unknown: the next connection asks again.
    if (error.status !== 403) return;
    keep((storage) => storage.removeItem('token'));
    token = null;
    store.mayAct = false;
  }
  changed('right');
}

async function answer(response) {
  const text = await response.text();
  let data = null;
  try { data = JSON.parse(text); } catch { /* told as text below */ }
  if (response.ok) return data;
  const told = data?.error;
  const error = new Error(told ? [told.message, ...told.next].join(' ') : text.trim() || `status ${response.status}`);
  error.status = response.status;
  throw error;
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Error('devnet does not answer; is `devnet serve` still running?');
  }
}

// Asks for data.
export const ask = async (path) => answer(await reach(path));

// Wants something done.
export const request = async (path, body) => answer(await reach(path, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  body: JSON.stringify(body),
}));
