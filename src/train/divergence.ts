import { stat } from 'node:fs/promises';
import { GlacisError } from '../core/error.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/model.ts';
import { f32, type HostTensor } from '../runtime/array.ts';
import { attackedInputs } from './attacked-inputs.ts';
import type { Phase } from './epoch.ts';
import type { Run } from './run.ts';
import { feedsOf, isAllFinite, keyOf, stateFrom, type TrainingState } from './state.ts';
import { heldArrays } from './step/held-arrays.ts';
import { openNetwork } from './step/network.ts';
import type { TrainingStep } from './step/step.ts';

/** The batches of an epoch, by the step's number over all epochs. */
export interface Batches {
  inputsOf(at: number): Record<string, HostTensor>;
  /** Numbers of the training samples in the batch. */
  samplesOf(at: number): Int32Array;
}

/** Steps to look at again. */
export interface Stretch extends Batches {
  /** The step at which the run's state was kept. */
  readonly from: number;
  /** The step whose loss, or after which a weight, was not finite. */
  readonly at: number;
}

/** The error for a step whose loss, or after which a weight, is not finite: which step, where it began, and what is left. */
export async function divergence(
  run: Run,
  phase: Phase,
  stretch: Stretch,
  loss: number,
): Promise<GlacisError> {
  const { checkpoint } = run.options;
  const cause = await findCause(run, phase, stretch).catch(() => undefined);
  const isKept =
    checkpoint !== undefined && (await stat(checkpoint.path).catch(() => undefined)) !== undefined;
  const epoch = run.journal.epochs.length;
  const step = run.journal.open.steps + 1;
  const found = Number.isFinite(loss) ? 'weights that are not' : loss;
  return new GlacisError(
    'run/failed',
    [
      `training: expected a finite loss, got ${found} in step ${step} of epoch ${epoch + 1}${cause ? `: ${cause}` : ''}`,
      'lower the learning rate or clip the gradients',
      ...(isKept ? [`${checkpoint.path} holds the last good state`] : []),
    ].join('; '),
  );
}

/**
 * Where numbers stopped being finite, in words: the steps since the last kept state are made again (to the same bytes, because all they depend
 * on is there), then the failing one is run layer by layer. Names the first layer whose output is not finite and the largest weight.
 */
async function findCause(run: Run, phase: Phase, { from, at, ...batches }: Stretch): Promise<string> {
  const { step, session } = phase;
  const fetches = step.carried.map(({ output }) => output);
  let state = run.states.get('now')!;
  let broken: TrainingState | undefined;
  let last = from;
  const inputsWith = (number: number, held: TrainingState) =>
    attackedInputs(run, phase, {
      inputs: batches.inputsOf(number),
      samples: batches.samplesOf(number),
      at: number,
      ...heldArrays(step, (each) => f32(held.get(keyOf(each))!, each.dims)),
    });
  for (; last <= at; last++) {
    const feeds = { ...(last === from ? feedsOf(step, state) : {}), ...(await inputsWith(last, state)) };
    const next = stateFrom(step, await session.run(feeds, { fetches }));
    if (!isAllFinite(next)) {
      broken = next;
      break;
    }
    state = next;
  }
  const failing = Math.min(last, at);
  const inputs = await inputsWith(failing, state);
  const cause =
    badSample(inputs[seenBy(step)]!, batches.samplesOf(failing)) ??
    (await badLayer(run, phase, state, inputs)) ??
    badUpdate(phase, broken, failing < at ? at - failing : 0);
  return `${cause}; ${largestWeight(phase, state)}`;
}

/** The input whose samples the network sees. */
const seenBy = ({ inputs }: TrainingStep): string => inputs.attacked ?? inputs.x;

function badSample({ data }: HostTensor, samples: Int32Array): string | undefined {
  const values = data as Float32Array;
  const place = values.findIndex((v) => !Number.isFinite(v));
  if (place < 0) return undefined;
  return `sample ${samples[Math.floor((place * samples.length) / values.length)]} of the training data holds a value that is not finite`;
}

/** Runs the network with all that its nodes give. */
async function badLayer(
  { engine, model, settings }: Run,
  { step }: Phase,
  state: TrainingState,
  inputs: Readonly<Record<string, HostTensor>>,
): Promise<string | undefined> {
  const network = openNetwork(model, settings.parameters, step.batch);
  const layers = [...network.layers(network.x)].filter(([, value]) => isFloat(value.dtype));
  const { builder } = network.trace.b;
  const asked = layers.map(([, value], i) => [`layer ${i}`, value] as const);
  const session = await engine.open(builder.build(Object.fromEntries(asked)), { optimise: 'disabled' });
  const held = (name: string) => step.carried.find((each) => each.name === name && each.slot === undefined)!;
  const known: Record<string, HostTensor> = { ...inputs, [network.x.name]: inputs[seenBy(step)]! };
  for (const { name, value } of [
    ...network.weights,
    ...network.statistics().map(({ name, before }) => ({ name, value: before })),
  ])
    known[value.name] = f32(state.get(keyOf(held(name)))!, value.dims);
  try {
    const feeds = Object.fromEntries(session.inputs.map((name) => [name, known[name]!]));
    const results = await session.run(feeds);
    const first = layers.findIndex(([, { dtype }], i) => {
      const { data } = results[`layer ${i}`]!;
      return dtype === 'float32' && !(data as Float32Array).every((v) => Number.isFinite(v));
    });
    if (first < 0) return undefined;
    const name = layers[first]![0];
    return `the first values that are not finite come out of ${nodeName(model.graph.nodes.find(({ outputs }) => outputs.includes(name))!)}`;
  } finally {
    await session.close();
  }
}

function nodeName({ name, op, outputs }: Node): string {
  return `${name || outputs[0]} (${op})`;
}

/** All layers are finite: the loss, an attack or the update was not. */
function badUpdate({ step, objective }: Phase, broken: TrainingState | undefined, before: number): string {
  const first =
    broken && step.carried.find((each) => broken.get(keyOf(each))!.some((v) => !Number.isFinite(v)));
  const when = before === 0 ? '' : `, ${before} ${before === 1 ? 'step' : 'steps'} before`;
  return first
    ? `all layers are finite for the samples as they are, and the update of ${first.name} is not${when}`
    : `all layers are finite for the samples as they are, and what the objective ${objective.name} makes of them is not`;
}

function largestWeight({ step }: Phase, state: TrainingState): string {
  let largest = 0;
  let where = '';
  for (const each of step.carried) {
    if (each.role !== 'weight') continue;
    for (const v of state.get(keyOf(each))!)
      if (Math.abs(v) > largest) {
        largest = Math.abs(v);
        where = each.name;
      }
  }
  return `the largest weight before it is ${Number(largest.toPrecision(3))}, in ${where}`;
}
