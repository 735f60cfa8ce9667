import type { Assessment, EvasionResult, WorstCase } from '../assess/result.ts';
import { count, duration, interval, NORM_NAMES, optionList, percent, radius } from './format.ts';
import { html, type Markup } from './markup.ts';
import { rightAnswers, worstCases } from './verdict.ts';

/** A table of every attack, a block of rows each, and the worst case. */
export function attackSection(assessment: Assessment): Markup | null {
  if (assessment.results.length === 0) return null;
  const byAttack = Map.groupBy(assessment.results, (each) => `${each.attack} ${optionList(each.options)}`);
  return html`<section>
<h2>Attack by attack</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Table of the attacks"><table class="attacks">
<thead><tr><th>Budget</th><th class="num extra">Right before</th><th class="num">Right under attack</th><th class="num">95&nbsp;% confidence</th><th class="meter-cell extra"></th><th class="num">Changed</th><th class="num">Queries</th><th class="num">Gradients</th><th class="num">Time</th></tr></thead>
${[...byAttack.values()].map((runs) => block(html`${runs[0]!.attack} <span class="options">${optionList(runs[0]!.options) || 'no options'}</span>`, runs))}
${block(html`Worst case <span class="options">an answer counts only if it survived every attack</span>`, worstCases(assessment))}
</table></div>
</section>`;
}

function block(heading: Markup, runs: readonly (EvasionResult | WorstCase)[]): Markup {
  return html`<tbody><tr class="head"><th colspan="9" scope="rowgroup">${heading}</th></tr>${runs.map(row)}${notesOf(runs).map((note) => html`<tr class="note"><td colspan="9">${note}</td></tr>`)}</tbody>`;
}

/** The notes of an attack's runs, each once, with the budgets that it is about. */
function notesOf(runs: readonly (EvasionResult | WorstCase)[]): readonly string[] {
  const about = new Map<string, string[]>();
  for (const run of runs) {
    for (const note of [...partNotes(run), ...('notes' in run ? (run.notes ?? []) : [])]) {
      about.set(note, [...(about.get(note) ?? []), `${NORM_NAMES[run.norm]} ${radius(run.eps)}`]);
    }
  }
  return [...about].map(([note, budgets]) => (runs.length === 1 ? note : `${budgets.join(', ')}: ${note}`));
}

/** What each part of an attack did, and how soon samples fell. */
function partNotes(run: EvasionResult | WorstCase): readonly string[] {
  if (!('attack' in run)) return [];
  const parts = run.parts?.map(({ attack, fell }) => `${attack} ${count(fell)}`).join(', ');
  const [, queries] = run.queriesToSuccess ?? [];
  const [, seconds] = run.secondsToSuccess ?? [];
  const within = [
    ...(queries !== undefined ? [`${count(queries)} queries each`] : []),
    ...(seconds !== undefined ? [duration(seconds)] : []),
  ];
  return [
    ...(parts ? [`changed by its parts, in this order: ${parts}`] : []),
    ...(within.length > 0 ? [`half of the samples that fell did so within ${within.join(' and ')}`] : []),
  ];
}

function row(run: EvasionResult | WorstCase): Markup {
  const { changed } = rightAnswers(run);
  const attack = 'attack' in run ? run : undefined;
  return html`<tr><td>${NORM_NAMES[run.norm]} ${radius(run.eps)}</td><td class="num extra">${percent(run.cleanAccuracy)}</td><td class="num strong">${percent(run.robustAccuracy)}</td><td class="num">${interval(run.confidence)}</td><td class="meter-cell extra">${meter(run.robustAccuracy, run.cleanAccuracy)}</td><td class="num">${count(changed)} of ${count(run.n)}</td><td class="num">${attack ? count(attack.queries) : ''}</td><td class="num">${attack ? (attack.gradientQueries === undefined ? 'none' : count(attack.gradientQueries)) : ''}</td><td class="num">${attack ? duration(attack.seconds) : ''}</td></tr>`;
}

/** A small bar: what stayed right, and in the other colour what the attack changed. */
function meter(robust: number, clean: number): Markup {
  const held = Math.round(robust * 1000) / 10;
  const all = Math.round(clean * 1000) / 10;
  return html`<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="8"/><rect class="changed" width="${all}" height="8"/><rect class="held" width="${held}" height="8"/></svg>`;
}
