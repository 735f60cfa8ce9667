import { planAttack } from '../attack/registry.ts';
import { throwIfCancelled } from '../core/cancel.ts';
import type { Spec } from '../core/options.ts';
import { type Progress, silent } from '../core/progress.ts';
import { writeNpz } from '../data/index.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Device } from '../runtime/device.ts';
import { startEngine } from '../runtime/engine.ts';
import { checkClean } from '../threat/constraint/clean-samples.ts';
import { classificationGoal } from '../threat/goal.ts';
import { imageDimsOf } from '../threat/image-dims.ts';
import type { Norm } from '../threat/norm.ts';
import { checkAccess, checkPlan, checkSurrogate, defaultEps } from './budget.ts';
import { runAttack } from './evasion.ts';
import { goalFor } from './goal-for.ts';
import { type Loaded, type LoadOptions, load } from './load.ts';
import type { ResultNorm, TowardsSummary } from './result.ts';
import { judge } from './subject.ts';
import { checkTowards, NO_TARGET, type Towards, targetsOf } from './towards.ts';

/** One attack, and where its examples go. */
export interface AttackExamplesOptions extends LoadOptions {
  readonly attack: Spec;
  readonly norm: Norm;
  /** Radius; a default for the norm without. */
  readonly eps?: number | undefined;
  /** Leads samples to a class instead of away from their label. */
  readonly towards?: Towards | undefined;
  readonly seed?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** The `.npz` to write. */
  readonly out: string;
  /** Receives what all examples share, where they share something. */
  readonly shared?: ((shared: SharedValues) => void) | undefined;
  readonly progress?: Progress | undefined;
}

/** What all examples of a run share, e.g. a patch. */
export interface SharedValues {
  readonly values: Float32Array;
  readonly dims: readonly number[];
  /** Range of the values. */
  readonly bounds: readonly [number, number];
}

/** What an attack did, over the samples that were attacked. */
export interface AttackSummary {
  readonly schema: 'glacis.attack/1';
  readonly status: 'complete' | 'partial';
  readonly attack: string;
  readonly options: object;
  /** What the change is measured in, and how large it may be; of a threat of its own that threat and its size. */
  readonly norm: ResultNorm;
  readonly eps: number;
  readonly seed: number;
  /** Where samples were led, how many could be, and how many were; right answers that became another one do not count. */
  readonly towards?: TowardsSummary & { readonly led: number };
  readonly n: number;
  readonly cleanAccuracy: number;
  readonly robustAccuracy: number;
  readonly queries: number;
  readonly gradientQueries: number;
  readonly seconds: number;
  /** Examples that verification refused. */
  readonly refused: number;
  readonly model: { readonly digest: string };
  readonly data: { readonly digest: string; readonly notes: readonly string[] };
  readonly examples: string;
}

/**
 * Runs one attack, verifies its examples on the deployed file and writes them as `.npz`: `x` (adversarial) and `original`
 * `[n, …]`, `y`, `prediction`, `success`, `queries` (about the sample until it was decided), `index` (number in the data); of a targeted attack also `target` (−1 where it has none), of an attack with a threat of its own also `parameters`, of
 * one whose examples share something that too, e.g. `patch`. All samples are held in memory.
 * An interrupted run writes what is decided and says `partial`. Errors: as `assess`.
 */
