import type { CorruptionExamples } from '../assess/corruption/examples.ts';
import type { Assessment } from '../assess/result.ts';
import { attackSection } from './attack-table.ts';
import { confusionSection } from './confusion.ts';
import { corruptionSection } from './corruption-section.ts';
import { CORRUPTION_STYLE } from './corruption-style.ts';
import { chartSection } from './eps-chart.ts';
import { factsSection, limitsSection } from './facts-section.ts';
import { findingsSection } from './findings-section.ts';
import { moment } from './format.ts';
import type { Gallery } from './gallery.ts';
import { gallerySection } from './gallery-section.ts';
import { generalisationSection } from './generalisation-section.ts';
import { html } from './markup.ts';
import { nearestSection } from './nearest-section.ts';
import { pageOf } from './page.ts';
import { reliabilitySection } from './reliability-section.ts';
import { RELIABILITY_STYLE } from './reliability-style.ts';
import { verdictOf } from './verdict.ts';
import { verdictSection } from './verdict-section.ts';

/**
 * An assessment as one HTML file that stands alone: no script, no resource from elsewhere, light and dark, fit for
 * paper and phone. Everything that comes from outside (names, notes, options) is escaped.
 *
 * @param gallery attacked samples to show; left out without
 * @param corrupted a sample under all corruptions
 * @throws GlacisError `data/mismatch` when the gallery's sizes do not fit
 * @example
 * writeFileSync('report.html', renderHtml(parseAssessment(text), gallery));
 */
export function renderHtml(
  assessment: Assessment,
  gallery?: Gallery,
  corrupted?: CorruptionExamples,
): string {
  const { model, data, startedAt } = assessment;
  const names = gallery?.classNames ?? data.classNames;
  const named = gallery && names ? { ...gallery, classNames: names } : gallery;
  return pageOf({
    title: `${model.name}: robustness report`,
    description: verdictOf(assessment).headline,
    header: html`<span>Robustness of <b>${model.name}</b></span><span>${moment(startedAt)}</span>`,
    main: html`${verdictSection(assessment, named)}
${gallerySection(named)}
${chartSection(assessment)}
${nearestSection(assessment)}
${findingsSection(assessment)}
${reliabilitySection(assessment.reliability)}
${attackSection(assessment)}
${confusionSection(assessment, names)}
${corruptionSection(assessment.corruption, corrupted)}
${generalisationSection(assessment.generalisation)}
${factsSection(assessment)}
${limitsSection(assessment)}`,
    style: `${assessment.reliability ? RELIABILITY_STYLE : ''}${assessment.corruption ? CORRUPTION_STYLE : ''}`,
    footer: html`Made by Glacis ${assessment.environment.glacis} from a result in the format <code>${assessment.schema}</code>. This page loads nothing and runs no script.`,
  });
}
