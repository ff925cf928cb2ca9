// Looks up blocks, transactions and addresses.

import { ask } from './link.js';
import { card, clock, coins, h, keep, plural, short } from './dom.js';
import { store } from './store.js';

export function explorerView(what) {
  const box = h('input', { type: 'search', placeholder: 'Height, block hash, transaction id, address', 'aria-label': 'Search', maxlength: 128, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off' });
  const search = h('form', { class: 'search', role: 'search', onsubmit: (event) => {
    event.preventDefault();
    const wanted = box.value.trim();
    if (wanted) location.hash = `#/explorer/${encodeURIComponent(wanted)}`;
  } }, box, h('button', { type: 'submit', class: 'main' }, 'Search'));
  const body = h('div', { class: 'grid', 'aria-live': 'polite' });
  const element = h('div', { class: 'grid' }, h('div', { class: 'head' }, h('div', { class: 'grow' }, h('h1', {}, 'Explorer'), h('p', {}, 'Every block, transaction and address of this network.')), search), body);
  const newest = latest();
  let turn = 0;
  let shown = '';

  async function go(wanted) {
    shown = wanted;
    const mine = turn += 1;
    box.value = wanted;
    if (!wanted) {
      newest.update();
      body.replaceChildren(newest.element);
      return;
    }
    if (!body.firstChild) body.replaceChildren(h('p', { class: 'empty' }, 'Looking.'));
    try {
      const found = await ask(`/api/find/${encodeURIComponent(wanted)}`);
      if (mine !== turn) return;
      const show = { block: blockPage, transaction: transactionPage, address: addressPage }[found.kind];
      body.replaceChildren(...show(found));
    } catch (error) {
      if (mine === turn) body.replaceChildren(card('Not found', null, h('p', {}, error.message)));
    }
  }
  const update = (parts) => {
    if (!shown && (parts.has('blocks') || parts.has('whole'))) newest.update();
  };
  go(what);
  return { element, title: 'Explorer', update, go };
}

// Rows stay where they are, with the focus on them, when a block comes.
function latest() {
  const rows = h('tbody');
  const none = h('p', { class: 'empty' }, 'No block is known yet.');
  const table = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Latest blocks' }, h('table', {},
    h('thead', {}, h('tr', {}, ['Height', 'Hash', 'Miner', 'Time', 'Transactions'].map((title) => h('th', { class: title === 'Transactions' ? 'n' : '', scope: 'col' }, title)))), rows));
  const update = () => {
    const blocks = [...store.blocks.values()].sort((a, b) => b.height - a.height).slice(0, 20);
    none.hidden = blocks.length > 0;
    table.hidden = !blocks.length;
    keep(rows, blocks.map((block) => [block.hash, block.miner ?? '', () => h('tr', {}, h('td', {}, link(block.hash, block.height)), h('td', { class: 'mono' }, short(block.hash)),
      h('td', {}, block.miner ?? (block.height ? 'unknown' : 'genesis')), h('td', {}, clock(block.time_ms)), h('td', { class: 'n' }, block.transactions))]));
  };
  return { element: card('Latest blocks', null, none, table), update };
}

const link = (what, text) => h('a', { href: `#/explorer/${what}` }, text ?? what);
const pairs = (...rows) => h('dl', {}, rows.filter((row) => row && row[1] !== undefined && row[1] !== null).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
// Where coins go; data that a transaction bears belongs to nobody.
const payee = ({ address, type }) => (address ? link(address) : type === 'nulldata' ? 'data, no payment' : type);
const mono = (text) => h('span', { class: 'mono' }, text);

function blockPage({ block, node }) {
  const known = store.blocks.get(block.hash);
  const side = block.confirmations < 0;
  return [
    card(`Block ${block.height}`, `as ${node} tells it`, pairs(
      ['Hash', mono(block.hash)],
      ['State', side ? h('span', { class: 'warn-text' }, 'not on the chain of this node') : plural(block.confirmations, 'confirmation')],
      ['Before it', block.previousblockhash ? mono(link(block.previousblockhash)) : 'nothing: it is the first'],
      ['After it', block.nextblockhash ? mono(link(block.nextblockhash)) : undefined],
      ['Miner', known?.miner ?? undefined],
      ['Time', `${new Date(block.time * 1000).toLocaleString()}`],
      ['Size', `${block.size.toLocaleString('en')} bytes, weight ${block.weight.toLocaleString('en')}`],
      ['Difficulty', block.difficulty.toFixed(3)], ['Target', mono(block.bits)], ['Nonce', block.nonce.toLocaleString('en')],
      ['Merkle root', mono(block.merkleroot)], ['Work so far', mono(block.chainwork.replace(/^0+/, '0x'))])),
    card(plural(block.tx.length, 'transaction'), null, h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Transactions' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Transaction'), h('th', { scope: 'col' }, 'Pays to'), h('th', { class: 'n', scope: 'col' }, 'Coins'))),
      h('tbody', {}, block.tx.slice(0, 500).flatMap(payments))))),
  ];
}

