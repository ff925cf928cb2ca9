// A page with the lessons and nothing else, and what they compute as plain data.

import { mount } from '/learn/index.js';
import { fromHex, hashText, toHex } from '/learn/chain/bytes.js';
import { outputKey, publicKey, signForOutput, verify } from '/learn/chain/curve.js';
import { bitsToTarget, headerBytes, headerFlaw, headerName, targetText, targetToBits, workOf } from '/learn/chain/header.js';
import { mineNow } from '/learn/chain/miner.js';
import { sha256, sha256d } from '/learn/chain/sha256.js';
import { coinbase, isSigned, merkleRoot, sighash, transferFlaw, txBytes, txid, wtxid } from '/learn/chain/transaction.js';
import { BlockTree } from '/learn/chain/tree.js';

const headerOf = (told) => ({ ...told, previous: fromHex(told.previous), merkleRoot: fromHex(told.merkleRoot) });
const outputOf = (told) => ({ value: BigInt(told.value), script: fromHex(told.script) });
const transactionOf = (told) => ({
  ...told,
  inputs: told.inputs.map((input) => ({
    ...input,
    txid: fromHex(input.txid),
    script: fromHex(input.script),
    witness: input.witness.map(fromHex),
  })),
  outputs: told.outputs.map(outputOf),
});
const orError = (act) => {
  try {
    return act();
  } catch {
    return null;
  }
};

window.hashes = (list) => list.map((hex) => [toHex(sha256(fromHex(hex))), toHex(sha256d(fromHex(hex)))]);

window.headers = (list) =>
  list.map(headerOf).map((header) => {
    const target = orError(() => bitsToTarget(header.bits));
    return {
      bytes: toHex(headerBytes(header)),
      name: headerName(header),
      target: target && targetText(target),
      work: target && targetText(workOf(target)),
      bits: target && targetToBits(target),
      flaw: headerFlaw(header, 2n ** 255n),
    };
  });

window.transactions = (list) =>
  list.map(({ transaction, spent }) => {
    const tx = transactionOf(transaction);
    const outputs = spent.map(outputOf);
    const types = [0, 1, 2, 3, 0x81, 0x82, 0x83];
    return {
      bytes: toHex(txBytes(tx)),
      txid: hashText(txid(tx)),
      wtxid: hashText(wtxid(tx)),
      sighashes: tx.inputs.map((_, at) => types.map((type) => orError(() => toHex(sighash(tx, outputs, at, type))))),
      signed: tx.inputs.map((_, at) => isSigned(tx, outputs, at)),
    };
  });

window.flaws = (list) =>
  list.map(({ transaction, coins }) => {
    const known = new Map(coins.map((coin) => [`${coin.txid}:${coin.vout}`, outputOf(coin)]));
    return transferFlaw(transactionOf(transaction), (input) => known.get(`${toHex(input.txid)}:${input.vout}`));
  });

window.signatures = (list) =>
  list.map(({ secret, message, aux }) => {
    const [key, output] = [publicKey(fromHex(secret)), outputKey(fromHex(secret))];
    const signature = signForOutput(fromHex(secret), fromHex(message), fromHex(aux));
    return { key: toHex(key), output: toHex(output), signature: toHex(signature), isValid: verify(signature, fromHex(message), output) };
  });

window.verified = (list) => list.map(({ signature, message, key }) => verify(fromHex(signature), fromHex(message), fromHex(key)));

window.roots = (list) => list.map((ids) => toHex(merkleRoot(ids.map(fromHex))));

// A whole block of one coinbase, mined.
window.minedBlock = ({ header, height, tag, value, key }) => {
  const reward = coinbase({ height, tag, value: BigInt(value), key: fromHex(key) });
  const made = { ...headerOf(header), merkleRoot: merkleRoot([txid(reward)]) };
  made.nonce = mineNow(headerBytes(made), bitsToTarget(made.bits));
  return `${toHex(headerBytes(made))}01${toHex(txBytes(reward))}`;
};

window.followed = (genesis, list) => {
  const tree = new BlockTree(headerOf(genesis));
  return list.map(headerOf).map((header) => {
    const { kind, disconnected = [], connected = [] } = tree.accept(header);
    return { kind, disconnected, connected, tip: tree.tip, work: targetText(tree.get(tree.tip).work) };
  });
};

// What the page does while it mines: pictures drawn since.
window.frames = 0;
const count = () => {
  window.frames += 1;
  requestAnimationFrame(count);
};
requestAnimationFrame(count);

const newest = window.location.search === '?live' ? async () => (await fetch('/header.json')).json() : undefined;
mount(document.querySelector('main'), { newest });
window.isReady = true;
