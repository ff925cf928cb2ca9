// Loads the page. It imports nothing by itself, so that it can say so, and try
// again, where a part of the page does not come.

const TRIES = 3;
const PAUSE_MS = 700;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// A module that failed stays failed under its address; a whole page begins anew.
async function again(error) {
  const tries = Number(new URLSearchParams(location.search).get('again') ?? 0);
  if (tries < TRIES) {
    await pause(PAUSE_MS * (tries + 1));
    location.replace(`${location.pathname}?again=${tries + 1}${location.hash}`);
    return;
  }
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Load it again';
  button.addEventListener('click', () => location.replace(`${location.pathname}${location.hash}`));
  const words = document.createElement('p');
  words.className = 'empty';
  words.textContent = `The page could not be loaded whole: ${error.message} Is devnet still running? `;
  document.getElementById('main').replaceChildren(words, button);
}

// What fails later is for the console: it would fail again.
import('./main.js').then(({ start }) => {
  history.replaceState(null, '', `${location.pathname}${location.hash}`);
  start();
}, again);
