import type { Transfer } from '../../assess/transfer/result.ts';
import { findingsSection } from '../findings-section.ts';
import { moment } from '../format.ts';
import { html } from '../markup.ts';
import { pageOf } from '../page.ts';
import { factsSection, limitsSection } from './facts.ts';
import { matrixSection } from './matrix.ts';
import { TRANSFER_STYLE } from './style.ts';
import { verdictSection } from './verdict.ts';
import { headlineOf } from './words.ts';

/**
 * A transfer matrix as one HTML file that stands alone: no script, no resource from elsewhere, light and dark, fit for paper and phone.
 * Everything that comes from outside (names, notes, options) is escaped.
 *
 * @example
 * writeFileSync('transfer.html', renderTransferHtml(parseTransfer(text)));
 */
export function renderTransferHtml(transfer: Transfer): string {
  const { models, environment, schema, startedAt } = transfer;
  return pageOf({
    title: `Transfer: ${models.map(({ label, name }) => `${label} ${name}`).join(', ')}`,
    description: headlineOf(transfer),
    header: html`<span>Transfer between <b>${models.length}</b> models</span><span>${moment(startedAt)}</span>`,
    main: html`${verdictSection(transfer)}
${matrixSection(transfer)}
${findingsSection(transfer)}
${factsSection(transfer)}
${limitsSection(transfer)}`,
    footer: html`Made by Glacis ${environment.glacis} from a result in the format <code>${schema}</code>. This page loads nothing and runs no script.`,
    style: TRANSFER_STYLE,
  });
}
