import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type PlannedAttack, planAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import type { Spec } from '../core/options.ts';
import { type Progress, silent } from '../core/progress.ts';
import type { Device } from '../runtime/device.ts';
import { startEngine } from '../runtime/engine.ts';
import { imageDimsOf } from '../threat/image-dims.ts';
import type { Norm } from '../threat/norm.ts';
import { checkAccess, checkPlan, defaultEps } from './budget.ts';
import { checkpointIn, type RunIdentity } from './checkpoint.ts';
import { curveOf } from './curve.ts';
import { environmentOf, glacisVersion } from './environment.ts';
import type { AttackedExample } from './examples.ts';
import { findingsFrom } from './findings.ts';
import { attacksAt, type Level, QUICK_SAMPLES } from './levels.ts';
import { type Loaded, type LoadOptions, load } from './load.ts';
import { writePerSample } from './per-sample.ts';
import { cellRecord, cleanRecord } from './record.ts';
import { ASSESSMENT_SCHEMA, type Assessment, type ResultNorm } from './result.ts';
import { type RunState, runCells } from './run-cells.ts';
import { type Cell, resultsOf, worstCaseOf } from './summarise.ts';

/** Milliseconds between checkpoints at the ends of chunks. */
const SAVE_AT_MOST_EVERY = 5000;

/** What to assess, how hard, and where results go. */
export interface AssessOptions extends LoadOptions {
  /** Attacks; those of `level` without. */
  readonly attacks?: readonly (Spec | PlannedAttack)[] | undefined;
  /** How much to do where `attacks` does not say; `quick` without. */
  readonly level?: Level | undefined;
  readonly norm: Norm;
  /** Radii; a default for the norm without. */
  readonly eps?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** Folder for the per-sample files; it exists and can be written. */
  readonly out: string;
  /** How the result names that folder, e.g. `../glacis-out/`; empty when it lies in the folder itself. */
  readonly perSamplePrefix?: string | undefined;
  /** Goes on from the checkpoint in `out`. */
  readonly resume?: boolean | undefined;
  readonly progress?: Progress | undefined;
  /** Receives sentences worth reading while it runs: notes, estimates. */
  readonly say?: ((line: string) => void) | undefined;
  /** The command line that gives the same result. */
  readonly command?: string | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: (() => number) | undefined;
}

/** An assessment with examples to look at. */
export interface Assessed {
  readonly assessment: Assessment;
  readonly examples: readonly AttackedExample[];
  /** Shape of one sample, as the model takes it. */
  readonly sampleDims: readonly number[];
  readonly bounds: readonly [number, number];
}

/**
 * Attacks a model with every attack at every eps, verifies each example on the deployed file and says what it found.
 * When `signal` fires, the result is `partial` and a checkpoint stays in `out`.
 * Errors: those of loading, `option/invalid`, `run/failed`, `output/unwritable`.
 */
