import type { DataRecord, RecordedEpoch, TrainingRecord } from '../../train/record.ts';
import { digest, group, machine, notes, reproduction } from '../facts-section.ts';
import { count, duration, moment, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { pageOf } from '../page.ts';
import { curvesSection } from './curves.ts';
import { privacySection } from './privacy.ts';
import { TRAINING_STYLE } from './style.ts';

/**
 * A training record as one HTML file that stands alone: learning curves, settings, data, machine. No script, no resource from elsewhere, light
 * and dark, fit for paper and phone. Everything that comes from outside (names, notes, options) is escaped.
 *
 * @example
 * writeFileSync('training.html', renderTrainingHtml(JSON.parse(readFileSync('model.training.json', 'utf8'))));
 */
export function renderTrainingHtml(record: TrainingRecord): string {
  const { model, environment, schema, startedAt } = record;
  return pageOf({
    title: `${model.name}: training report`,
    description: headline(record),
    header: html`<span>Training of <b>${model.name}</b></span><span>${moment(startedAt)}</span>`,
    main: html`${verdict(record)}
${privacySection(record)}
${curvesSection(record)}
${settings(record)}
${facts(record)}
${limits(record)}`,
    footer: html`Made by Glacis ${environment.glacis} from a record in the format <code>${schema}</code>. This page loads nothing and runs no script.`,
    style: TRAINING_STYLE,
  });
}

/** The epoch whose weights the file has. */
function keptEpoch({ epochs, outcome }: TrainingRecord): RecordedEpoch {
  return epochs[outcome.epoch]!;
}

function headline(record: TrainingRecord): string {
  const { validation: seen, accuracy, robust, loss } = keptEpoch(record);
  const [right, stood] = seen ? [seen.accuracy, seen.robust] : [accuracy, robust];
  const where = seen ? 'samples that it did not learn from' : 'the samples that it learned from';
  if (right === undefined && stood === undefined && loss === undefined)
    return 'Trained privately: figures on the private samples are not part of this record.';
  if (right === undefined && stood === undefined)
    return `The loss on ${where} came to ${Number((seen?.loss ?? loss!).toPrecision(3))}.`;
  const first = right === undefined ? '' : `${percent(right)} right`;
  const second = stood === undefined ? '' : `${percent(stood)} under attack`;
  return `${[first, second].filter((part) => part !== '').join(' and ')} on ${where}.`;
}

function verdict(record: TrainingRecord): Markup {
  const { epochs, outcome, model, data, validation, config } = record;
  const seconds = epochs.reduce((sum, each) => sum + (each.seconds ?? 0), 0);
  const planned = Number(config.epochs);
  return html`<section class="verdict">
<h1>${headline(record)}</h1>
<p class="story">${count(model.parameters)} weights, learned from ${count(data.n)} samples in ${epochs.length} ${epochs.length === 1 ? 'epoch' : 'epochs'}${seconds > 0 && ` and ${duration(seconds)}`}. The file has the weights after epoch ${outcome.epoch + 1}.${validation === undefined && ' Nothing was held back to measure on: these figures say how well the data were learned, not how well the model will do.'}</p>
${outcome.stopped !== null && html`<p class="partial"><b>Stopped early</b> after ${epochs.length} of ${planned} epochs: ${outcome.stopped}.</p>`}
${outcome.fellBack !== null && html`<p class="partial"><b>Catastrophic overfitting</b> after epoch ${outcome.fellBack}: accuracy under PGD collapsed while that under a single step did not. Training went back to its best epoch and on with PGD.</p>`}
</section>`;
}

function settings({ config, start }: TrainingRecord): Markup {
  const rows = [
    [
      'network',
      'recipe' in start ? start.recipe : `${start.file}${start.reinitialised ? ', weights drawn anew' : ''}`,
    ],
    ...Object.entries(config).flatMap(([key, value]) =>
      value === null || (Array.isArray(value) && value.length === 0) ? [] : [[key, written(value)]],
    ),
  ];
  return html`<section><h2>Settings</h2><div class="scroll"><table class="settings"><tbody>${rows.map(([key, value]) => html`<tr><td>${key}</td><td>${value}</td></tr>`)}</tbody></table></div></section>`;
}

/** A setting as one would write it: `cosine(peak=0.002, warmUp=0.05)`. */
function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(', ');
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  if (typeof value !== 'object' || value === null) return String(value);
  const { name, ...rest } = value as Readonly<Record<string, unknown>>;
  const options = Object.entries(rest).map(([key, each]) => `${key}=${written(each)}`);
  return options.length === 0 ? String(name) : `${name ?? ''}(${options.join(', ')})`;
}

function facts(record: TrainingRecord): Markup {
  const { model, data, validation, environment, config, startedAt, finishedAt, command } = record;
  const of = ({ source, description, n, digest: text, notes: all }: DataRecord) =>
    [
      ['source', source],
      ['what', description],
      ['samples', count(n)],
      ['digest', text === null ? 'withheld' : digest(text)],
      ['notes', notes(all)],
    ] as const;
  return html`<section>
<h2>What ran</h2>
<div class="facts">
${group('Model', [
  ['name', model.name],
  ['digest', digest(model.digest)],
  ['weights', count(model.parameters)],
  ['started as', digest(record.start.modelDigest)],
])}
${group('Training data', of(data))}
${validation && group('Validation data', [...(validation.share === undefined ? [] : [['share', `${percent(validation.share)} of the training data, held back`] as const]), ...of(validation)])}
${group('Run', [
  ['seed', record.privacy ? 'a secret key, erased at the end' : String(config.seed)],
  ['started', moment(startedAt)],
  ['finished', moment(finishedAt)],
])}
${machine(environment)}
</div>
${record.privacy ? reproduction(command ?? undefined, 'Noise and samples of the steps are drawn by a secret key: another run gives another model with the same promise, and spends as much again.') : reproduction(command ?? undefined)}
</section>`;
}

function limits({ config }: TrainingRecord): Markup {
  const isAttacked = config.validationThreat !== null;
  return html`<section class="limits">
<h2>What this does not say</h2>
<ul>
<li><b>Validation samples chose nothing only if nothing was chosen by them.</b> With early stopping or the best epoch kept, their figures are a little too good; measure on a third set.</li>
${isAttacked ? html`<li><b>The attack in training is a weak one:</b> a few steps from one start. <code>glacis assess</code> tries many and stronger ones on the file itself; its figure counts.</li>` : html`<li><b>Nothing attacked this model in training.</b> Expect that small changes fool it; <code>glacis assess</code> shows how small.</li>`}
<li><b>It holds for data like these.</b> Other cameras, places or times are other data.</li>
</ul>
</section>`;
}
