import type { FoolRate, Transfer, TransferCell, TransferModel } from '../../assess/transfer/result.ts';
import { count, interval, percent } from '../format.ts';
import { heatClass } from '../heat-style.ts';
import { html, type Markup, type Slot } from '../markup.ts';

/** More models than this get narrow columns, named by their letters only. */
const ROOMY = 6;

/** Both heat maps: of all samples, and of the examples that fool the model that they were made on. */
export function matrixSection(transfer: Transfer): Markup | null {
  const { models, rows, noise } = transfer;
  if (rows.length === 0) return null;
  return html`<section>
<h2>Whose examples fool whom</h2>
<p class="lead">Share of the samples that both models get right whose example the column’s model gets wrong, with the exact 95&nbsp;% interval. The row “at random” is a change of the same size that knows no model: what it takes is frailty and no transfer.</p>
${table(models, 'Examples made on each model, tried on every model', [
  ...rows.map(({ model, cells }) => line(models, model, cells, whole)),
  noise &&
    html`<tr><th scope="row">at random</th>${noise.map((each, i) => cellOf(whole(each), `a change at random, tried on ${models[i]!.label}`))}</tr>`,
  html`<tr><th scope="row">clean, right</th>${models.map(({ n, right }) => html`<td class="clean">${n > 0 ? percent(right / n) : '–'}</td>`)}</tr>`,
])}
<p class="legend"><span class="entry"><span class="key outline"></span>the attack on the model that the examples were made on</span></p>
<h3>Of the examples that fool their own model</h3>
<p class="lead">What an attacker sees who tries an example at home first and sends only what works there.</p>
${table(
  models,
  'Examples that fool their own model, tried on every model',
  rows.map(({ model, cells }) => line(models, model, cells, fooling)),
)}
</section>`;
}

function table(models: readonly TransferModel[], label: string, lines: readonly Slot[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="heat matrix ${models.length > ROOMY && 'many'}">
<thead><tr><th>made on ↓ tried on →</th>${models.map(({ label: letter, name }) => html`<th class="num" scope="col"><span class="letter">${letter}</span><span class="model-name">${name}</span></th>`)}</tr></thead>
<tbody>${lines}</tbody>
</table></div>`;
}

function line(
  models: readonly TransferModel[],
  model: number,
  cells: readonly TransferCell[],
  show: (cell: TransferCell) => Shown,
): Markup {
  const { label, name } = models[model]!;
  return html`<tr><th scope="row"><span class="letter">${label}</span><span class="model-name">${name}</span></th>${cells.map(
    (cell, column) =>
      cellOf(show(cell), `made on ${label}, tried on ${models[column]!.label}`, column === model && 'own'),
  )}</tr>`;
}

/** What a cell shows. */
interface Shown {
  readonly share: number | null;
  readonly below: string;
  readonly said: string;
}

function cellOf({ share, below, said }: Shown, what: string, own: Slot = false): Markup {
  return share === null
    ? html`<td class="${own}" title="${what}: ${said}">–</td>`
    : html`<td class="${heatClass(share)} ${own}" title="${what}: ${said}">${percent(share)}<span class="below">${below}</span></td>`;
}

function whole({ n, fooled, rate, confidence }: FoolRate): Shown {
  return { share: rate, below: interval(confidence), said: `${count(fooled)} of ${count(n)}` };
}

function fooling({ fooledOwn, fooledBoth }: TransferCell): Shown {
  const said = `${count(fooledBoth)} of ${count(fooledOwn)}`;
  return { share: fooledOwn > 0 ? fooledBoth / fooledOwn : null, below: said, said };
}
