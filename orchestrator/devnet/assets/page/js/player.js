// Plays a recorded run: pause, speed, steps, and any moment of it.

import { attribute, h, plural, say, seldom, span } from './dom.js';
import { store, take } from './store.js';

// How often the handle of time moves at most while it plays: it has the page laid out.
const HANDLE_MS = 100;
const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 30];

export function player(tape) {
  const { begin_ms: begin, end_ms: end, patches } = tape;
  let at = begin;
  let next = 0;
  // About twenty seconds, however long the run was.
  let speed = SPEEDS.findLast((one) => one * 20_000 <= end - begin) ?? SPEEDS[0];
  let isPlaying = !matchMedia('(prefers-reduced-motion: reduce)').matches;
  let last = null;

  const button = (text, label, onclick) => h('button', { type: 'button', 'aria-label': label, title: label, onclick }, text);
  const play = button('❚❚', 'Pause', () => { isPlaying ? pause() : resume(); });
  const back = button('‹', 'One step back', () => step(-1));
  const forth = button('›', 'One step on', () => step(1));
  const rates = h('select', { 'aria-label': 'Speed', onchange: () => { speed = Number(rates.value); } },
    SPEEDS.map((one) => h('option', { value: one }, `${one} ×`)));
  rates.value = speed;
  const range = h('input', { type: 'range', min: 0, max: end - begin, step: 1, 'aria-label': 'Time in the run', oninput: () => {
    // To stop shows where it stopped, also here.
    const to = begin + Number(range.value);
    pause();
    seek(to);
  } });
  const time = h('output', { 'aria-live': 'off' });
  const element = h('section', { class: 'card player', 'aria-label': 'Recording' }, play, back, forth, rates, range, time,
    h('span', { class: 'note' }, `${plural(patches.length, 'change')}, simulated`));

  // Steps are changes that move a tip, or begin or end a fault.
  const steps = patches.filter((patch) => patch.tips || patch.faults).map((patch) => patch.at_ms).filter((ms, index, all) => ms !== all[index - 1]);

  function seek(to) {
    if (to < at) next = 0;
    at = Math.min(end, Math.max(begin, to));
    store.frozen = at;
    while (next < patches.length && patches[next].at_ms <= at) {
      take(structuredClone(patches[next]));
      next += 1;
    }
    if (isPlaying) handle.ask();
    else show();
  }

  function show() {
    say(time, `${span(at - begin)} of ${span(end - begin)}`);
    range.value = at - begin;
    attribute(range, 'aria-valuetext', span(at - begin));
    say(play, isPlaying ? '❚❚' : '▶');
    attribute(play, 'aria-label', isPlaying ? 'Pause' : 'Play');
  }

  function pause() {
    isPlaying = false;
    show();
  }

  function resume() {
    if (at >= end) seek(begin);
    isPlaying = true;
    last = null;
    show();
    requestAnimationFrame(frame);
  }

  function step(direction) {
    pause();
    const to = direction > 0 ? steps.find((ms) => ms > at) : steps.filter((ms) => ms < at).at(-1);
    seek(to ?? (direction > 0 ? end : begin));
  }

  function frame(now) {
    if (!isPlaying) return;
    if (last !== null) seek(at + Math.min(250, now - last) * speed);
    last = now;
    if (at >= end) pause();
    else requestAnimationFrame(frame);
  }

  const handle = seldom(HANDLE_MS, show);
  document.body.append(element);
  seek(begin);
  if (isPlaying) requestAnimationFrame(frame);
  return { pause, seek };
}
