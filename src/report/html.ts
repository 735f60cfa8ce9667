import { createHash } from 'node:crypto';
import type { Assessment } from '../assess/result.ts';
import { attackSection } from './attack-table.ts';
import { confusionSection } from './confusion.ts';
import { chartSection } from './eps-chart.ts';
import { factsSection, limitsSection } from './facts-section.ts';
import { findingsSection } from './findings-section.ts';
import { moment } from './format.ts';
import type { Gallery } from './gallery.ts';
import { gallerySection } from './gallery-section.ts';
import { html, source } from './markup.ts';
import { STYLE } from './style.ts';
import { verdictOf } from './verdict.ts';
import { verdictSection } from './verdict-section.ts';

/**
 * Nothing may be loaded, run or sent: pictures come as `data:` only, and the one style sheet is named by its hash, so
 * that neither a `<script>` nor a `style` that slipped in would have any effect.
 */
const POLICY = `default-src 'none'; img-src data:; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/**
 * An assessment as one HTML file that stands alone: no script, no resource from elsewhere, light and dark, fit for
 * paper and phone. Everything that comes from outside (names, notes, options) is escaped.
 *
 * @param gallery attacked samples to show; left out without
 * @throws GlacisError `data/mismatch` when the gallery's sizes do not fit
 * @example
 * writeFileSync('report.html', renderHtml(parseAssessment(text), gallery));
 */
export function renderHtml(assessment: Assessment, gallery?: Gallery): string {
  const { model, data, startedAt } = assessment;
  const names = gallery?.classNames ?? data.classNames;
  const named = gallery && names ? { ...gallery, classNames: names } : gallery;
  // STYLE is ours alone; it is set in after the rest so that the template's escaping never touches its bytes.
  const [head, tail] = source(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="description" content="${verdictOf(assessment).headline}">
<title>${model.name}: robustness report</title>
<style>STYLE</style>
</head>
<body>
<header><span class="brand"><svg viewBox="0 0 26 26" aria-hidden="true"><path class="hill" d="M1 23 L17 8 H25 V23 Z"/><path class="view" d="M2 15 L11 6.5"/></svg>Glacis</span><span>Robustness of <b>${model.name}</b></span><span>${moment(startedAt)}</span></header>
<main>
${verdictSection(assessment, named)}
${gallerySection(named)}
${chartSection(assessment)}
${findingsSection(assessment)}
${attackSection(assessment)}
${confusionSection(assessment, names)}
${factsSection(assessment)}
${limitsSection(assessment)}
</main>
<footer>Made by Glacis ${assessment.environment.glacis} from a result in the format <code>${assessment.schema}</code>. This page loads nothing and runs no script.</footer>
</body>
</html>
`).split('<style>STYLE</style>', 2) as [string, string];
  return `${head}<style>${STYLE}</style>${tail}`;
}
