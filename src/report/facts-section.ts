import type { Assessment, Environment, TensorSummary } from '../assess/result.ts';
import { towardsInWords } from '../assess/towards.ts';
import { count, counted, duration, moment, NORM_NAMES } from './format.ts';
import { html, type Markup, type Slot } from './markup.ts';

/** What ran: model, data, machine, seed, and how to run it again. */
export function factsSection(assessment: Assessment): Markup {
  const { model, data, environment: env, seed, results, startedAt, finishedAt } = assessment;
  const seconds = Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  const queries = results.reduce((sum, each) => sum + each.queries + (each.gradientQueries ?? 0), 0);
  const files = [...new Set(results.map((each) => each.perSample).filter((each) => each !== ''))];
  return html`<section>
<h2>What ran</h2>
<div class="facts">
${group('Model', [
  ['name', model.name],
  ['digest', digest(model.digest)],
  ['inputs', model.inputs.map(tensor)],
  ['outputs', model.outputs.map(tensor)],
  ['notes', notes(model.notes)],
])}
${group('Data', [
  ['what', data.description],
  ['samples', count(data.n)],
  ['digest', digest(data.digest)],
  ['notes', notes(data.notes)],
])}
${group('Run', [
  ['seed', String(seed)],
  ['goal', assessment.towards ? `leading to ${towardsInWords(assessment.towards.choice)}` : ''],
  ['started', moment(startedAt)],
  ['took', `${duration(seconds)}, ${counted(queries, 'pass')}`.replace('passs', 'passes')],
  ['status', assessment.status],
])}
${machine(env)}
</div>
${reproduction(assessment.command)}
${files.length > 0 && html`<details><summary>The outcome of every sample is in ${counted(files.length, 'file')} beside this report</summary><ul class="files">${files.map((file) => html`<li><code>${file}</code></li>`)}</ul></details>`}
</section>`;
}

/** What it ran on. */
export function machine(env: Environment): Markup {
  return group('Machine', [
    ['device', `${env.device}, ${counted(env.threads, 'thread')}`],
    ['processor', env.cpu],
    ['system', env.os],
    ['versions', `Glacis ${env.glacis}, ONNX Runtime ${env.onnxruntime}, Node ${env.node}`],
  ]);
}

/** How to run it again, and what is the same then. */
export function reproduction(
  command: string | undefined,
  same = 'The same model and data (compare the digests), seed, versions, machine and thread count give the same figures.',
): Markup {
  return html`<h3>How to reproduce</h3>
${
  command
    ? html`<pre><code>${unbroken(command)}</code></pre><p class="muted">${same}</p>`
    : html`<p>The command line was not recorded. The seed, the options of every attack and the digests above say all that a repetition needs.</p>`
}`;
}

/** Facts under a heading; empty ones are left out. */
export function group(title: string, rows: readonly (readonly [string, Slot])[]): Markup {
  return html`<div class="fact"><h3>${title}</h3><dl>${rows.map(([key, value]) => value !== null && value !== '' && html`<div><dt>${key}</dt><dd>${value}</dd></div>`)}</dl></div>`;
}

/** A command line whose lines break between words and never inside `--option`. */
function unbroken(command: string): readonly Slot[] {
  return command
    .split(/(--[\w-]+)/)
    .map((part, i) => (i % 2 === 1 ? html`<span class="option">${part}</span>` : part));
}

/** A digest, which may break anywhere. */
export function digest(text: string): Markup {
  return html`<code class="digest">${text}</code>`;
}

/** An input or output. */
export function tensor({ name, type, shape }: TensorSummary): Markup {
  return html`<span class="tensor"><code>${name}</code> ${type} [${shape.join(', ')}]</span>`;
}

/** Notes, one a line. */
export function notes(all: readonly string[]): Slot {
  return all.length === 0 ? null : all.map((note) => html`<span class="tensor">${note}</span>`);
}

/** The limits of what the figures say, for this assessment's own attacks and budgets. */
export function limitsSection({ results, towards }: Assessment): Markup {
  const attacks = [...new Set(results.map((each) => each.attack))];
  const norms = [...new Set(results.map((each) => NORM_NAMES[each.norm]))];
  return html`<section class="limits">
<h2>What this does not say</h2>
<ul>
<li><b>Robust accuracy is an upper bound, found by trying.</b> It says that ${attacks.length === 0 ? 'no attack was tried' : `${attacks.join(', ')} did not change the answers that stayed right`}, not that no attack can. A stronger or adapted attack may find less; only a certificate (<code>glacis certify</code>) gives a lower bound.</li>
${towards && html`<li><b>It is about one wrong answer only.</b> Attacks led to ${towardsInWords(towards.choice)}; an attacker who is content with any wrong answer succeeds more often. Signs of a masked gradient are looked for in the model alone: what attacks with and without gradients find is compared where they lead away from the label.</li>`}
<li><b>It holds for this threat only:</b> ${norms.length === 0 ? 'none' : norms.join(', ')} changes of the stated size. Rotations, patches, weather, other sensors, stolen training data, back doors and poisoned updates are other questions.</li>
<li><b>It holds for this data.</b> The confidence interval covers the luck of the draw among samples of the same kind, not a shift to another kind.</li>
<li><b>It holds for the bytes with the digest above.</b> After retraining, quantising or converting, the model has to be assessed again.</li>
</ul>
</section>`;
}
