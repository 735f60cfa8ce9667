import type { Model } from '../onnx/model.ts';
import { elementCount } from '../onnx/tensor.ts';
import { f32, type HostData, type HostTensor, i64 } from '../runtime/array.ts';
import type { Engine, Session } from '../runtime/engine.ts';
import { buildPartedStep, type PartedStep } from './parted-step.ts';
import type { StepOptions, TrainingStep } from './step.ts';

/** Networks with more weights than this split their operators between threads, not the batch. */
const MOST_WEIGHTS = 1 << 20;

/**
 * Opens a session for `step`, built from `model` with `options`. Weights and moments are fed to the first run only and stay with
 * the session; they come back where they are fetched by name.
 *
 * In small networks most operators are too short to be split between threads: there each thread computes the gradients of a part
 * of the batch on its own, and one of them makes the update. Every run then hands weights to the threads and gradients back.
 */
export async function openStep(
  engine: Engine,
  model: Model,
  step: TrainingStep,
  options: StepOptions,
): Promise<Session> {
  const parts = partsFor(engine, step);
  if (parts === 1) return engine.open(step.model, { carry: carriedBy(step) });
  const parted = buildPartedStep(model, step, options, parts);
  const settings = { threads: 1 };
  const opened = await Promise.allSettled([
    engine.open(parted.update, { ...settings, carry: carriedBy(step) }),
    ...Array.from({ length: parts }, (_, lane) => engine.open(parted.gradient, { ...settings, lane })),
  ]);
  const sessions = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async () => {
    await Promise.all(sessions.map((session) => session.close()));
  };
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  return joined(step, parted, sessions, close);
}

/** In how many parts the batch is computed. */
function partsFor({ device, threads }: Engine, { batch, parameters }: TrainingStep): number {
  const weights = parameters.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  const fits = device === 'cpu' && batch % threads === 0 && batch >= 2 * threads;
  return fits && weights <= MOST_WEIGHTS ? threads : 1;
}

/** Which of the step's inputs take which of its outputs in the next step. */
function carriedBy(step: TrainingStep): Readonly<Record<string, string>> {
  const keys = ['weight', 'first', 'second'] as const;
  return Object.fromEntries(
    step.parameters.flatMap(({ inputs, outputs }) => keys.map((key) => [inputs[key], outputs[key]])),
  );
}

/** The sessions of the parts and of the update as one session of the whole step. */
function joined(
  step: TrainingStep,
  parted: PartedStep,
  [update, ...gradients]: readonly Session[],
  close: () => Promise<void>,
): Session {
  const { inputs, outputs, parameters } = step;
  const nextWeights = parameters.map((p) => p.outputs.weight);
  let weights: readonly HostTensor[] = [];
  return {
    inputs: update!.inputs,
    outputs: [outputs.loss, outputs.correct, ...update!.outputs],
    async run(feeds, { fetches = [], transfer = false } = {}) {
      const { [inputs.x]: x, [inputs.labels]: labels, ...others } = feeds;
      weights = parameters.map((p, i) => others[p.inputs.weight] ?? weights[i]!);
      const held = Object.fromEntries(parted.inputs.weights.map((name, i) => [name, weights[i]!]));
      const results = await Promise.all(
        gradients.map((session, part) =>
          session.run({
            ...held,
            [parted.inputs.x]: rowsOf(x!, part, parted.rows),
            [parted.inputs.labels]: rowsOf(labels!, part, parted.rows),
          }),
        ),
      );
      const sums = results.flatMap((result, part) =>
        parted.outputs.gradients.map((name, i) => [parted.parts[part]![i]!, result[name]!] as const),
      );
      const wanted = fetches.filter((name) => name !== outputs.loss && name !== outputs.correct);
      const next = await update!.run(
        { ...others, ...Object.fromEntries(sums) },
        { fetches: [...new Set([...nextWeights, ...wanted])], transfer },
      );
      weights = nextWeights.map((name) => next[name]!);
      const total = (name: string) => results.reduce((sum, result) => sum + Number(result[name]!.data[0]), 0);
      return {
        [outputs.loss]: f32(Float32Array.of(total(parted.outputs.loss)), []),
        [outputs.correct]: i64([total(parted.outputs.correct)], []),
        ...Object.fromEntries(wanted.map((name) => [name, next[name]!])),
      };
    },
    close,
  };
}

/** The rows of one part. */
function rowsOf({ dtype, dims, data }: HostTensor, part: number, rows: number): HostTensor {
  const width = data.length / dims[0]!;
  return {
    dtype,
    dims: [rows, ...dims.slice(1)],
    data: data.slice(part * rows * width, (part + 1) * rows * width) as HostData,
  };
}
