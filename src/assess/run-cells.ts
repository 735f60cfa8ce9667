import { GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import type { Labels } from '../data/index.ts';
import { elementCount } from '../onnx/tensor.ts';
import { checkClean } from '../threat/constraint/clean-samples.ts';
import { classificationGoal, type Goal } from '../threat/goal.ts';
import { type Norm, radius } from '../threat/norm.ts';
import { inheritedBy } from './cells.ts';
import type { CorruptionRecord } from './corruption/run.ts';
import { type EarlierExamples, type Outcome, runAttack } from './evasion.ts';
import { type AttackedExample, collectExamples, EXAMPLES_EACH } from './examples.ts';
import { goalFor } from './goal-for.ts';
import { type GradientProbe, probeGradient } from './gradient-probe.ts';
import type { Loaded } from './load.ts';
import {
  type CellRecord,
  type CleanRecord,
  enterClean,
  enterOutcome,
  inherit,
  isAttacked,
} from './record.ts';
import { judge } from './subject.ts';
import type { Cell } from './summarise.ts';
import { type Towards, targetsOf } from './towards.ts';

/** All that has been found so far; a checkpoint holds it, and going on from one gives the same results. */
export interface RunState {
  readonly clean: CleanRecord;
  /** One an entry of the plan. */
  readonly cells: readonly CellState[];
  /** What common corruptions did, where they are run. */
  readonly corruption?: CorruptionRecord;
}

/** One attack at one eps, as far as it has come. */
export interface CellState {
  readonly record: CellRecord;
  readonly examples: AttackedExample[];
  /** Examples in the chunk that is being attacked. */
  current?: OpenChunk | undefined;
}

/** A chunk that was interrupted: its examples are verified when it is taken up again. */
export interface OpenChunk extends EarlierExamples {
  readonly start: number;
}

/** What the cells run with. */
export interface CellsOptions {
  readonly norm: Norm;
  readonly seed: number;
  readonly tolerance: number | undefined;
  /** Where targeted attacks lead; attacks lead away from the label without. */
  readonly towards: Towards | undefined;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
  readonly say: (line: string) => void;
  /** Called at the end of every chunk and now and then inside one; `last` when the run stops after it. */
  readonly save: (state: RunState, last?: 'last') => Promise<void>;
  /** Milliseconds, for when to save. */
  readonly now: () => number;
}

/** What showed beside the records. */
export interface CellsRun {
  readonly probe: GradientProbe | undefined;
  readonly finished: boolean;
}

/** Some samples, read and ready. */
interface Chunk {
  readonly start: number;
  readonly count: number;
  readonly x: Float32Array;
  readonly labels: Labels;
  readonly indices: Int32Array;
  /** What the model should say. */
  readonly right: Goal;
}

/** Bytes of samples held at once (three times over: clean, under attack, and in the engine). */
const CHUNK_BYTES = 64 * 2 ** 20;
/** Milliseconds between checkpoints inside a chunk. */
const SAVE_EVERY = 30_000;
/** Bytes of weights up to which sessions stay open for the next attack. */
const KEEP_SESSIONS_BELOW = 32 * 2 ** 20;
/** Samples that the gradient probe takes. */
const PROBE = 64;

/**
 * Runs every cell on every sample and enters what it finds into `state`. A cell is finished before the next begins, so
 * that an interruption leaves whole results. Samples come in chunks, which bounds the memory.
 */
export async function runCells(
  loaded: Loaded,
  cells: readonly Cell[],
  state: RunState,
  options: CellsOptions,
): Promise<CellsRun> {
  const { subject, surrogate, adapted, labels, width, task, batch } = loaded;
  const { target, sampleDims } = subject;
  const { signal, progress } = options;
  const size = elementCount(sampleDims);
  const step = Math.max(batch, Math.floor(CHUNK_BYTES / (4 * size)));
  const { weightBytes } = loaded.source;
  let held: Chunk | undefined;
  const chunkAt = async (start: number): Promise<Chunk> => {
    if (held?.start === start) return held;
    const read = await adapted.read(start, Math.min(step, adapted.n - start), signal);
    const part = labels.slice(start * width, (start + read.count) * width);
    const right = goalFor(task, part, subject.classes, options.tolerance);
    if (loaded.constraint) checkClean(loaded.constraint, read.x, size, (row) => read.indices[row]!);
    held = { start, count: read.count, x: read.x, labels: part, indices: read.indices, right };
    return held;
  };
  let probe: GradientProbe | undefined;
  try {
    for (let start = state.clean.done; start < adapted.n; start += step) {
      const chunk = await chunkAt(start);
      progress({ label: 'clean answers', done: start, total: adapted.n });
      const judged = await judge(subject, chunk.right, chunk.x, chunk.count, signal);
      enterClean(state.clean, start, judged);
      if (options.towards !== undefined) {
        const { seed, towards } = options;
        const facts = { labels: chunk.labels, scores: judged.outputs, classes: subject.classes, seed };
        state.clean.targets!.set(targetsOf(towards, { ...facts, firstSample: start }), start);
      }
      progress({ label: 'clean answers', done: start + chunk.count, total: adapted.n });
    }
    const again = await chunkAt(0);
    const right = Array.from({ length: again.count }, (_, i) => i).filter((i) => isAttacked(state.clean, i));
    if (right.length > 0 && target) {
      probe = await probeGradient(
        target,
        goalOf(again, state.clean, subject.classes),
        again.x,
        right.slice(0, PROBE),
        batch,
        options.now,
      );
      options.say(estimate(cells, state, probe));
    }
    for (const [i, cell] of cells.entries()) {
      const cellState = state.cells[i]!;
      const smaller = inheritedBy(cell, cells);
      const earlier = smaller === undefined ? undefined : state.cells[smaller]!.record;
      for (let start = 0; start < adapted.n; start += step) {
        const end = Math.min(start + step, adapted.n);
        if (!cellState.record.decided.subarray(start, end).includes(0) && !cellState.current) continue;
        const chunk = await chunkAt(start);
        const finished = await runChunk(loaded, cell, { cell: cellState, earlier }, chunk, state, options);
        if (!finished) return { probe, finished: false };
      }
      // The next cell compiles its own sessions, each with a copy of the weights.
      if (weightBytes > KEEP_SESSIONS_BELOW) await target?.close();
      if (surrogate && surrogate.weightBytes > KEEP_SESSIONS_BELOW) await surrogate.target.close();
    }
    return { probe, finished: true };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
    await options.save(state, 'last');
    return { probe, finished: false };
  }
}

/** What attackers want of a chunk's samples. */
function goalOf({ start, count, labels, right }: Chunk, { targets }: CleanRecord, classes: number): Goal {
  return targets ? classificationGoal(labels, classes, targets.subarray(start, start + count)) : right;
}

async function runChunk(
  { subject, surrogate, task, bounds, constraint, batch }: Loaded,
  { plan, eps, measure }: Cell,
  { cell, earlier }: { readonly cell: CellState; readonly earlier: CellRecord | undefined },
  chunk: Chunk,
  state: RunState,
  options: CellsOptions,
): Promise<boolean> {
  const { norm, seed, signal, now } = options;
  const { start, count } = chunk;
  const label = labelOf(plan, measure, eps);
  const isOpen = (i: number) => isAttacked(state.clean, i) && !earlier?.success[i];
  const reached = Uint8Array.from({ length: count }, (_, i) => (isOpen(start + i) ? 0 : 1));
  const known = cell.current?.start === start ? cell.current : undefined;
  let savedAt = now();
  let saving = Promise.resolve();
  let latest: EarlierExamples | undefined;
  const outcome = await runAttack(
    subject,
    plan,
    goalOf(chunk, state.clean, subject.classes),
    { norm, eps, bounds, constraint },
    chunk.x,
    { reached },
    {
      seed,
      batch,
      firstSample: start,
      surrogate: surrogate?.target,
      signal,
      earlier: known,
      now,
      progress: ({ done, total = 0, ...rest }) =>
        options.progress({
          ...rest,
          label,
          done: start + count - total + done,
          total: state.clean.correct.length,
        }),
      decided: (so) => {
        latest = so;
        if (now() - savedAt < SAVE_EVERY) return;
        savedAt = now();
        const snapshot = { start, ...copyOf(so) };
        saving = saving.then(async () => {
          cell.current = snapshot;
          await options.save(state);
        });
        // The failure is seen where `saving` is awaited.
        saving.catch(() => {});
      },
    },
  ).catch(async (thrown: unknown) => {
    if (!isLostEndpoint(thrown)) throw thrown;
    // What was decided cost queries: it is verified when the run is taken up again.
    await saving;
    if (latest) cell.current = { start, ...latest };
    await options.save(state, 'last');
    throw new GlacisError(
      thrown.code,
      `${thrown.message}; what was decided so far is kept, the same command with --resume goes on`,
      { cause: thrown },
    );
  });
  await saving;
  if (!outcome.complete) {
    const { queries, gradientQueries, seconds } = outcome;
    cell.current = { start, ...copyOf(outcome) };
    cell.record.queries += queries;
    cell.record.gradientQueries += gradientQueries;
    cell.record.seconds += seconds;
    await options.save(state, 'last');
    enterOutcome(cell.record, start, { ...outcome, queries: 0, gradientQueries: 0, seconds: 0 });
    if (earlier) inherit(cell.record, earlier, start, count);
    return false;
  }
  cell.current = undefined;
  enterOutcome(cell.record, start, outcome);
  if (earlier) inherit(cell.record, earlier, start, count);
  if (task === 'classification' || task === 'binary')
    await addExamples(subject, plan, eps, chunk, cell, outcome);
  await options.save(state);
  return true;
}

function isLostEndpoint(thrown: unknown): thrown is GlacisError {
  return thrown instanceof GlacisError && thrown.code.startsWith('endpoint/');
}

function copyOf({ x, decided, asked, took, by, parameters, shared }: EarlierExamples): EarlierExamples {
  return {
    x: x.slice(),
    decided: decided.slice(),
    asked: asked.slice(),
    took: took.slice(),
    by: by.slice(),
    parameters: parameters.slice(),
    shared: shared.slice(),
  };
}

async function addExamples(
  subject: Loaded['subject'],
  { attack: { id, seeks } }: Cell['plan'],
  eps: number,
  chunk: Chunk,
  cell: CellState,
  outcome: Outcome,
): Promise<void> {
  const most = EXAMPLES_EACH - cell.examples.length;
  if (most > 0)
    cell.examples.push(
      ...(await collectExamples(
        subject,
        { attack: id, eps, nearest: seeks === 'minimum' },
        chunk,
        outcome,
        most,
      )),
    );
}

/** The attack and its budget in a few words. */
function labelOf({ attack }: Cell['plan'], measure: Cell['measure'], eps: number): string {
  if (attack.seeks === 'minimum') return `${attack.id} (nearest in ${measure})`;
  return `${attack.id} (${measure}, eps ${radius(eps)})`;
}

/** What is still to do, in samples put through the model and in time at most. */
function estimate(cells: readonly Cell[], state: RunState, probe: GradientProbe): string {
  let gradients = 0;
  let evaluations = 0;
  for (const [i, { plan }] of cells.entries()) {
    const { decided } = state.cells[i]!.record;
    const open = decided.reduce((sum, done, s) => sum + (isAttacked(state.clean, s) && !done ? 1 : 0), 0);
    const cost = plan.attack.cost(plan.options);
    gradients += open * cost.gradients;
    evaluations += open * cost.evaluations + decided.length;
  }
  // A pass without a gradient takes about a third of one with it.
  const seconds = (gradients + evaluations / 3) * probe.secondsPerSample;
  return `at most ${gradients.toLocaleString('en')} gradients and ${evaluations.toLocaleString('en')} plain answers to ask for, about ${duration(seconds)} at most`;
}

function duration(seconds: number): string {
  if (seconds < 1) return 'a second';
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}
