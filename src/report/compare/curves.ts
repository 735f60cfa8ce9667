import type { Comparison } from '../../assess/compare/comparison.ts';
import { type ChartFrame, type ChartLine, epsChart, NARROW, WIDE } from '../eps-chart.ts';
import { html, type Markup } from '../markup.ts';
import { modelList } from './models.ts';
import { budgetRows } from './words.ts';

/** Lines are named by one letter, which needs little room. */
const FRAMES = { wide: { ...WIDE, right: 44 }, narrow: { ...NARROW, right: 34 } } satisfies Record<
  string,
  ChartFrame
>;

/** The security curves of all models, laid over each other; one chart for each norm. */
export function curvesSection(comparison: Comparison): Markup | null {
  const rows = budgetRows(comparison);
  if (rows.length === 0) return null;
  return html`<section>
<h2>How accuracy falls as the attacker gets more room</h2>
<p class="lead">Share of answers that stay right, one line for each model. Where several attacks ran, an answer counts only if it survived all that every model was assessed with. Marks are measured; the lines between them only lead the eye. Bars: 95&nbsp;% confidence.</p>
${modelList(comparison)}
${[...new Set(rows.map(({ norm }) => norm!))].map((norm) => {
  const lines = curves(comparison, norm);
  return html`<figure class="plot"><div class="wide">${epsChart(lines, norm, FRAMES.wide)}</div><div class="narrow">${epsChart(lines, norm, FRAMES.narrow)}</div></figure>`;
})}
</section>`;
}

/** The lines for one norm, in the order of the models. */
export function curves(
  comparison: Comparison,
  norm: ReturnType<typeof budgetRows>[number]['norm'],
): readonly ChartLine[] {
  const rows = budgetRows(comparison)
    .filter((row) => row.norm === norm)
    .sort((a, b) => (a.eps ?? 0) - (b.eps ?? 0));
  const clean = comparison.rows.find(({ kind }) => kind === 'clean');
  return comparison.models.map(({ label }, i) => ({
    label,
    worst: false,
    clean: clean?.rates[i]?.accuracy ?? 1,
    points: rows.map(({ eps, rates }) => {
      const { accuracy, confidence } = rates[i]!;
      return { eps: eps ?? 0, value: accuracy, low: confidence[0], high: confidence[1] };
    }),
  }));
}
