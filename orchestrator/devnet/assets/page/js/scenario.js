// The scenario that is played on the network, step by step.

import { h, keep, say, span } from './dom.js';
import { store } from './store.js';

const MARKS = { passed: '✓', failed: '✗', invalid: '✗', broken: '✗', running: '▸', skipped: '·', abandoned: '–' };

export function scenarioCard() {
  const title = h('h2', {});
  const note = h('span', { class: 'note' });
  const steps = h('ol', { class: 'steps', 'aria-label': 'Steps' });
  const element = h('section', { class: 'card', hidden: true }, h('header', {}, title, note), h('div', { class: 'body' }, steps));
  function update() {
    const scenario = store.scenario;
    element.hidden = !scenario;
    if (!scenario) return;
    say(title, `Scenario ${scenario.name}`);
    say(note, scenario.verdict ?? 'running');
    note.className = `note ${scenario.verdict ? (scenario.verdict === 'PASS' ? 'good-text' : 'bad-text') : ''}`;
    keep(steps, scenario.steps.map((step, at) => [at, JSON.stringify(step), () => row(step)]));
  }
  return { element, update };
}

const row = (step) => h('li', { class: step.outcome },
  h('span', { class: step.outcome === 'passed' ? 'good-text' : ['failed', 'invalid', 'broken'].includes(step.outcome) ? 'bad-text' : '', role: 'img', 'aria-label': step.outcome }, MARKS[step.outcome]),
  h('span', {}, `${step.path} ${step.title}`, step.notes.length > 0 && h('small', {}, step.notes[0])),
  h('span', { class: 'note' }, step.took_ms === null ? '' : span(step.took_ms)));
