import type { MonitorState } from '../../monitor/monitor.ts';
import type { PastAnalysis } from '../../monitor/past/analyse-past.ts';
import { count, moment } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { pageOf } from '../page.ts';
import { blindOf, callersOf, headlineOf, labelsOf } from './words.ts';

/** Alarms and principals of one that are shown. */
const SHOWN = 200;
const PRINCIPALS = 8;

const STYLE = `
.score{width:100%;height:64px;display:block}
.score path{fill:none;stroke:currentColor;stroke-width:1.5;vector-effect:non-scaling-stroke}
.score line{stroke:currentColor;stroke-dasharray:4 3;opacity:.5;vector-effect:non-scaling-stroke}
.who{overflow-wrap:anywhere}
`;

/**
 * What monitors found in past decisions as one HTML file that stands alone: no script, no resource from elsewhere, light and dark, fit for paper and phone. Everything that
 * callers chose is escaped.
 */
export function renderMonitorHtml(analysis: PastAnalysis): string {
  const { alarms, counts, decisions, skipped, states, models, first, last, schema } = analysis;
  const blind = blindOf(analysis);
  return pageOf({
    title: `Monitors: ${models.map(({ model }) => model).join(', ')}`,
    description: headlineOf(analysis),
    header: html`<span>Past decisions of <b>${models.map(({ model }) => model).join(', ')}</b></span><span>${first === undefined ? '' : `${timeOf(first)} – ${timeOf(last!)}`}</span>`,
    main: html`<section><h1>${headlineOf(analysis)}</h1>
<p>${count(decisions)} decisions were looked at${skipped > 0 && `; ${count(skipped)} lines were no decision, or of another model`}.</p>${[...callersOf(analysis), ...labelsOf(analysis)].map((each) => html`<p>${each}</p>`)}
${
  counts.length > 0 &&
  html`<table><thead><tr><th>Monitor</th><th>Kind</th><th>Severity</th><th>Alarms</th></tr></thead><tbody>${counts.map(
    (each) =>
      html`<tr><td>${each.monitor}</td><td>${each.kind}</td><td>${each.severity}</td><td>${count(each.count)}</td></tr>`,
  )}</tbody></table>`
}</section>
${
  alarms.length > 0 &&
  html`<section><h2>Alarms</h2><p>The gravest first, then the latest.</p>${alarms.slice(0, SHOWN).map(
    (alarm) => html`<details><summary>${timeOf(alarm.at)} · ${alarm.severity} · ${alarm.title}</summary>
<p>${alarm.why}</p>
<p class="who">${alarm.principals.length > 0 && html`Principals: ${alarm.principals.slice(0, PRINCIPALS).join(', ')}${alarm.principals.length > PRINCIPALS && ` and ${alarm.principals.length - PRINCIPALS} more`}. `}Queries: ${count(alarm.queries)}.${alarm.atlas.length > 0 && ` MITRE ATLAS: ${alarm.atlas.join(', ')}.`}</p></details>`,
  )}</section>`
}
<section><h2>Scores over time</h2>${states.filter(({ series }) => series.length > 1).map(scoreSection)}</section>
${blind.length > 0 && html`<section><h2>Not watched</h2><ul>${blind.map((each) => html`<li>${each}</li>`)}</ul></section>`}`,
    footer: html`Made by Glacis from a result in the format <code>${schema}</code>. This page loads nothing and runs no script.`,
    style: STYLE,
  });
}

function scoreSection({ monitor, model, series, threshold }: MonitorState): Markup {
  const [from, to] = [series[0]![0], series.at(-1)![0]];
  const most = Math.max(threshold ?? 0, ...series.map(([, score]) => score), 1e-9);
  const [width, height] = [600, 64];
  const y = (score: number) => (height - (height - 2) * Math.min(1, score / most)).toFixed(1);
  const path = series
    .map(
      ([at, score], i) =>
        `${i === 0 ? 'M' : 'L'}${((width * (at - from)) / Math.max(1, to - from)).toFixed(1)} ${y(score)}`,
    )
    .join('');
  return html`<h3>${monitor} of ${model}</h3><svg class="score" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="Score of ${monitor} over time, at most ${most.toPrecision(3)}">${
    threshold !== undefined && html`<line x1="0" x2="${width}" y1="${y(threshold)}" y2="${y(threshold)}"/>`
  }<path d="${path}"/></svg><p>At most ${most.toPrecision(3)}${threshold !== undefined && `; an alarm begins at ${threshold.toPrecision(3)} (dashed)`}.</p>`;
}

function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : moment(date.toISOString());
}
