// A block, its nonce and the target, mined on request.

import { bitsToTarget, headerBytes, meetsTarget, targetText, targetToBits, workOf } from '../chain/header.js';
import { mine } from '../chain/miner.js';
import { TAG_BYTES_MAX } from '../chain/transaction.js';
import { block, hashOf, nameOf, withHeader, withTag } from '../ui/blocks.js';
import { box, button, el, field, status, verdict } from '../ui/dom.js';
import { hashView, headerView } from '../ui/hex.js';
import { newestBlock } from '../ui/live.js';

export const id = 'block';
export const title = 'Block';
export const lead =
  'A block is named by the hash of its 80-byte header. It counts only if that hash, read as a number, is at most the target. ' +
  'Nobody knows which nonce leads there, so miners try one after the other: that is the work.';

const ZEROS_MIN = 8;
const ZEROS_MAX = 24;

// The compact form of the target that one hash of 2^zeros meets.
const bitsFor = (zeros) => targetToBits((1n << BigInt(256 - zeros)) - 1n);

export function build() {
  let made = block(1, 'Alice pays Bob 5 coins', undefined, bitsFor(16));
  let stopper = null;
  const text = el('input', { value: made.tag, maxLength: TAG_BYTES_MAX });
  const zeros = el('input', { type: 'range', min: ZEROS_MIN, max: ZEROS_MAX, value: 16 });
  const nonce = el('input', { type: 'number', min: 0, max: 0xffffffff, value: 0, inputMode: 'numeric' });
  const [bytes, hash, target] = [el('div'), el('output'), el('output')];
  const result = status();
  const progress = el('p', { class: 'learn-note', role: 'status', text: 'Nothing was tried yet.' });

  const show = () => {
    const goal = bitsToTarget(made.header.bits);
    bytes.replaceChildren(headerView(made.header));
    hash.replaceChildren(hashView(nameOf(made)));
    target.replaceChildren(hashView(targetText(goal)));
    const isMet = meetsTarget(hashOf(made), goal);
    verdict(result, isMet, isMet ? 'at most the target: this block counts' : 'above the target: this block does not count');
    zeros.setAttribute('aria-valuetext', `${zeros.value} bits zero`);
  };
  const stop = () => {
    if (!stopper) return;
    stopper.abort();
    stopper = null;
    dig.textContent = 'Mine';
    progress.textContent = 'Stopped.';
  };
  // What is mined for a block that is no more is not waited for.
  const change = (next) => {
    stop();
    made = next;
    show();
  };
  text.addEventListener('input', () => change(withTag(made, text.value)));
  nonce.addEventListener('input', () => change(withHeader(made, { nonce: clamp(nonce.valueAsNumber) })));
  zeros.addEventListener('input', () => {
    change(withHeader(made, { bits: bitsFor(Number(zeros.value)) }));
    progress.textContent = `One hash of ${workOf(bitsToTarget(made.header.bits)).toLocaleString('en')} meets it.`;
  });

  const dig = button('Mine', async () => {
    if (stopper) {
      stop();
      return;
    }
    const own = new AbortController();
    stopper = own;
    dig.textContent = 'Stop';
    const began = performance.now();
    const tell = (tries) => {
      if (stopper !== own) return;
      const seconds = Math.max((performance.now() - began) / 1000, 1e-3);
      progress.textContent = `${tries.toLocaleString('en')} tries, ${Math.round(tries / seconds).toLocaleString('en')} a second`;
    };
    try {
      const found = await mine(headerBytes(made.header), bitsToTarget(made.header.bits), { tell, signal: own.signal });
      if (stopper !== own) return;
      made = withHeader(made, { nonce: found.nonce ?? 0 });
      nonce.value = made.header.nonce;
      show();
      tell(found.tries);
    } catch (error) {
      if (!own.signal.aborted) throw error;
    } finally {
      if (stopper === own) {
        stopper = null;
        dig.textContent = 'Mine';
      }
    }
  }, { class: 'learn-main' });

  const live = el('div', { class: 'learn-live' });
  const ask = async () => {
    const found = await newestBlock();
    if (found) live.replaceChildren(fromNetwork(found, ask));
  };
  ask();
  show();
  return el(
    'div',
    { class: 'learn-stack' },
    el(
      'div',
      { class: 'learn-card' },
      el(
        'div',
        { class: 'learn-row' },
        field('Text in the coinbase', text),
        field('Nonce', nonce, 'try some by hand'),
        field('How hard', zeros, 'bits that must be zero: 8 to 24'),
      ),
      el('div', { class: 'learn-actions' }, dig, progress),
      el('h3', { text: 'Hash' }),
      hash,
      el('h3', { text: 'Target' }),
      target,
      result,
      el('h3', { text: 'The 80 bytes that are hashed' }),
      bytes,
      el('p', { class: 'learn-note', text: 'Numbers stand with their lowest byte first; hashes are shown the other way round, zeros first.' }),
    ),
    live,
  );
}

const clamp = (number) => Math.min(Math.max(Math.floor(number) || 0, 0), 0xffffffff);

// The newest block of the network that this page belongs to, checked here.
function fromNetwork({ header, height, name }, again) {
  const made = { header };
  const result = status();
  if (nameOf(made) !== name) verdict(result, false, `hashed here it has another name than the network’s: ${name}`);
  else if (height === 0) verdict(result, true, 'hashed here as well: the same name. Nobody had to mine the first block');
  else if (meetsTarget(hashOf(made), bitsToTarget(header.bits))) verdict(result, true, 'hashed here as well: the same name, and at most its target');
  else verdict(result, false, 'hashed here as well, and above its target');
  return box(
    `From your network: block ${height}`,
    headerView(header),
    hashView(nameOf(made)),
    result,
    button('Look again', again),
  );
}
