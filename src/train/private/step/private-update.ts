import { GraphBuilder, type Value } from '../../../onnx/graph-builder.ts';
import type { Model } from '../../../onnx/model.ts';
import { type Ops, opsOn } from '../../../transform/ops.ts';
import type { Optimiser } from '../../optimise/optimiser.ts';
import type { Carried } from '../../step/step.ts';
import { clockInputs, writeUpdate } from '../../step/update.ts';
import type { CarriedSum } from '../gradient/private-gradient.ts';

/** Binary digits of the noise's standard deviation that the released sum keeps. */
const DIGITS = 24;

/** What {@link buildPrivateUpdate} writes. */
export interface PrivateUpdateOptions {
  readonly optimiser: Optimiser;
  /** Expected samples in a logical batch: a public constant, never the number that was drawn. */
  readonly expected: number;
  /** Sums that are added up, one a lane. */
  readonly lanes: number;
}

/** The second half of a private step: noise, and the optimiser's update. */
export interface PrivateUpdate {
  readonly model: Model;
  readonly inputs: {
    /** int64 scalar, from 1, and the learning rate, float32 scalar. */
    readonly step: string;
    readonly rate: string;
    /** Spacing of the values that a noisy sum can take, float64 scalar (see {@link gridFor}). */
    readonly grid: string;
    /** float64, in the order of the weights. */
    readonly noise: readonly string[];
    /** For each lane, in the order of the weights. */
    readonly sums: readonly (readonly string[])[];
  };
  readonly carried: readonly Carried[];
}

/**
 * Writes `g = round((Σ sums + noise) / grid) · grid / expected` and the update by `g`. Sum and rounding are in float64.
 *
 * The rounding is for privacy: normal numbers in floating point lie with known gaps, which shift with what they are added to (Mironov
 * 2012). On a grid some 2²⁰ times coarser than those gaps, each value can come out of every sum, and its probability is that of
 * the exact mechanism up to a share of some 10⁻⁶; what follows is postprocessing.
 */
export function buildPrivateUpdate(
  weights: readonly CarriedSum[],
  { optimiser, expected, lanes }: PrivateUpdateOptions,
): PrivateUpdate {
  const b = opsOn(new GraphBuilder());
  const clock = clockInputs(b);
  const grid = b.builder.input('grid', 'float64', []);
  const held = weights.map(({ name, dims }) => ({ name, value: b.builder.input(name, 'float32', dims) }));
  const noise = weights.map(({ name, dims }) => b.builder.input(`${name}/noise`, 'float64', dims));
  const sums = Array.from({ length: lanes }, (_, lane) =>
    weights.map(({ name, dims }) => b.builder.input(`${name}/sum/${lane}`, 'float32', dims)),
  );
  const gradients = weights.map((_, i) => {
    const sum = sums.map((lane) => b.cast(lane[i]!, 'float64')).reduce((total, part) => b.add(total, part));
    return b.cast(b.div(onGrid(b, b.add(sum, noise[i]!), grid), expected), 'float32');
  });
  const moved = writeUpdate(b, held, gradients, { optimiser }, clock);
  const results = new Map<string, Value>();
  const carried = moved.flatMap(({ name, weight, slots }): Carried[] => {
    const carry = (what: Pick<Carried, 'role' | 'slot'>, hint: string, { before, after }: typeof weight) => {
      const output = b.builder.freshName(`${hint}/next`);
      results.set(output, after);
      return { ...what, name, dims: before.dims, input: before.name, output };
    };
    return [
      carry({ role: 'weight' }, name, weight),
      ...slots.map((slot) => carry({ role: 'slot', slot: slot.name }, `${name}/${slot.name}`, slot)),
    ];
  });
  return {
    model: b.builder.build(Object.fromEntries(results), { name: 'private update' }),
    inputs: {
      step: clock.step.name,
      rate: clock.rate.name,
      grid: grid.name,
      noise: noise.map(({ name }) => name),
      sums: sums.map((lane) => lane.map(({ name }) => name)),
    },
    carried,
  };
}

function onGrid(b: Ops, value: Value, grid: Value): Value {
  return b.mul(b.unary('Round', b.div(value, grid)), grid);
}

/** The grid for noise of this standard deviation: a power of two, so that rounding to it is exact. */
export function gridFor(sigma: number): number {
  return 2 ** (Math.floor(Math.log2(sigma)) - DIGITS);
}
