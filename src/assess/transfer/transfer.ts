import { type PlannedAttack, planAttack } from '../../attack/registry.ts';
import { GlacisError } from '../../core/error.ts';
import { parseSpecs, type Spec } from '../../core/options.ts';
import { type Progress, silent } from '../../core/progress.ts';
import type { Device } from '../../runtime/device.ts';
import { startEngine } from '../../runtime/engine.ts';
import type { Ball, Norm } from '../../threat/norm.ts';
import { checkPlan, defaultEps } from '../budget.ts';
import { environmentOf } from '../environment.ts';
import type { JsonValue } from '../result.ts';
import { identityOf } from '../run-identity.ts';
import { transferCheckpointIn } from './checkpoint.ts';
import { transferFindings, weakRows } from './findings.ts';
import { type CommonOptions, checkModels, closeModels, type OpenModel, openModels } from './models.ts';
import { writeTransferSamples } from './per-sample.ts';
import { TRANSFER_SCHEMA, type Transfer, type TransferModel } from './result.ts';
import { runTransfer, type TransferRecord, transferRecord } from './run.ts';
import { noiseOf, rowsOf } from './summarise.ts';

/** Ten steps with momentum: made for transfer (Dong et al. 2018). */
export const TRANSFER_ATTACK = 'mi-fgsm(steps=10)';

/** What to try on what, and where results go. The options of loading are the same for all models. */
export interface TransferOptions extends CommonOptions {
  /** Two to twelve: paths of ONNX files, addresses of endpoints, paths of adapters; one file at least. */
  readonly models: readonly string[];
  /** Makes the examples; {@link TRANSFER_ATTACK} without. It must look inside a ball. */
  readonly attack?: Spec | PlannedAttack | undefined;
  readonly norm: Norm;
  /** Radius; a default for the norm without. */
  readonly eps?: number | undefined;
  readonly seed?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** Folder for the per-sample file; it exists and can be written. */
  readonly out: string;
  /** How the result names that folder, e.g. `../glacis-out/`; empty when it lies in the folder itself. */
  readonly perSamplePrefix?: string | undefined;
  /** Goes on from what an interrupted run left in `out`. */
  readonly resume?: boolean | undefined;
  readonly progress?: Progress | undefined;
  /** The command line that gives the same result. */
  readonly command?: string | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: (() => number) | undefined;
}

const PER_SAMPLE = 'transfer.npz';
/** Milliseconds between checkpoints. */
const SAVE_AT_MOST_EVERY = 5000;

/**
 * Makes examples on each model file and puts them through every other model: who can be fooled by whose examples. Every example is
 * verified to lie in ball and bounds, and every figure comes from the deployed models. Endpoints and adapters are columns only.
 * When `signal` fires, or an endpoint goes away once a row has begun, the result is `partial` and holds what is finished, and a checkpoint stays
 * in `out`.
 * Errors: those of loading (with the model's name), `option/invalid`, `data/mismatch` where models take other shapes, `run/failed`,
 * `output/unwritable`.
 */
