import type { Transfer } from '../../assess/transfer/result.ts';
import { digest, group, machine, notes, reproduction, tensor } from '../facts-section.ts';
import { count, duration, moment, NORM_NAMES, optionList, radius } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** What ran: models, data, attack, machine, and how to run it again. */
export function factsSection(transfer: Transfer): Markup {
  const { models, rows, data, attack, norm, eps, seed, environment, startedAt, finishedAt, status } =
    transfer;
  const seconds = Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  const passes = rows.reduce((sum, each) => sum + each.queries + each.gradientQueries, 0);
  const refused = rows.reduce((sum, each) => sum + each.refused, 0);
  return html`<section>
<h2>What ran</h2>
<div class="facts">
${models.map((model) =>
  group(`${model.label} ${model.name}`, [
    ['digest', digest(model.digest)],
    ['inputs', model.inputs.map(tensor)],
    ['outputs', model.outputs.map(tensor)],
    ['right', `${count(model.right)} of ${count(model.n)}`],
    ['notes', notes(model.notes)],
  ]),
)}
${group('Data', [
  ['what', data.description],
  ['samples', count(data.n)],
  ['digest', digest(data.digest)],
  ['notes', notes(data.notes)],
])}
${group('Run', [
  ['attack', `${attack.id}(${optionList(attack.options)})`],
  ['budget', `${NORM_NAMES[norm]} ${radius(eps)}`],
  ['seed', String(seed)],
  ['started', moment(startedAt)],
  ['took', `${duration(seconds)}, ${count(passes)} passes for making examples`],
  ['refused', refused > 0 ? `${count(refused)} examples broke the threat model` : ''],
  ['status', status],
])}
${machine(environment)}
</div>
${reproduction(transfer.command)}
<p class="muted small">The outcome of every sample is in <code>${transfer.perSample}</code>.</p>
</section>`;
}

/** The limits of what the figures say. */
export function limitsSection({ attack, norm }: Transfer): Markup {
  return html`<section class="limits">
<h2>What this does not say</h2>
<ul>
<li><b>A small figure is no protection.</b> It says that examples of ${attack.id}, made on these models, seldom cross over. Attacks made for transfer, several models at once or a model trained on the target’s own answers may do more.</li>
<li><b>A large figure needs no second look:</b> the example exists, and the model got it wrong.</li>
<li><b>Compare along a column.</b> A column asks whose examples fool one model. A row mixes how strong the attack was on its own model with how frail the others are; a robust model in a row makes weak or strong examples for its own reasons.</li>
<li><b>It holds for ${NORM_NAMES[norm]} changes of this size and for this data.</b> The intervals cover the luck of the draw among samples of the same kind.</li>
</ul>
</section>`;
}
