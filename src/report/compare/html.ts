import type { Comparison } from '../../assess/compare/comparison.ts';
import { html } from '../markup.ts';
import { pageOf } from '../page.ts';
import { classesSection } from './classes.ts';
import { curvesSection } from './curves.ts';
import { factsSection, limitsSection } from './facts.ts';
import { pairsSection } from './pairs.ts';
import { COMPARISON_STYLE } from './style.ts';
import { tableSection } from './table.ts';
import { verdictSection } from './verdict.ts';
import { headlineOf } from './words.ts';

/**
 * A comparison as one HTML file that stands alone: no script, no resource from elsewhere, light and dark, fit for paper
 * and phone. Everything that comes from outside (names, notes, paths) is escaped.
 *
 * @example
 * writeFileSync('compare.html', renderComparisonHtml(await compareAssessments(['a.json', 'b.json'])));
 */
export function renderComparisonHtml(comparison: Comparison): string {
  const names = comparison.models.map(({ label, name }) => `${label} ${name}`).join(', ');
  return pageOf({
    title: `Comparison: ${names}`,
    description: headlineOf(comparison),
    header: html`<span>Comparison of <b>${comparison.models.length}</b> models${!comparison.paired && ', unpaired'}</span>`,
    main: html`${verdictSection(comparison)}
${curvesSection(comparison)}
${pairsSection(comparison)}
${tableSection(comparison)}
${classesSection(comparison)}
${factsSection(comparison)}
${limitsSection(comparison)}`,
    footer: html`Made by Glacis ${comparison.glacis} from results in the format <code>${comparison.schema}</code>. This page loads nothing and runs no script.`,
    style: COMPARISON_STYLE,
  });
}
