import type { Attacker, DefenceEvaluation, DefenceRow } from '../../assess/defence/result.ts';
import { digest, group, machine, notes, reproduction } from '../facts-section.ts';
import { count, duration, interval, moment, NORM_NAMES, percent, radius } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { pageOf } from '../page.ts';
import { detectorSection, temperatureSection } from './fitted-sections.ts';
import { DEFENCE_STYLE } from './style.ts';
import { ATTACKER_NAMES, defenceVerdict, gainOf, points } from './words.ts';

/**
 * An evaluation of a defence as one HTML file that stands alone: no script, no resource from elsewhere, light and dark, fit for paper and
 * phone. Everything that comes from outside (names, notes, defences) is escaped.
 *
 * @example
 * writeFileSync('defence.html', renderDefenceHtml(parseDefence(text)));
 */
export function renderDefenceHtml(evaluation: DefenceEvaluation): string {
  const { defended, environment, schema, startedAt, rows } = evaluation;
  return pageOf({
    title: `${defended.name}: what its defence is worth`,
    description: defenceVerdict(evaluation),
    header: html`<span>What defends <b>${defended.name}</b></span><span>${moment(startedAt)}</span>`,
    main: html`<section class="verdict">
<h1>${gainOf(rows)}</h1>
<p class="story">${defenceVerdict(evaluation)}</p>
${figures(rows)}
</section>
${attackersSection(evaluation)}
${evaluation.detector && detectorSection(evaluation.detector)}
${evaluation.temperature && temperatureSection(evaluation.temperature)}
${factsSection(evaluation)}
${limitsSection(evaluation)}`,
    footer: html`Made by Glacis ${environment.glacis} from a result in the format <code>${schema}</code>. This page loads nothing and runs no script.`,
    style: DEFENCE_STYLE,
  });
}

function figures(rows: readonly DefenceRow[]): Markup {
  const row = (attacker: Attacker) => rows.find((each) => each.attacker === attacker)!;
  const worst = row('worst');
  const seems = Math.max(row('unaware').defended.accuracy, row('direct').defended.accuracy);
  return html`<div class="figures">
<div><span class="figure">${percent(seems)}</span><span class="what">seems to stand</span><span class="muted">under attackers who do not know of the defence, or do not heed it</span></div>
<div><span class="figure robust">${percent(worst.defended.accuracy)}</span><span class="what">stands</span><span class="muted">under the best of all attackers; 95&nbsp;% confidence <span class="option">${interval(worst.defended.confidence)}</span></span></div>
<div><span class="figure lost">${percent(worst.undefended.accuracy)}</span><span class="what">stood before</span><span class="muted">the undefended model under the same attackers</span></div>
</div>`;
}

function attackersSection({ rows, data, norm, eps, randomised }: DefenceEvaluation): Markup {
  return html`<section>
<h2>Who attacks, and what is left</h2>
<p class="lead">The same ${count(data.n)} samples, ${NORM_NAMES[norm]} ${radius(eps)}. Attackers know more and more of the defence; each makes examples for either model, but for those who do not know of it, whose examples come from the undefended one.${randomised && ' The defended model answers at random: each verdict is one answer, and the best of several attackers has several tries.'}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Accuracy under each attacker"><table class="attacks attackers">
<thead><tr><th scope="col">Attacker</th><th scope="col">Right before (grey) and with the defence (blue)</th><th class="num" scope="col">Before</th><th class="num" scope="col">Defended</th><th class="num" scope="col">Difference</th><th class="num" scope="col">p</th></tr></thead>
<tbody>${rows.map(attackerRow)}</tbody></table></div>
</section>`;
}

function attackerRow({
  attacker,
  attack,
  undefended,
  defended,
  difference,
  interval: range,
  p,
}: DefenceRow): Markup {
  return html`<tr class="${attacker === 'worst' ? 'worst' : ''}"><th scope="row">${ATTACKER_NAMES[attacker]}${attack && html`<span class="muted small"><code>${attack}</code></span>`}</th>
<td>${bars(undefended.accuracy, defended.accuracy)}</td>
<td class="num">${percent(undefended.accuracy)}</td>
<td class="num">${percent(defended.accuracy)}<span class="muted small">${interval(defended.confidence)}</span></td>
<td class="num">${points(difference)}<span class="muted small">${range.map(points).join(' to ').replaceAll(' points', '')}</span></td>
<td class="num">${p < 0.001 ? '<0.001' : p.toFixed(3)}</td></tr>`;
}

/** Two bars of at most 100 units; the figures stand beside them. */
function bars(before: number, after: number): Markup {
  const width = (share: number) => (100 * share).toFixed(1);
  return html`<svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" x="0" y="0" width="${width(before)}" height="5"/><rect class="held" x="0" y="7" width="${width(after)}" height="5"/></svg>`;
}

function factsSection(evaluation: DefenceEvaluation): Markup {
  const { undefended, defended, defences, data, seed, environment, startedAt, finishedAt } = evaluation;
  const seconds = Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  return html`<section>
<h2>What ran</h2>
<div class="facts">
${group('Before', [
  ['name', undefended.name],
  ['digest', digest(undefended.digest)],
  ['notes', notes(undefended.notes)],
])}
${group('Defended', [
  ['name', defended.name],
  ['digest', digest(defended.digest)],
  ['defences', defences],
  ['notes', notes(defended.notes)],
])}
${group('Data', [
  ['what', data.description],
  ['samples', count(data.n)],
  ['digest', digest(data.digest)],
  ['notes', notes(data.notes)],
])}
${group('Run', [
  ['seed', String(seed)],
  ['started', moment(startedAt)],
  ['took', duration(seconds)],
])}
${machine(environment)}
</div>
${reproduction(evaluation.command)}
</section>`;
}

function limitsSection({ norm }: DefenceEvaluation): Markup {
  return html`<section class="limits">
<h2>What this does not say</h2>
<ul>
<li><b>What stands was found by trying.</b> Attackers who knew more, or had more time, broke most defences of this kind after they were published. A gain that these attacks leave is a gain until the next attack.</li>
<li><b>It holds for ${NORM_NAMES[norm]} changes of this size</b> and for data of this kind. The intervals cover the luck of the draw among such samples.</li>
<li><b>A detector is no wall.</b> What it lets through was tried with one attack that knows of it; others exist.</li>
</ul>
</section>`;
}