export async function transfer(options: TransferOptions): Promise<Transfer> {
  const clock = options.clock ?? Date.now;
  const startedAt = new Date(clock()).toISOString();
  const { norm, seed = 0, signal, say } = options;
  // Wrong attacks and models are found before any work.
  const plan = planFrom(options.attack, norm);
  checkModels(options.models, options);
  const engine = startEngine({
    ...(options.device && { device: options.device }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  let models: readonly OpenModel[] = [];
  try {
    models = await openModels(engine, options.models, options);
    const { adapted, dataset, bounds, constraint, dataNotes, labels } = models[0]!.loaded;
    for (const note of dataNotes) say?.(note);
    const said = models.flatMap(({ label, loaded }) => loaded.modelNotes.map((note) => ({ label, note })));
    for (const [note, whose] of Map.groupBy(said, (each) => each.note))
      say?.(`${whose.map(({ label }) => label).join(', ')}: ${note}`);
    const ball: Ball = { norm, eps: options.eps ?? defaultEps(norm, bounds), bounds, constraint };
    const record = transferRecord(models, ball, adapted.n);
    const checkpoint = transferCheckpointIn(options.out, {
      ...identityOf(models[0]!.loaded, [plan], [ball.eps], options),
      model: models.map(({ loaded }) => loaded.source.digest),
    });
    if (options.resume) {
      const found = await checkpoint.restore(record);
      say?.(
        found
          ? `going on from what is in ${options.out}`
          : `nothing to go on from in ${options.out}: starting anew`,
      );
    } else await checkpoint.clear();
    let savedAt = performance.now();
    const stopped = await runTransfer(models, plan, ball, record, {
      seed,
      tolerance: options.tolerance,
      signal,
      progress: options.progress ?? silent,
      async save() {
        if (performance.now() - savedAt < SAVE_AT_MOST_EVERY) return;
        await checkpoint.save(record);
        savedAt = performance.now();
      },
      now: () => performance.now(),
    });
    if (stopped === undefined) await checkpoint.clear();
    else await checkpoint.save(record);
    await writeTransferSamples(options.out, PER_SAMPLE, { indices: adapted.indices, labels }, record);
    const summaries = models.map((model, i) => summaryOf(model, record, i));
    const noise = noiseOf(record);
    const facts = {
      models: summaries,
      rows: rowsOf(record),
      ...(noise && { noise }),
      attack: { id: plan.attack.id, options: plan.options as Readonly<Record<string, JsonValue>> },
      norm,
      eps: ball.eps,
    };
    return {
      schema: TRANSFER_SCHEMA,
      status: stopped === undefined ? 'complete' : 'partial',
      ...(stopped !== undefined && { statusReason: stopped }),
      ...facts,
      data: {
        digest: adapted.digest,
        n: adapted.n,
        description: dataset.describe,
        notes: dataNotes,
        ...(adapted.classes && { classNames: adapted.classes }),
      },
      seed,
      environment: environmentOf(engine),
      ...(options.command !== undefined && { command: options.command }),
      startedAt,
      finishedAt: new Date(clock()).toISOString(),
      perSample: (options.perSamplePrefix ?? '') + PER_SAMPLE,
      findings: transferFindings(facts, plan, record),
      notes: [...notesOn(models, record), ...weakRows(facts)],
    };
  } finally {
    await closeModels(models);
    await engine.close();
  }
}

/** The attack, planned. Errors: `option/unknown`, `option/invalid`. */
function planFrom(attack: TransferOptions['attack'], norm: Norm): PlannedAttack {
  const wanted = attack ?? parseSpecs(TRANSFER_ATTACK)[0]!;
  const plan = 'attack' in wanted ? wanted : planAttack(wanted);
  checkPlan(plan, norm);
  if (plan.attack.id === 'transfer')
    throw new GlacisError(
      'option/invalid',
      '--attack: expected one that makes examples on its own model, got transfer, which takes another attack for that; name that one',
    );
  if (plan.attack.seeks !== 'ball')
    throw new GlacisError(
      'option/invalid',
      `--attack: expected one that looks for an example within eps, got ${plan.attack.id}; ${plan.attack.seeks === 'minimum' ? 'nearest examples lie on the boundary of their own model and say little about others' : 'it has a threat of its own'}`,
    );
  return plan;
}

function summaryOf({ label, name, isEndpoint, loaded }: OpenModel, record: TransferRecord, i: number) {
  const right = record.right[i]!.subarray(0, record.cleanDone);
  return {
    label,
    name,
    digest: loaded.source.digest,
    access: isEndpoint ? 'endpoint' : 'file',
    inputs: loaded.source.inputs,
    outputs: loaded.source.outputs,
    n: record.cleanDone,
    right: right.reduce((sum, one) => sum + one, 0),
    notes: loaded.modelNotes,
  } satisfies TransferModel;
}

/** What is particular about models and rows. */
function notesOn(models: readonly OpenModel[], { rows }: TransferRecord): readonly string[] {
  const [first, ...others] = models;
  const { classes } = first!.loaded.subject;
  return [
    ...others
      .filter(({ loaded }) => loaded.subject.classes !== classes)
      .map(
        ({ label, loaded }) =>
          `${label} gives ${loaded.subject.classes} outputs and ${first!.label} ${classes}: labels must mean the same to both.`,
      ),
    ...models.flatMap(({ label, loaded }, i) => {
      const twin = models.slice(0, i).find((each) => each.loaded.source.digest === loaded.source.digest);
      return twin ? [`${twin.label} and ${label} are the same model.`] : [];
    }),
    ...models
      .filter(({ loaded }) => loaded.randomised)
      .map(({ label }) => `${label} answers differently each time: its figures are those of one run.`),
    ...rows.flatMap(({ model, impossible, done }) => {
      const { label, loaded } = models[model]!;
      const { n } = loaded.adapted;
      if (impossible !== undefined)
        return [`No examples were made on ${label}: ${impossible.replace(/\s+/g, ' ')}`];
      return done > 0 && done < n ? [`${label} was stopped early: the first ${done} of ${n} samples.`] : [];
    }),
  ];
}