export async function attackExamples(options: AttackExamplesOptions): Promise<AttackSummary> {
  const plan = planAttack(options.attack);
  checkPlan(plan, options.norm);
  checkSurrogate([plan], options.surrogate);
  const { seed = 0, norm, signal } = options;
  const engine = startEngine({
    ...(options.device && { device: options.device }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  let loaded: Loaded | undefined;
  try {
    loaded = await load(engine, options);
    const { subject, adapted, labels, task, batch, bounds, constraint } = loaded;
    checkAccess(plan, subject);
    if (options.towards !== undefined) checkTowards(options.towards, task, subject.classes);
    const { threat } = plan.attack;
    const eps = threat ? 0 : (options.eps ?? defaultEps(norm, bounds));
    const { x, indices } = await adapted.read(0, adapted.n, signal);
    const size = elementCount(subject.sampleDims);
    if (constraint) checkClean(constraint, x, size, (row) => indices[row]!);
    const goal = goalFor(task, labels, subject.classes, options.tolerance);
    const clean = await judge(subject, goal, x, adapted.n, signal);
    const { classes } = subject;
    const { towards } = options;
    const targets =
      towards === undefined
        ? undefined
        : targetsOf(towards, { labels, scores: clean.outputs, classes, seed, firstSample: 0 });
    const sought = targets ? classificationGoal(labels, classes, targets) : goal;
    const left = {
      reached: clean.reached.map((wrong, i) => (wrong || targets?.[i] === NO_TARGET ? 1 : 0)),
    };
    const outcome = await runAttack(subject, plan, sought, { norm, eps, bounds, constraint }, x, left, {
      seed,
      batch,
      firstSample: 0,
      surrogate: loaded.surrogate?.target,
      signal,
      progress: (update) => (options.progress ?? silent)({ ...update, label: plan.attack.id }),
    });
    const kept = Array.from({ length: adapted.n }, (_, i) => i).filter((i) => outcome.decided[i]);
    if (kept.length === 0) throwIfCancelled(signal, 'attack');
    const sample = subject.sampleDims;
    const form = plan.attack.shared?.({ sampleDims: sample, image: imageDimsOf(sample) }, plan.options);
    await writeNpz(options.out, {
      x: { data: rowsOf(outcome.x, kept, adapted.n), shape: [kept.length, ...sample] },
      original: { data: rowsOf(x, kept, adapted.n), shape: [kept.length, ...sample] },
      y: column(rowsOf(labels, kept, adapted.n), kept.length),
      prediction: column(rowsOf(outcome.prediction, kept, adapted.n), kept.length),
      success: { data: rowsOf(outcome.success, kept, adapted.n), shape: [kept.length], bool: true },
      queries: column(rowsOf(outcome.asked, kept, adapted.n), kept.length),
      index: column(rowsOf(indices, kept, adapted.n), kept.length),
      ...(targets && { target: column(rowsOf(targets, kept, adapted.n), kept.length) }),
      ...(threat && {
        parameters: {
          data: rowsOf(outcome.parameters, kept, adapted.n),
          shape: [kept.length, threat.parameters.length],
        },
      }),
      ...(form && { [form.name]: { data: outcome.shared, shape: form.dims } }),
    });
    if (form) options.shared?.({ values: outcome.shared, dims: form.dims, bounds });
    const n = kept.length;
    const right = kept.reduce((sum, i) => sum + (clean.reached[i] ? 0 : 1), 0);
    const fell = kept.reduce((sum, i) => sum + outcome.success[i]!, 0);
    return {
      schema: 'glacis.attack/1',
      status: outcome.complete ? 'complete' : 'partial',
      attack: plan.attack.id,
      options: plan.options,
      norm: threat?.id ?? norm,
      eps: threat?.size(plan.options) ?? eps,
      seed,
      ...(towards !== undefined && {
        towards: {
          choice: `${towards}`,
          attacked: kept.reduce((sum, i) => sum + (left.reached[i] ? 0 : 1), 0),
          led: fell,
        },
      }),
      n,
      cleanAccuracy: right / n,
      robustAccuracy: (right - fell) / n,
      queries: outcome.queries,
      gradientQueries: outcome.gradientQueries,
      seconds: outcome.seconds,
      refused: Object.values(outcome.refused).reduce((sum, count) => sum + count, 0),
      model: { digest: loaded.source.digest },
      data: { digest: adapted.digest, notes: [...loaded.dataNotes, ...loaded.modelNotes] },
      examples: options.out,
    };
  } finally {
    await loaded?.close().catch(() => {});
    await engine.close();
  }
}

/** The rows `kept` of an array of `n` rows. */
function rowsOf<T extends Float32Array | Int32Array | Uint8Array>(
  values: T,
  kept: readonly number[],
  n: number,
): T {
  if (kept.length === n) return values;
  const width = values.length / n;
  const rows = values.slice(0, kept.length * width) as T;
  for (const [to, from] of kept.entries())
    rows.set(values.subarray(from * width, (from + 1) * width), to * width);
  return rows;
}

/** One value or one row of values a sample. */
function column(data: Float32Array | Int32Array | Uint8Array, n: number) {
  return { data, shape: data.length === n ? [n] : [n, data.length / n] };
}
