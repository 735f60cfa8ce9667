import type { PlannedAttack } from '../../attack/registry.ts';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { checkClean } from '../../threat/constraint/clean-samples.ts';
import { type Ball, radius } from '../../threat/norm.ts';
import { pressing } from '../../threat/pressing-goal.ts';
import { type Outcome, runAttack } from '../evasion.ts';
import { goalFor } from '../goal-for.ts';
import { decidedPrefix } from '../record.ts';
import { judge } from '../subject.ts';
import type { OpenModel } from './models.ts';
import { hasNoise, noisy } from './noise.ts';

/** What is known of each sample; filled row by row, from the first sample on. */
export interface TransferRecord {
  /** Samples that every model has answered without an attack. */
  cleanDone: number;
  /** For each model, 1 where it is right without an attack. */
  readonly right: readonly Uint8Array[];
  /** For each model, 1 where a change at random takes the right answer; none in l0. */
  readonly noise: readonly Uint8Array[] | undefined;
  /** One for each model that shows its gradients. */
  readonly rows: readonly RowRecord[];
}

/** The examples made on one model. */
export interface RowRecord {
  /** Place of the model among the models. */
  readonly model: number;
  /** Samples whose example has been tried on every model. */
  done: number;
  /** For each model, 1 where both models were right and the example of the row's is wrong on it. */
  readonly fooled: readonly Uint8Array[];
  queries: number;
  gradientQueries: number;
  seconds: number;
  refused: number;
  /** Why no examples can be made on this model. */
  impossible?: string;
}