export async function assess(options: AssessOptions): Promise<Assessed> {
  const clock = options.clock ?? Date.now;
  const startedAt = new Date(clock()).toISOString();
  const { norm, seed = 0, signal } = options;
  // Wrong attacks are found before any work.
  const asked = options.attacks?.map((one) => ('attack' in one ? one : planAttack(one)));
  for (const plan of asked ?? []) checkPlan(plan, norm);
  const { level = 'quick' } = options;
  const engine = startEngine({
    ...(options.device && { device: options.device }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  let loaded: Loaded | undefined;
  try {
    const most = asked || level !== 'quick' ? undefined : QUICK_SAMPLES;
    loaded = await load(engine, { ...options, most });
    for (const note of [...loaded.modelNotes, ...loaded.dataNotes]) options.say?.(note);
    const { adapted, subject, task, labels, bounds } = loaded;
    const { classes } = subject;
    const plans =
      asked ??
      attacksAt(level, {
        norm,
        task,
        classes,
        whiteBox: subject.target !== undefined,
        image: imageDimsOf(subject.sampleDims) !== undefined,
      }).map(planAttack);
    if (plans.length === 0)
      throw new GlacisError(
        'option/invalid',
        `--level ${level}: expected an attack that knows ${norm} and suits the model, found none; choose with --attacks`,
      );
    for (const plan of plans) checkAccess(plan, subject);
    const eps = [...new Set(options.eps ?? [defaultEps(norm, bounds)])];
    const cells = cellsOf(plans, norm, eps);
    const state: RunState = {
      clean: cleanRecord(task, adapted.n, classes),
      cells: cells.map(() => ({ record: cellRecord(task, adapted.n, classes), examples: [] })),
    };
    const checkpoint = checkpointIn(options.out, identityOf(loaded, plans, eps, options));
    if (options.resume) {
      const found = await checkpoint.restore(state);
      options.say?.(
        found
          ? `going on from the checkpoint in ${options.out}`
          : `no checkpoint in ${options.out}: starting anew`,
      );
    } else await checkpoint.clear();
    let savedAt = performance.now();
    const run = await runCells(loaded, cells, state, {
      norm,
      seed,
      tolerance: options.tolerance,
      signal,
      progress: options.progress ?? silent,
      say: options.say ?? (() => {}),
      async save(current, last) {
        if (!last && performance.now() - savedAt < SAVE_AT_MOST_EVERY) return;
        await checkpoint.save(current);
        savedAt = performance.now();
      },
      now: () => performance.now(),
    });
    for (const [i, cell] of cells.entries())
      await writePerSample(
        options.out,
        cell.perSample,
        { indices: adapted.indices, labels },
        state.clean,
        state.cells[i]!.record,
      );
    if (run.finished) await checkpoint.clear();
    const facts = { task, classes, bounds, labels, clean: state.clean };
    const prefix = options.perSamplePrefix ?? '';
    const results = cells.flatMap((cell, i) => {
      const named = { ...cell, perSample: prefix + cell.perSample };
      return resultsOf(facts, named, state.cells[i]!.record);
    });
    const worstCases = budgetsOf(cells).flatMap(({ measure, eps: radius }) => {
      const group = cells.flatMap((cell, i) =>
        cell.measure === measure && cell.radii.includes(radius)
          ? [{ cell, record: state.cells[i]!.record }]
          : [],
      );
      return worstCaseOf(facts, radius, group) ?? [];
    });
    const curve = curveOf(
      facts,
      norm,
      cells.map((cell, i) => ({ cell, record: state.cells[i]!.record })),
    );
    const right = state.clean.correct.reduce((sum, one) => sum + one, 0);
    const findings = findingsFrom({
      results,
      worstCases,
      classes: task === 'classification' || task === 'binary' ? classes : 0,
      cleanAccuracy: state.clean.done > 0 ? right / state.clean.done : 0,
      rangeWidth: bounds[1] - bounds[0],
      ...(run.probe && { gradient: run.probe }),
      randomised: loaded.randomised,
      refused: cells.flatMap(({ plan, eps: radius }, i) => {
        const { refused } = state.cells[i]!.record;
        return refused > 0 ? [{ attack: plan.attack.id, eps: radius, count: refused }] : [];
      }),
    });
    const { source, dataset } = loaded;
    return {
      assessment: {
        schema: ASSESSMENT_SCHEMA,
        status: run.finished ? 'complete' : 'partial',
        ...(!run.finished && { statusReason: stopReason(signal) }),
        model: {
          name: basename(options.model),
          digest: source.digest,
          inputs: source.inputs,
          outputs: source.outputs,
          notes: loaded.modelNotes,
        },
        data: {
          digest: adapted.digest,
          n: adapted.n,
          description: dataset.describe,
          notes: loaded.dataNotes,
          ...(adapted.classes && { classNames: adapted.classes }),
        },
        seed,
        environment: environmentOf(engine),
        ...(options.command !== undefined && { command: options.command }),
        startedAt,
        finishedAt: new Date(clock()).toISOString(),
        results,
        worstCases,
        ...(curve && { curves: [curve] }),
        findings,
      },
      examples: state.cells.flatMap((cell) => cell.examples),
      sampleDims: subject.sampleDims,
      bounds,
    };
  } finally {
    await loaded?.close().catch(() => {});
    await engine.close();
  }
}

/** What must be the same for a checkpoint to be taken up. The batch may differ: it changes no result. */
function identityOf(
  { source, adapted, bounds, constraint, labels, task }: Loaded,
  plans: readonly PlannedAttack[],
  eps: readonly number[],
  options: AssessOptions,
): RunIdentity {
  const {
    input,
    output,
    shape,
    range,
    layout,
    mean,
    std,
    fix,
    tolerance,
    device = 'cpu',
    eightBit,
  } = options;
  return {
    glacis: glacisVersion(),
    model: source.digest,
    data: adapted.digest,
    samples: digestOf(adapted.indices),
    labels: digestOf(labels),
    n: adapted.n,
    seed: options.seed ?? 0,
    attacks: plans.map(({ attack, options: chosen }) => [attack.id, chosen]),
    norm: options.norm,
    eps,
    task,
    bounds: bounds.map(String),
    ...(constraint && { constraint: constraint.title, constraintFile: options.constraint }),
    ...Object.fromEntries(
      Object.entries({
        input,
        output,
        shape,
        range,
        layout,
        mean,
        std,
        fix,
        tolerance,
        device,
        eightBit,
      }).filter(([, value]) => value !== undefined),
    ),
  };
}

function digestOf(values: ArrayBufferView): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Every budget that has a result, in the cells' order. */
function budgetsOf(
  cells: readonly Cell[],
): readonly { readonly measure: ResultNorm; readonly eps: number }[] {
  const all = cells.flatMap(({ measure, radii }) => radii.map((eps) => ({ measure, eps })));
  return [...new Map(all.map((budget) => [`${budget.measure} ${budget.eps}`, budget])).values()];
}

/**
 * Every eps with every attack, in that order, then the attacks that run once: those that look for the nearest example, and those
 * with a threat of their own. A second run of an attack gets a number in its file's name.
 */
function cellsOf(plans: readonly PlannedAttack[], norm: Norm, eps: readonly number[]): readonly Cell[] {
  const names = new Set<string>();
  const named = (plan: PlannedAttack, measure: ResultNorm, of: string) => {
    for (let i = 1; ; i++) {
      const name = `${plan.attack.id}${i > 1 ? `-${i}` : ''}-${measure}${of}.npz`;
      if (names.has(name)) continue;
      names.add(name);
      return name;
    }
  };
  const inBalls = eps.flatMap((radius) =>
    plans
      .filter(({ attack }) => attack.seeks === 'ball')
      .map((plan): Cell => {
        const perSample = named(plan, norm, `-${Number(radius.toPrecision(6))}`);
        return { plan, measure: norm, eps: radius, radii: [radius], perSample };
      }),
  );
  const once = plans
    .filter(({ attack }) => attack.seeks !== 'ball')
    .map((plan): Cell => {
      const { threat } = plan.attack;
      if (!threat)
        return { plan, measure: norm, eps: Math.max(...eps), radii: eps, perSample: named(plan, norm, '') };
      const size = threat.size(plan.options);
      return { plan, measure: threat.id, eps: size, radii: [size], perSample: named(plan, threat.id, '') };
    });
  return [...inBalls, ...once];
}

function stopReason(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return `stopped ${typeof reason === 'string' ? `by ${reason}` : 'before all attacks were done'}`;
}
