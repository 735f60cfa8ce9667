import type { Model } from '../onnx/model.ts';
import { elementCount, float32Tensor, numbersOf, stridesOf, type Tensor } from '../onnx/tensor.ts';
import { f32, type HostTensor } from '../runtime/array.ts';
import type { Optimiser } from './optimise/optimiser.ts';
import { heldOrder } from './step/held-order.ts';
import type { Carried, TrainingStep } from './step/step.ts';

/** What a step carries on to the next, by {@link keyOf}: all that a run needs to go on. */
export type TrainingState = ReadonlyMap<string, Float32Array>;

/** What a state belongs to. */
type Carrying = Pick<TrainingStep, 'carried'>;

/** The name of a carried array in a {@link TrainingState}. */
export function keyOf({ role, name, slot }: Carried): string {
  return slot === undefined ? `${role}:${name}` : `${role}:${name}:${slot}`;
}

/** The state before the first step: the model's weights and statistics, and what the optimiser starts from. */
export function initialState(model: Model, step: Carrying, optimiser: Optimiser): TrainingState {
  const state = new Map<string, Float32Array>();
  for (const each of step.carried) {
    const starts = optimiser.slots.find(({ name }) => name === each.slot)?.starts;
    const isZero = each.role === 'kept' || (each.role === 'slot' && starts === 'at zero');
    state.set(keyOf(each), isZero ? new Float32Array(elementCount(each.dims)) : held(model, each.name));
  }
  return state;
}

/** An initializer's numbers in the order in which steps hold them. */
function held(model: Model, name: string): Float32Array {
  const tensor = model.graph.initializers.get(name)!;
  return transposed(Float32Array.from(numbersOf(tensor)), tensor.dims, heldOrder(tensor.dims));
}

/** A state as the inputs of a step, in copies. */
export function feedsOf(step: Carrying, state: TrainingState): Record<string, HostTensor> {
  return Object.fromEntries(
    step.carried.map((each) => [each.input, f32(state.get(keyOf(each))!.slice(), each.dims)]),
  );
}

/** The state in the results of a step that fetched all carried outputs. */
export function stateFrom(step: Carrying, results: Readonly<Record<string, HostTensor>>): TrainingState {
  return new Map(step.carried.map((each) => [keyOf(each), results[each.output]!.data as Float32Array]));
}

/** Whether all numbers of a state are finite. */
export function isAllFinite(state: TrainingState): boolean {
  for (const values of state.values()) for (const v of values) if (!Number.isFinite(v)) return false;
  return true;
}

/**
 * The model with the weights and statistics of a state; with `average`, the weights are those of that slot (see `withAverage`).
 */
export function withState(model: Model, step: Carrying, state: TrainingState, average?: string): Model {
  const initializers = new Map<string, Tensor>(model.graph.initializers);
  for (const each of step.carried) {
    const isWeight = average === undefined ? each.role === 'weight' : each.slot === average;
    if (!isWeight && each.role !== 'statistic') continue;
    const dims = initializers.get(each.name)!.dims;
    const order = heldOrder(dims);
    const back = order.map((_, axis) => order.indexOf(axis));
    initializers.set(each.name, float32Tensor(dims, transposed(state.get(keyOf(each))!, each.dims, back)));
  }
  return { ...model, graph: { ...model.graph, initializers } };
}

/** A copy of `data` of `dims` with its axes in another order. */
function transposed(data: Float32Array, dims: readonly number[], order: readonly number[]): Float32Array {
  if (dims.length < 2) return data.slice();
  const strides = stridesOf(dims);
  const steps = order.map((axis) => strides[axis]!);
  const sizes = order.map((axis) => dims[axis]!);
  const out = new Float32Array(data.length);
  let to = 0;
  const copy = (axis: number, from: number): void => {
    const step = steps[axis]!;
    const end = from + sizes[axis]! * step;
    if (axis < sizes.length - 1) for (let at = from; at < end; at += step) copy(axis + 1, at);
    else for (let at = from; at < end; at += step) out[to++] = data[at]!;
  };
  copy(0, 0);
  return out;
}
