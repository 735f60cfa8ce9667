import { basename } from 'node:path';
import { type PlannedAttack, planAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import type { Spec } from '../core/options.ts';
import { type Progress, silent } from '../core/progress.ts';
import type { Device } from '../runtime/device.ts';
import { startEngine } from '../runtime/engine.ts';
import { imageDimsOf } from '../threat/image-dims.ts';
import type { Norm } from '../threat/norm.ts';
import { checkAccess, checkPlan, checkSurrogate, defaultEps } from './budget.ts';
import { cellsOf } from './cells.ts';
import { checkpointIn } from './checkpoint.ts';
import { conclude } from './conclude.ts';
import { type CorruptionExamples, corruptionExamples } from './corruption/examples.ts';
import { writeCorruptionSamples } from './corruption/per-sample.ts';
import { type CorruptionPlan, planCorruptions } from './corruption/plan.ts';
import type { CorruptionResult } from './corruption/result.ts';
import { corruptionRecord, runCorruptions } from './corruption/run.ts';
import { corruptionResult } from './corruption/summarise.ts';
import { environmentOf } from './environment.ts';
import type { AttackedExample } from './examples.ts';
import { askAboutMembers } from './generalisation/ask-members.ts';
import { attacksAt, type Level, QUICK_SAMPLES } from './levels.ts';
import { type Loaded, type LoadOptions, load } from './load.ts';
import { writePerSample } from './per-sample.ts';
import { attackedOf, cellRecord, cleanRecord } from './record.ts';
import { judgeReliability } from './reliability/judge-reliability.ts';
import { ASSESSMENT_SCHEMA, type Assessment } from './result.ts';
import { type RunState, runCells } from './run-cells.ts';
import { identityOf } from './run-identity.ts';
import { runSelfChecks } from './self-checks/run.ts';
import { checkTowards, type Towards } from './towards.ts';

/** Milliseconds between checkpoints at the ends of chunks. */
const SAVE_AT_MOST_EVERY = 5000;

/** What to assess, how hard, and where results go. */
export interface AssessOptions extends LoadOptions {
  /** Attacks; those of `level` without. */
  readonly attacks?: readonly (Spec | PlannedAttack)[] | undefined;
  /** How much to do where `attacks` does not say; `quick` without. */
  readonly level?: Level | undefined;
  readonly norm: Norm;
  /** Radii; a default for the norm without. They run from the smallest on. */
  readonly eps?: readonly number[] | undefined;
  /** Runs the common corruptions; at level `exhaustive` without, where samples are pictures. */
  readonly corruptions?: boolean | undefined;
  /** The data that the model was trained on, as `openDataset` takes them: says how it treats them. */
  readonly members?: string | undefined;
  /** How many of its first samples it was trained on; all without. */
  readonly membersTrained?: number | undefined;
  /** Leads samples to a class instead of away from their label. */
  readonly towards?: Towards | undefined;
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
  /** One sample under all corruptions, where they were run. */
  readonly corruptionExamples?: CorruptionExamples | undefined;
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
  const { norm, seed = 0, towards, signal } = options;
  // Wrong attacks are found before any work.
  const asked = options.attacks?.map((one) => ('attack' in one ? one : planAttack(one)));
  for (const plan of asked ?? []) checkPlan(plan, norm);
  if (asked) checkSurrogate(asked, options.surrogate);
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
    if (towards !== undefined) checkTowards(towards, task, classes);
    const plans =
      asked ??
      attacksAt(level, {
        norm,
        whiteBox: subject.target !== undefined,
        image: imageDimsOf(subject.sampleDims) !== undefined,
        surrogate: options.surrogate !== undefined,
        obstacles: subject.target?.obstacles,
      }).map(planAttack);
    if (plans.length === 0)
      throw new GlacisError(
        'option/invalid',
        `--level ${level}: expected an attack that knows ${norm} and suits the model, found none; choose with --attacks`,
      );
    for (const plan of plans) checkAccess(plan, subject);
    checkSurrogate(plans, options.surrogate);
    // Rising, because what falls at one eps has fallen at all larger ones.
    const eps = [...new Set(options.eps ?? [defaultEps(norm, bounds)])].toSorted((a, b) => a - b);
    const prefix = options.perSamplePrefix ?? '';
    const cells = cellsOf(plans, norm, eps);
    const corrupted = corruptionsFor(options, level, loaded);
    const state: RunState = {
      clean: cleanRecord(task, adapted.n, classes, towards !== undefined),
      cells: cells.map(() => ({ record: cellRecord(task, adapted.n, classes), examples: [] })),
      ...(corrupted && { corruption: corruptionRecord(corrupted, adapted.n) }),
    };
    const checkpoint = checkpointIn(options.out, identityOf(loaded, plans, eps, options, corrupted));
    if (options.resume) {
      const found = await checkpoint.restore(state);
      options.say?.(
        found
          ? `going on from the checkpoint in ${options.out}`
          : `no checkpoint in ${options.out}: starting anew`,
      );
    } else await checkpoint.clear();
    let savedAt = performance.now();
    const save = async (last?: 'last') => {
      if (!last && performance.now() - savedAt < SAVE_AT_MOST_EVERY) return;
      await checkpoint.save(state);
      savedAt = performance.now();
    };
    const common = {
      seed,
      tolerance: options.tolerance,
      signal,
      progress: options.progress ?? silent,
    };
    const run = await runCells(loaded, cells, state, {
      ...common,
      towards,
      norm,
      say: options.say ?? (() => {}),
      save: (_, last) => save(last),
      now: () => performance.now(),
    });
    let { finished } = run;
    // Self-checks compare attacks that lead away from the label.
    const led = towards !== undefined;
    const checks = finished && !led ? await runSelfChecks(loaded, norm, cells, state, common) : undefined;
    if (checks && !checks.finished) {
      finished = false;
      await save('last');
    }
    const ran = [
      ...cells.map((cell, i) => ({ cell, record: state.cells[i]!.record })),
      ...(checks?.further ?? []),
    ];
    const largest = Math.max(...eps);
    const reliability =
      finished && largest > 0
        ? await unlessCancelled(
            judgeReliability(loaded, ran, state.clean, { ...common, norm, eps: largest, led }),
          )
        : undefined;
    if (finished && largest > 0 && !reliability) {
      finished = false;
      await save('last');
    }
    const { members } = options;
    const generalisation =
      finished && members !== undefined
        ? await unlessCancelled(
            askAboutMembers(loaded, members, { ...options, most: options.membersTrained }),
          )
        : undefined;
    if (finished && members !== undefined && !generalisation) {
      finished = false;
      await save('last');
    }
    let corruption: CorruptionResult | undefined;
    if (finished && corrupted && state.corruption) {
      finished = await runCorruptions(loaded, corrupted, state.corruption, { ...common, save: () => save() });
      if (!finished) await save('last');
      if (state.corruption.finished > 1) {
        corruption = corruptionResult(corrupted, state.corruption, prefix + CORRUPTION_FILE);
        await writeCorruptionSamples(
          options.out,
          CORRUPTION_FILE,
          { indices: adapted.indices, labels },
          state.corruption,
        );
      }
    }
    for (const { cell, record } of ran)
      await writePerSample(
        options.out,
        cell.perSample,
        { indices: adapted.indices, labels },
        state.clean,
        record,
      );
    if (finished) await checkpoint.clear();
    const named = cells.map((cell) => ({ ...cell, perSample: prefix + cell.perSample }));
    const { source, dataset } = loaded;
    return {
      assessment: {
        schema: ASSESSMENT_SCHEMA,
        status: finished ? 'complete' : 'partial',
        ...(!finished && { statusReason: stopReason(signal) }),
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
        ...(towards !== undefined && {
          towards: { choice: `${towards}`, attacked: attackedOf(state.clean) },
        }),
        environment: environmentOf(engine),
        ...(options.command !== undefined && { command: options.command }),
        startedAt,
        finishedAt: new Date(clock()).toISOString(),
        ...conclude(loaded, norm, named, state, {
          towards,
          corruption,
          reliability,
          generalisation,
          checks: checks && {
            ...checks,
            further: checks.further.map(({ cell, record }) => ({
              cell: { ...cell, perSample: prefix + cell.perSample },
              record,
            })),
          },
        }),
      },
      examples: state.cells.flatMap((cell) => cell.examples),
      ...(corruption &&
        corrupted && { corruptionExamples: await firstCorrupted(loaded, corrupted, state, seed) }),
      sampleDims: subject.sampleDims,
      bounds,
    };
  } finally {
    await loaded?.close().catch(() => {});
    await engine.close();
  }
}

/** File of the corruptions' per-sample outcomes. */
const CORRUPTION_FILE = 'corruption.npz';

/** The corruptions to run: where they are asked for, and at the exhaustive level on pictures of known range. */
function corruptionsFor(
  { corruptions }: AssessOptions,
  level: Level,
  { subject, bounds }: Loaded,
): CorruptionPlan | undefined {
  const isPicture = subject.sampleDims.length === 3 && imageDimsOf(subject.sampleDims) !== undefined;
  const fits = isPicture && bounds.every(Number.isFinite);
  if (corruptions ?? (level === 'exhaustive' && fits)) return planCorruptions(subject.sampleDims, bounds);
  return undefined;
}

/** The first sample that the model gets right, under all corruptions. */
async function firstCorrupted(loaded: Loaded, plan: CorruptionPlan, { clean }: RunState, seed: number) {
  return corruptionExamples(loaded, plan, seed, Math.max(0, clean.correct.indexOf(1)));
}

/** What `work` gives; `undefined` where the signal came first. */
async function unlessCancelled<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
    return undefined;
  }
}

function stopReason(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return `stopped ${typeof reason === 'string' ? `by ${reason}` : 'before all attacks were done'}`;
}
