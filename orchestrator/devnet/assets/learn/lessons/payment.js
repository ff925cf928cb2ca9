// New coins, and a signed transfer of them; what fails when one tampers.

import { concat, hashText, toHex } from '../chain/bytes.js';
import { signForOutput } from '../chain/curve.js';
import { COIN, FINAL, coinbase, isSigned, payTo, sighash, transferFlaw, txBytes, txid } from '../chain/transaction.js';
import { keyOf, secretOf } from '../ui/blocks.js';
import { box, button, el, field, status, verdict } from '../ui/dom.js';
import { coins } from '../ui/hex.js';

export const id = 'payment';
export const title = 'Payment';
export const lead =
  'Coins are outputs of earlier transactions, each locked to a key; a coinbase makes new ones for the miner. ' +
  'A transfer names the outputs it spends and makes new ones, and a signature over all of it proves that the owner wants just that. ' +
  'What goes in and does not come out is the fee.';

const PEOPLE = ['Bob', 'Carol', 'Mallory'];
const RULES = {
  overspent: 'more comes out than goes in',
  input_missing: 'the coin does not exist, or is spent already',
  signature: 'the signature is not that of the owner for these bytes',
  output_value_range: 'an amount is negative or more than there can be',
};

export function build() {
  const reward = coinbase({ height: 1, tag: 'Alice mined this', value: 50n * COIN, key: keyOf('Alice') });
  const rewardId = txid(reward);
  let isSpent = false;
  const coinOf = (input) =>
    !isSpent && toHex(input.txid) === toHex(rewardId) ? reward.outputs[input.vout] : undefined;

  const to = el('select', {}, ...PEOPLE.map((name) => el('option', { value: name, text: name })));
  const amount = el('input', { type: 'number', min: 0, step: 0.1, value: 12.5, inputMode: 'decimal' });
  const change = el('input', { type: 'number', min: 0, step: 0.1, value: 37.499, inputMode: 'decimal' });
  let signature = null;
  const view = {
    fee: el('strong'), id: el('code'), sighash: el('code'), signature: el('code'), bytes: el('code'),
  };
  const checks = ['exists', 'sums', 'signed'].map(() => el('li'));
  const result = status();

  const draft = () => ({
    version: 2,
    inputs: [{ txid: rewardId, vout: 0, script: new Uint8Array(), sequence: FINAL, witness: signature ? [signature] : [] }],
    outputs: [
      { value: sats(amount), script: payTo(keyOf(to.value)) },
      { value: sats(change), script: payTo(keyOf('Alice')) },
    ],
    lockTime: 0,
  });
  const spent = [reward.outputs[0]];

  const show = () => {
    const tx = draft();
    const fee = spent[0].value - tx.outputs[0].value - tx.outputs[1].value;
    view.fee.textContent = fee < 0n ? `−${coins(-fee)}` : coins(fee);
    view.id.textContent = hashText(txid(tx));
    view.sighash.textContent = toHex(sighash(tx, spent, 0));
    view.signature.textContent = signature ? toHex(signature) : 'none yet';
    view.bytes.textContent = toHex(txBytes(tx));
    check(checks[0], coinOf(tx.inputs[0]) !== undefined, 'The coin exists and is not spent', 'The coin is spent already');
    check(checks[1], fee >= 0n, 'Not more comes out than goes in', 'More comes out than goes in');
    check(checks[2], isSigned(tx, spent, 0), 'The owner signed just these bytes', 'The signature does not fit these bytes');
    const flaw = transferFlaw(tx, coinOf);
    verdict(result, flaw === null, flaw === null ? 'every node accepts this transfer' : `refused by the rule “${flaw}”: ${RULES[flaw] ?? 'it cannot be'}`);
  };
  const signAs = (name) => {
    signature = signForOutput(secretOf(name), sighash(draft(), spent, 0), new Uint8Array(32));
    show();
  };
  const flip = () => {
    if (!signature) return;
    signature = concat(signature.slice(0, 40), [signature[40] ^ 1], signature.slice(41));
    show();
  };
  const again = () => {
    isSpent = false;
    [to.value, amount.value, change.value] = ['Bob', '12.5', '37.499'];
    signAs('Alice');
  };
  for (const control of [to, amount, change]) control.addEventListener('input', show);
  again();

  const tampering = box(
    'Tamper with it',
    el('p', { class: 'learn-note', text: 'Change an amount or who is paid above: the signature was made for other bytes. Or try these.' }),
    el(
      'div',
      { class: 'learn-actions' },
      button('Flip a bit of the signature', flip),
      button('Sign as Mallory', () => signAs('Mallory')),
      button('Pay more than there is', () => {
        amount.value = '60';
        signAs('Alice');
      }),
      button('Put it into a block, and send it again', () => {
        isSpent = true;
        show();
      }),
    ),
  );
  return el(
    'div',
    { class: 'learn-stack' },
    el(
      'div',
      { class: 'learn-flow' },
      box(
        'Coinbase of block 1',
        el('p', { text: 'Spends nothing: these coins are new.' }),
        el('p', {}, 'Makes ', el('strong', { text: '50 coins' }), ' locked to Alice’s key'),
        el('code', { class: 'learn-hash', text: toHex(keyOf('Alice')) }),
        el('p', { class: 'learn-note', text: 'On a real chain a reward can be spent only after 100 more blocks.' }),
      ),
      box(
        'Transfer',
        el('p', {}, 'Spends output 0 of that coinbase: ', el('strong', { text: '50 coins' })),
        el('div', { class: 'learn-row' }, field('Pays', amount), field('to', to), field('Back to Alice', change)),
        el('p', {}, 'Fee for the miner: ', view.fee, ' coins'),
        el('div', { class: 'learn-actions' }, button('Sign as Alice', () => signAs('Alice'), { class: 'learn-main' }), button('As it was', again)),
        el('ul', { class: 'learn-checks' }, ...checks),
        result,
      ),
    ),
    tampering,
    el(
      'details',
      { class: 'learn-card' },
      el('summary', { text: 'The bytes' }),
      ...[
        ['Id: hash of the transfer without its signature', view.id],
        ['What is signed (BIP 341): a hash of all inputs and outputs', view.sighash],
        ['Signature (BIP 340), 64 bytes', view.signature],
        ['The whole transfer as it travels', view.bytes],
      ].flatMap(([name, code]) => [el('h4', { text: name }), el('div', { class: 'learn-hash' }, code)]),
    ),
  );
}

// More coins than any amount may have, and not too many for eight bytes.
const COINS_MAX = 5e10;

// Base units of an amount in coins; what is no number counts as nothing.
function sats(input) {
  const number = input.valueAsNumber;
  const within = Math.min(Math.max(number, -COINS_MAX), COINS_MAX);
  return Number.isNaN(number) ? 0n : BigInt(Math.round(within * 1e8));
}

function check(element, isGood, good, bad) {
  element.className = isGood ? 'learn-good' : 'learn-bad';
  element.textContent = `${isGood ? '✓' : '✗'} ${isGood ? good : bad}`;
}
