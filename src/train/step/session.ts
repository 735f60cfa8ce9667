import type { Model } from '../../onnx/model.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { f32, type HostData, type HostTensor, i64 } from '../../runtime/array.ts';
import type { Engine, Session } from '../../runtime/engine.ts';
import { lanesFor, openTogether } from './lanes.ts';
import { buildPartedStep, type PartedStep } from './parted.ts';
import type { StepOptions, TrainingStep } from './step.ts';

/**
 * Opens a session for `step`, built from `model` with `options`. What is carried is fed to the first run only and stays with
 * the session; it comes back where it is fetched by name.
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
  const parts = partsFor(engine, step, options);
  if (parts === 1) return engine.open(step.model, { carry: carriedBy(step) });
  const parted = buildPartedStep(model, step, options, parts);
  const settings = { threads: 1 };
  const { sessions, close } = await openTogether([
    engine.open(parted.update, { ...settings, carry: carriedBy(step) }),
    ...Array.from({ length: parts }, (_, lane) => engine.open(parted.gradient, { ...settings, lane })),
  ]);
  return joined(step, parted, sessions, close);
}

/** In how many parts the batch is computed. */
function partsFor(engine: Engine, { batch, carried }: TrainingStep, { objective }: StepOptions): number {
  const count = (role: string) =>
    carried.reduce((sum, each) => sum + (each.role === role ? elementCount(each.dims) : 0), 0);
  const lanes = lanesFor(engine, count('weight'));
  const isAdditive = objective.isAdditive && count('statistic') === 0;
  return isAdditive && batch % lanes === 0 && batch >= 2 * lanes ? lanes : 1;
}

/** Which of the step's inputs take which of its outputs in the next step. */
function carriedBy({ carried }: TrainingStep): Readonly<Record<string, string>> {
  return Object.fromEntries(carried.map(({ input, output }) => [input, output]));
}

/** The sessions of the parts and of the update as one session of the whole step. */
function joined(
  step: TrainingStep,
  parted: PartedStep,
  [update, ...gradients]: readonly Session[],
  close: () => Promise<void>,
): Session {
  const { inputs, draws } = step;
  const held = step.carried.filter(({ role }) => role === 'weight');
  const ofSamples = [
    inputs.x,
    ...(inputs.attacked === undefined ? [] : [inputs.attacked]),
    inputs.targets,
    ...draws.map((draw) => draw.input),
  ];
  const ofAll = Object.values(inputs.settings);
  const measures = Object.entries(step.measures) as [keyof TrainingStep['measures'], string][];
  const own = new Set(measures.map(([, name]) => name));
  let weights: readonly HostTensor[] = [];
  /** Whether whoever fetched these weights has the same arrays. */
  let isShared = false;
  return {
    inputs: [...new Set([...update!.inputs, ...ofSamples, ...ofAll])],
    outputs: [...own, ...update!.outputs],
    async run(feeds, { fetches = [], transfer = false } = {}) {
      weights = held.map(({ input }, i) => feeds[input] ?? weights[i]!);
      const last = gradients.length - 1;
      const results = await Promise.all(
        gradients.map((session, part) =>
          session.run(
            Object.fromEntries([
              // The session's own weights go to the last part as they are, unless somebody else has them, too.
              ...held.map(({ input }, i) => {
                const isSpare = part === last && !isShared && feeds[input] === undefined;
                return [parted.weights[i]!, isSpare ? weights[i]! : copyOf(weights[i]!)] as const;
              }),
              ...ofAll.map((name) => [name, copyOf(feeds[name]!)] as const),
              ...ofSamples.map((name) => [name, rowsOf(feeds[name]!, part, parted.rows)] as const),
            ]),
            { transfer: true },
          ),
        ),
      );
      const sums = results.flatMap((result, part) =>
        parted.gradients.map((name, i) => [parted.parts[part]![i]!, result[name]!] as const),
      );
      const rest = Object.entries(feeds).filter(
        ([name]) => !ofSamples.includes(name) && !ofAll.includes(name),
      );
      const wanted = fetches.filter((name) => !own.has(name));
      const nextWeights = held.map(({ output }) => output);
      const next = await update!.run(Object.fromEntries([...rest, ...sums]), {
        fetches: [...new Set([...nextWeights, ...wanted])],
        transfer,
      });
      weights = nextWeights.map((name) => next[name]!);
      isShared = wanted.some((name) => nextWeights.includes(name));
      return {
        ...Object.fromEntries(
          measures.map(([key, name]) => [name, total(results, key, parted.measures[key]!)]),
        ),
        ...Object.fromEntries(wanted.map((name) => [name, next[name]!])),
      };
    },
    close,
  };
}

/** The sum of a measure over the parts. */
function total(
  results: readonly Record<string, HostTensor>[],
  key: keyof TrainingStep['measures'],
  name: string,
): HostTensor {
  const sum = results.reduce((all, result) => all + Number(result[name]!.data[0]), 0);
  return key === 'loss' ? f32(Float32Array.of(sum), []) : i64([sum], []);
}

function copyOf(tensor: HostTensor): HostTensor {
  return { ...tensor, data: tensor.data.slice() as HostData };
}

/** A copy of the rows of one part. */
function rowsOf({ dtype, dims, data }: HostTensor, part: number, rows: number): HostTensor {
  const width = data.length / dims[0]!;
  return {
    dtype,
    dims: [rows, ...dims.slice(1)],
    data: data.slice(part * rows * width, (part + 1) * rows * width) as HostData,
  };
}