/** What {@link runTransfer} runs with. */
export interface TransferRun {
  readonly seed: number;
  readonly tolerance: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
  /** Called when some samples more are done; a record that was saved then can be taken up again. */
  readonly save?: (() => Promise<void>) | undefined;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Bytes of samples held at once (three times over), and samples: what an interruption may cost. */
const CHUNK_BYTES = 64 * 2 ** 20;
const CHUNK_SAMPLES = 512;

/** An empty record of `n` samples. */
export function transferRecord(models: readonly OpenModel[], ball: Ball, n: number): TransferRecord {
  const flags = () => models.map(() => new Uint8Array(n));
  return {
    cleanDone: 0,
    right: flags(),
    noise: hasNoise(ball) ? flags() : undefined,
    rows: models.flatMap(({ isEndpoint }, model) =>
      isEndpoint
        ? []
        : [{ model, done: 0, fooled: flags(), queries: 0, gradientQueries: 0, seconds: 0, refused: 0 }],
    ),
  };
}

/**
 * Makes examples on each model file and puts them through all models, into `record`, from where that stands. Only samples that a row's and a column's model both get
 * right are tried. Attacks go on after their first success (see {@link pressing}). A row is finished before the next begins. A model
 * without gradients gives no row, and the record says why.
 * Beside that, every model is asked about the samples with a change at random ({@link noisy}).
 * Gives `undefined`, or why it stopped early: `signal` fired, or an endpoint went away once something was found. What stands then is verified.
 * Errors: those of reading, of the attack and of the models. Cost: for each row the attack, and a pass through every other model; two passes through each model before.
 */
export async function runTransfer(
  models: readonly OpenModel[],
  plan: PlannedAttack,
  ball: Ball,
  record: TransferRecord,
  run: TransferRun,
): Promise<string | undefined> {
  const chunks = chunksOf(models, ball, run);
  try {
    await askFirst(models, ball, chunks, record, run);
    for (const row of record.rows) {
      const finished = await runRow(models, plan, ball, chunks, record, row, run);
      // The next row compiles its own sessions, each with a copy of the weights.
      await models[row.model]!.loaded.subject.target?.close();
      if (!finished) return stopped(run.signal);
    }
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    if (thrown.code === 'run/cancelled') return stopped(run.signal);
    const isLost = thrown.code.startsWith('endpoint/') && record.rows.some(({ done }) => done > 0);
    if (isLost) return thrown.message;
    throw thrown;
  }
}

/** Some samples, read and ready. */
interface Chunk {
  readonly start: number;
  readonly count: number;
  readonly x: Float32Array;
  /** The goal on one of the models for the samples at these places of the chunk. */
  goalOn(model: OpenModel, places: readonly number[]): ReturnType<typeof goalFor>;
}

interface Chunks {
  readonly n: number;
  /** Elements of one sample. */
  readonly size: number;
  readonly step: number;
  at(start: number): Promise<Chunk>;
}

function chunksOf(
  models: readonly OpenModel[],
  { constraint }: Ball,
  { tolerance, signal }: TransferRun,
): Chunks {
  const { adapted, subject, labels, width } = models[0]!.loaded;
  const size = elementCount(subject.sampleDims);
  const batch = Math.max(...models.map(({ loaded }) => loaded.batch));
  const step = Math.max(batch, Math.min(CHUNK_SAMPLES, Math.floor(CHUNK_BYTES / (4 * size))));
  let held: Chunk | undefined;
  return {
    n: adapted.n,
    size,
    step,
    async at(start) {
      if (held?.start === start) return held;
      const { x, count, indices } = await adapted.read(start, Math.min(step, adapted.n - start), signal);
      if (constraint) checkClean(constraint, x, size, (row) => indices[row]!);
      held = {
        start,
        count,
        x,
        goalOn({ loaded }, places) {
          const own = labels.slice(0, places.length * width);
          for (const [to, place] of places.entries())
            own.set(labels.subarray((start + place) * width, (start + place + 1) * width), to * width);
          return goalFor(loaded.task, own, loaded.subject.classes, tolerance);
        },
      };
      return held;
    },
  };
}

/** Enters what each model makes of the clean samples, and of a change at random where it is right. */
async function askFirst(
  models: readonly OpenModel[],
  ball: Ball,
  chunks: Chunks,
  record: TransferRecord,
  { seed, signal, progress, save }: TransferRun,
): Promise<void> {
  const total = chunks.n * models.length;
  for (let start = record.cleanDone; start < chunks.n; start += chunks.step) {
    const chunk = await chunks.at(start);
    const all = Array.from({ length: chunk.count }, (_, i) => i);
    const noise = record.noise && noisy(ball, chunk.x, chunks.size, start, seed);
    for (const [i, model] of models.entries()) {
      progress({ label: 'clean answers', done: start * models.length + i * chunk.count, total });
      const right = (await wrongOn(model, chunk, chunk.x, all, chunks.size, signal)).map(
        (wrong) => 1 - wrong,
      );
      record.right[i]!.set(right, start);
      if (!noise) continue;
      const tried = all.filter((s) => right[s]);
      const wrong = await wrongOn(model, chunk, noise, tried, chunks.size, signal);
      for (const [j, s] of tried.entries()) record.noise![i]![start + s] = wrong[j]!;
    }
    record.cleanDone = start + chunk.count;
    await save?.();
  }
}

/** Whether the row is finished; what it cannot do is entered. */
async function runRow(
  models: readonly OpenModel[],
  plan: PlannedAttack,
  ball: Ball,
  chunks: Chunks,
  record: TransferRecord,
  row: RowRecord,
  run: TransferRun,
): Promise<boolean> {
  const own = models[row.model]!;
  const label = `${plan.attack.id} on ${own.label} (${ball.norm}, eps ${radius(ball.eps)})`;
  try {
    for (let start = row.done; start < chunks.n; start += chunks.step) {
      const chunk = await chunks.at(start);
      const outcome = await examplesOn(own, plan, ball, chunk, record.right[row.model]!, {
        ...run,
        progress: ({ done, total = 0 }) =>
          run.progress({ label, done: start + chunk.count - total + done, total: chunks.n }),
      });
      const known = decidedPrefix(outcome);
      for (const [i, model] of models.entries()) {
        if (i === row.model) row.fooled[i]!.set(outcome.success.subarray(0, known), start);
        else {
          run.progress({ label: `examples of ${own.label} on ${model.label}`, done: start, total: chunks.n });
          const both = (sample: number) => record.right[row.model]![sample]! && record.right[i]![sample]!;
          const tried = Array.from({ length: known }, (_, s) => s).filter((s) => both(start + s));
          // Without the signal: what was made before a Ctrl-C is worth its verification.
          const wrong = await wrongOn(model, chunk, outcome.x, tried, chunks.size, undefined);
          for (const [j, s] of tried.entries()) row.fooled[i]![start + s] = wrong[j]!;
        }
      }
      row.done = start + known;
      row.queries += outcome.queries;
      row.gradientQueries += outcome.gradientQueries;
      row.seconds += outcome.seconds;
      row.refused += Object.values(outcome.refused).reduce((sum, count) => sum + count, 0);
      if (!outcome.complete) return false;
      await run.save?.();
    }
    return true;
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'gradient/unsupported')) throw thrown;
    row.impossible = thrown.message;
    return true;
  }
}

function examplesOn(
  own: OpenModel,
  plan: PlannedAttack,
  ball: Ball,
  chunk: Chunk,
  right: Uint8Array,
  { seed, signal, progress, now }: TransferRun,
): Promise<Outcome> {
  const all = Array.from({ length: chunk.count }, (_, i) => i);
  const goal = chunk.goalOn(own, all);
  const reached = right.subarray(chunk.start, chunk.start + chunk.count).map((one) => 1 - one);
  return runAttack(
    own.loaded.subject,
    plan,
    goal,
    ball,
    chunk.x,
    { reached },
    {
      seed,
      batch: own.loaded.batch,
      firstSample: chunk.start,
      sought: pressing(goal),
      signal,
      progress,
      now,
    },
  );
}

/** 1 for each of the samples at `places` of `x` that `model` gets wrong. */
async function wrongOn(
  model: OpenModel,
  chunk: Chunk,
  x: Float32Array,
  places: readonly number[],
  size: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (places.length === 0) return new Uint8Array(0);
  const chosen = new Float32Array(places.length * size);
  for (const [to, place] of places.entries())
    chosen.set(x.subarray(place * size, (place + 1) * size), to * size);
  const { subject } = model.loaded;
  return (await judge(subject, chunk.goalOn(model, places), chosen, places.length, signal)).reached;
}

function stopped(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return `stopped ${typeof reason === 'string' ? `by ${reason}` : 'before all examples were made'}`;
}
