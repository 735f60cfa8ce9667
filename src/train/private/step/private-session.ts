import type { Model } from '../../../onnx/model.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { f32, type HostTensor } from '../../../runtime/array.ts';
import type { Engine, Session } from '../../../runtime/engine.ts';
import { openTogether } from '../../step/lanes.ts';
import type { CarriedSum, PrivateGradient } from '../gradient/private-gradient.ts';
import type { PrivateUpdate } from './private-update.ts';

/** Runs of a lane that are asked for before the first has answered, so that it never waits for this thread. */
const AHEAD = 2;

/** Sums over the samples of a logical batch, which are as secret as the samples. */
export interface BatchMeasures {
  readonly samples: number;
  readonly loss: number;
  readonly norms: number;
  /** Samples whose norm was at most the limit. */
  readonly below: number;
  /** Right as they are, and attacked; absent where none was looked at so. */
  readonly correct?: number;
  readonly robust?: number;
}

/** The clipped sums of a logical batch, one set a lane, not noisy yet. */
export interface BatchSums {
  readonly measures: BatchMeasures;
  readonly sums: readonly (readonly HostTensor[])[];
}

type Inputs = Readonly<Record<string, HostTensor>>;

/** The sessions of a private step. */
export interface PrivateSession {
  readonly lanes: number;
  /** The session of the first lane, for checks. */
  readonly first: Session;
  /**
   * Sums the clipped gradients of `samples` in physical batches. `inputsOf` makes the inputs of up to `rows` samples: samples (attacked, where
   * that is no part of the graph), targets and random numbers, filled up to all rows. Errors: `run/failed`.
   */
  sum(
    samples: Int32Array,
    weights: readonly HostTensor[],
    shared: Readonly<Record<string, HostTensor>>,
    inputsOf: (samples: Int32Array) => Inputs | Promise<Inputs>,
  ): Promise<BatchSums>;
  readonly update: Session;
  close(): Promise<void>;
}

/** Opens `gradient` once a lane, and the update. Errors: `run/failed`. */
export async function openPrivateSession(
  engine: Engine,
  gradient: PrivateGradient,
  update: PrivateUpdate,
  lanes: number,
): Promise<PrivateSession> {
  const open = (model: Model, pairs: readonly Pick<CarriedSum, 'input' | 'output'>[], lane: number) =>
    engine.open(model, {
      carry: Object.fromEntries(pairs.map(({ input, output }) => [input, output])),
      lane,
      ...(lanes > 1 ? { threads: 1 } : {}),
    });
  const { sessions, close } = await openTogether([
    open(update.model, update.carried, 0),
    ...Array.from({ length: lanes }, (_, lane) => open(gradient.model, gradient.sums, lane)),
  ]);
  const [moving, ...summing] = sessions;
  const zeros = gradient.sums.map(({ dims }) => f32(new Float32Array(elementCount(dims)), dims));
  return {
    lanes,
    first: summing[0]!,
    update: moving!,
    close,
    async sum(samples, weights, shared, inputsOf) {
      const share = Math.ceil(samples.length / lanes);
      const results = await Promise.all(
        summing.map((session, lane) =>
          sumOf(gradient, session, samples.subarray(lane * share, (lane + 1) * share), {
            weights,
            zeros,
            shared,
            inputsOf,
          }),
        ),
      );
      return {
        measures: together(results.map(({ measures }) => measures)),
        sums: results.map((r) => r.sums),
      };
    },
  };
}

/** The clipped sum of some samples on one lane. */
async function sumOf(
  gradient: PrivateGradient,
  session: Session,
  samples: Int32Array,
  {
    weights,
    zeros,
    shared,
    inputsOf,
  }: {
    readonly weights: readonly HostTensor[];
    /** Where each sum begins. */
    readonly zeros: readonly HostTensor[];
    readonly shared: Readonly<Record<string, HostTensor>>;
    readonly inputsOf: (samples: Int32Array) => Inputs | Promise<Inputs>;
  },
): Promise<{ readonly measures: BatchMeasures; readonly sums: readonly HostTensor[] }> {
  const { rows, inputs, sums } = gradient;
  const measured: BatchMeasures[] = [];
  let last = zeros;
  const running: Promise<void>[] = [];
  for (let from = 0; from < samples.length; from += rows) {
    const here = samples.subarray(from, from + rows);
    const isLast = from + rows >= samples.length;
    const names = Object.values(gradient.measures);
    const own = await inputsOf(here);
    const run = session
      .run(
        {
          ...shared,
          ...Object.fromEntries(inputs.weights.map((name, i) => [name, weights[i]!])),
          // Zeros begin the sum; what was summed before stays with the session.
          ...(from === 0 ? Object.fromEntries(zeros.map((zero, i) => [sums[i]!.input, zero])) : {}),
          ...own,
          [inputs.mask]: maskOf(here.length, rows),
        },
        { fetches: isLast ? [...names, ...sums.map(({ output }) => output)] : names },
      )
      .then((results) => {
        measured.push(measuresOf(gradient, here.length, results));
        if (isLast) last = sums.map(({ output }) => results[output]!);
      });
    // A failure is met below; those of later runs must not count as unhandled meanwhile.
    run.catch(() => {});
    running.push(run);
    if (running.length >= AHEAD) await running[running.length - AHEAD];
  }
  await Promise.all(running);
  return { measures: together(measured), sums: last };
}

function maskOf(samples: number, rows: number): HostTensor {
  return f32(new Float32Array(rows).fill(1, 0, samples), [rows]);
}

function measuresOf(
  { measures }: PrivateGradient,
  samples: number,
  results: Readonly<Record<string, HostTensor>>,
): BatchMeasures {
  const of = (name: string) => Number(results[name]!.data[0]);
  const { loss, norms, below, correct, robust } = measures;
  return {
    samples,
    loss: of(loss),
    norms: of(norms),
    below: of(below),
    ...(correct ? { correct: of(correct) } : {}),
    ...(robust ? { robust: of(robust) } : {}),
  };
}

/** The sum of measures. */
export function together(parts: readonly BatchMeasures[]): BatchMeasures {
  const sum = (of: (part: BatchMeasures) => number) => parts.reduce((all, part) => all + of(part), 0);
  // A batch without samples has counted nothing.
  const counts = (of: 'correct' | 'robust') =>
    parts.some((part) => part[of] !== undefined) ? { [of]: sum((part) => part[of] ?? 0) } : {};
  return {
    samples: sum(({ samples }) => samples),
    loss: sum(({ loss }) => loss),
    norms: sum(({ norms }) => norms),
    below: sum(({ below }) => below),
    ...counts('correct'),
    ...counts('robust'),
  };
}