// A row for each of the first outputs.
function payments(tx) {
  const outs = tx.vout.slice(0, 4);
  return outs.map((out, at) => h('tr', {}, at === 0 && h('td', { class: 'mono', rowspan: outs.length }, link(tx.txid, short(tx.txid)), tx.vin[0]?.coinbase !== undefined && ' reward'),
    h('td', { class: 'wrap' }, payee(out.scriptPubKey)), h('td', { class: 'n' }, coins(out.value))));
}

function transactionPage({ transaction: tx, mempool, node }) {
  const isReward = tx.vin[0]?.coinbase !== undefined;
  return [
    card(isReward ? 'Reward' : 'Transaction', `as ${node} tells it`, pairs(
      ['Id', mono(tx.txid)],
      ['State', tx.confirmations > 0 ? h('span', { class: 'good-text' }, plural(tx.confirmations, 'confirmation')) : tx.blockhash ? h('span', { class: 'warn-text' }, 'in a block that lost') : 'waits for a block'],
      ['Block', tx.blockhash ? mono(link(tx.blockhash)) : undefined],
      ['Fee', mempool ? `${coins(mempool.fees.base)} coins` : undefined],
      ['Size', `${tx.size} bytes, ${tx.vsize} virtual`], ['Lock time', tx.locktime || undefined])),
    h('div', { class: 'halves' },
      card(isReward ? 'Comes from' : plural(tx.vin.length, 'input'), null, h('ul', { class: 'list' }, tx.vin.map((input) => h('li', { class: 'mono' }, input.coinbase !== undefined ? 'new coins and fees' : [link(input.txid, short(input.txid)), `:${input.vout}`])))),
      card(plural(tx.vout.length, 'output'), null, h('table', {}, h('tbody', {}, tx.vout.map((out) => h('tr', {}, h('td', { class: 'wrap' }, payee(out.scriptPubKey)), h('td', { class: 'n' }, coins(out.value)))))))),
  ];
}

function addressPage({ address, coins: found, blocks, node }) {
  return [
    card('Address', `as ${node} tells it at height ${found.height}`, pairs(['Address', mono(address)], ['Owns', `${coins(found.total_amount)} coins`], ['Unspent outputs', found.unspents.length])),
    h('div', { class: 'halves' },
      card('Unspent outputs', null, found.unspents.length ? h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Unspent outputs' }, h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Output'), h('th', { scope: 'col' }, 'Height'), h('th', { class: 'n', scope: 'col' }, 'Coins'))),
        h('tbody', {}, found.unspents.slice(0, 300).map((coin) => h('tr', {}, h('td', { class: 'mono' }, link(coin.txid, short(coin.txid)), `:${coin.vout}`), h('td', {}, coin.height), h('td', { class: 'n' }, coins(coin.amount))))))) : h('p', { class: 'empty' }, 'None.')),
      card('Blocks that concern it', null, h('ul', { class: 'chips' }, (blocks?.relevant_blocks ?? []).slice(-200).reverse().map((hash) => h('li', { class: 'chip mono' }, link(hash, store.blocks.get(hash)?.height ?? short(hash))))))),
  ];
}
