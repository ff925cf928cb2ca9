// Tells the page of a large network that there is not, and counts what it does
// with the next block. `nodes` and `blocks` are how many.
(async (nodes, blocks) => {
  const { store, take } = await import('/js/store.js');
  const names = Array.from({ length: nodes }, (_, at) => `node-${at}`);
  const hash = (height) => (height + 1).toString(16).padStart(64, '0');
  const tip = (height) => ({ hash: hash(height), height, work: (height + 1).toString(16).padStart(64, '0') });
  const block = (height, reached) => ({ hash: hash(height), parent: height ? hash(height - 1) : '0'.repeat(64), height, miner: names[height % 20],
    time_ms: height * 1000, seen_ms: height * 1000 + 7, transactions: 1, bytes: 300,
    spread: { nodes: reached, median_ms: 20 + (height % 7), last_ms: 90 + reached } });
  const node = (name, at) => ({ name, role: at < 20 ? 'miner' : 'observer', condition: 'up', hashrate: at < 20 ? 50 : 0, found: 0,
    peers: [1, 2, 3].map((step) => names[(at + step) % nodes]), mempool: 0, mempool_bytes: 0, tip: tip(blocks - 1) });
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300))));

  take({ at_ms: 0, whole: true, nodes: Object.fromEntries(names.map((name, at) => [name, node(name, at)])),
    blocks: Array.from({ length: blocks }, (_, height) => block(height, nodes)) });
  await drawn();
  const seen = new Set();
  const observer = new MutationObserver((changes) => changes.forEach(({ target, addedNodes }) => [target, ...addedNodes].forEach((one) => seen.add(one))));
  window.next = async () => {
    const height = Math.max(...[...store.blocks.values()].map((one) => one.height)) + 1;
    observer.observe(document.querySelector('main'), { subtree: true, childList: true, attributes: true, characterData: true });
    seen.clear();
    // It reaches ten nodes at a time.
    for (let from = 0; from < nodes; from += 10) {
      take({ at_ms: 0, blocks: [block(height, Math.min(nodes, from + 10))], tips: names.slice(from, from + 10).map((name) => ({ node: name, ...tip(height) })) });
      await new Promise(requestAnimationFrame);
    }
    await drawn();
    observer.disconnect();
    return { height, touched: seen.size, elements: document.querySelectorAll('main *').length };
  };
  return true;
})
