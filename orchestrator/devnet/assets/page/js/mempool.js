// What waits to be mined, who owns what, and payments.

import { ask, request } from './link.js';
import { card, coins, h, keep, plural, say, short, toast } from './dom.js';
import { store } from './store.js';

export function mempoolView() {
  const list = h('tbody');
  const note = h('p', { class: 'note' });
  const accounts = h('tbody');
  const names = h('datalist', { id: 'accounts' });
  const form = payment();
  const pending = h('p', { class: 'note', 'aria-live': 'polite' });
  const table = (titles, body, label) => h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
    h('table', {}, h('thead', {}, h('tr', {}, titles.map(([title, kind]) => h('th', { class: kind ?? '', scope: 'col' }, title)))), body));
  const waiting = table([['Transaction'], ['Fee, coins', 'n'], ['Fee rate', 'n'], ['Size', 'n']], list, 'Waiting transactions');
  waiting.hidden = true;
  const owners = h('div', { class: 'grid' },
    card('Send a payment', null, form.element, pending),
    card('Accounts', 'Their keys follow from the seed: public by design.', table([['Account'], ['Coins', 'n'], ['Waiting', 'n']], accounts, 'Accounts')));
  const element = h('div', { class: 'grid' },
    h('div', { class: 'head' }, h('div', { class: 'grow' }, h('h1', {}, 'Mempool'), h('p', {}, 'Transactions that wait for a block, as the first node that answers sees them.'))),
    h('div', { class: 'split' },
      card('Waiting', null, note, waiting),
      owners), names);

  function payment() {
    const from = h('select', { name: 'from' });
    const to = h('input', { name: 'to', list: 'accounts', required: true, value: 'bob', autocomplete: 'off' });
    const amount = h('input', { name: 'amount', inputmode: 'decimal', required: true, value: '1.5', size: 8, autocomplete: 'off' });
    const pay = h('button', { type: 'submit', class: 'main' }, 'Send');
    const why = h('span', { class: 'note' }, 'Read-only: open the address with the token.');
    const element = h('form', { class: 'row', onsubmit: async (event) => {
      event.preventDefault();
      pay.disabled = true;
      try {
        const paid = await request('/api/send', { from: from.value, to: to.value, amount: amount.value });
        toast(`${paid.from} pays ${paid.amount} to ${paid.to}`, `fee ${paid.fee}, handed to ${paid.node}`);
        follow(paid.txid);
        load();
      } catch (error) {
        toast('Nothing was paid', error.message, true);
      }
      pay.disabled = false;
    } }, h('label', { class: 'field' }, 'From', from), h('label', { class: 'field' }, 'To account or address', to), h('label', { class: 'field' }, 'Coins', amount), pay, why);
    const update = () => {
      const wanted = store.network?.accounts ?? [];
      if (from.options.length !== wanted.length) {
        from.replaceChildren(...wanted.map((name) => h('option', { value: name }, name)));
        names.replaceChildren(...wanted.map((name) => h('option', { value: name })));
        from.value = wanted.includes('alice') ? 'alice' : wanted[0] ?? '';
      }
      pay.disabled = !store.mayAct || !wanted.length;
      why.hidden = store.mayAct;
      owners.hidden = store.network?.is_recording ?? false;
    };
    return { element, update };
  }

  // Looks after a payment until it is in a block.
  let followed = null;
  async function follow(txid) {
    followed = txid;
    pending.replaceChildren('Waiting for a block: ', h('a', { href: `#/explorer/${txid}` }, short(txid)));
  }
  async function look() {
    if (!followed) return;
    const txid = followed;
    const found = await ask(`/api/find/${txid}`).catch(() => null);
    const depth = found?.transaction?.confirmations ?? 0;
    if (followed !== txid || depth < 1) return;
    followed = null;
    pending.replaceChildren(h('span', { class: 'good-text' }, 'Confirmed'), ' ', h('a', { href: `#/explorer/${txid}` }, short(txid)), `, ${plural(depth, 'confirmation')}`);
  }

  let isLoading = false;
  async function load() {
    if (store.network?.is_recording) {
      say(note, 'A recording tells how many transactions wait, not which: there is no node to ask.');
      return;
    }
    if (isLoading) return;
    isLoading = true;
    const [pool, owned] = await Promise.all([ask('/api/mempool').catch((error) => ({ error })), ask('/api/accounts').catch((error) => ({ error })), look()]);
    isLoading = false;
    if (pool.error) say(note, pool.error.message);
    else {
      say(note, pool.count ? `${plural(pool.count, 'transaction')} on ${pool.node}, best fee rate first.` : `Nothing waits on ${pool.node}.`);
      waiting.hidden = !pool.count;
      keep(list, pool.transactions.map(({ txid, entry }) => [txid, '', () => h('tr', {},
        h('td', { class: 'mono' }, h('a', { href: `#/explorer/${txid}`, title: txid }, short(txid))),
        h('td', { class: 'n' }, coins(entry.fees.base)), h('td', { class: 'n' }, `${((entry.fees.base * 1e8) / entry.vsize).toFixed(1)} sat/vB`), h('td', { class: 'n' }, `${entry.vsize} vB`))]));
    }
    if (owned.accounts) {
      keep(accounts, owned.accounts.map((account) => [account.name, `${account.confirmed} ${account.unconfirmed}`, () => h('tr', {}, h('td', {}, h('a', { href: `#/explorer/${account.address}` }, account.name)),
        h('td', { class: 'n' }, coins(account.confirmed)), h('td', { class: 'n' }, Number(account.unconfirmed) ? coins(account.unconfirmed) : '–'))]));
    }
  }
  let last = 0;
  const update = (parts) => {
    form.update();
    const isDue = ['tips', 'nodes', 'whole'].some((part) => parts.has(part));
    if (isDue && performance.now() - last > 900) {
      last = performance.now();
      load();
    }
  };
  return { element, title: 'Mempool', update };
}
