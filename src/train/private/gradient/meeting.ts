import { GlacisError } from '../../../core/error.ts';
import { attributesOf } from '../../../onnx/attributes.ts';
import type { BuiltNode, Value } from '../../../onnx/graph-builder.ts';
import { takenBy } from '../../../transform/gradient/rules/slice.ts';
import { unslice } from '../../../transform/gradient/unslice.ts';
import type { Cotangent } from '../../../transform/gradient/vjp.ts';
import { type Ops, sameDims } from '../../../transform/ops.ts';

/** A node on the way from a weight to where it meets samples. */
export interface PathStep {
  readonly built: BuiltNode;
  /** Which of its outputs the way takes. */
  readonly output: number;
}

/** A value made from weights alone, as nodes take it that also take something of the samples; along one way from one weight. */
export interface Meeting {
  readonly value: Value;
  readonly weight: Value;
  /** Moves the weight's elements, or a part of them, each to one place, in order. */
  readonly path: readonly PathStep[];
}

/**
 * Operators that only move elements, so that norms stay what they are. `Split` and `Slice` take a part; `Add` joins two ways, each of
 * which gets the gradient.
 */
const MOVING: ReadonlySet<string> = new Set(
  'Add Flatten Identity Reshape Slice Split Squeeze Transpose Unsqueeze'.split(' '),
);

/** What a gradient flows from, and values that it does not flow through. */
export interface Flow {
  readonly seeds: readonly Cotangent[];
  readonly constants?: readonly Value[];
}

/**
 * Where weights and samples meet: every value of the graph that depends on weights only and is taken by a node that depends on other
 * inputs of the graph as well. Gradients that end there have a share for each sample; behind it (towards the weight) they have not. Only nodes that
 * the gradient flows through count: an inner attack meets weights, too, and what it makes of them is a constant.
 * Errors: `model/unsupported-task` for weights that are computed with before they meet samples, naming the operator.
 */
export function meetingsOf(b: Ops, weights: readonly Value[], flow: Flow): readonly Meeting[] {
  const { inputs, nodes } = b.builder;
  const crossed = crossedBy(b, flow);
  const ofWeights = new Set(weights.map(({ name }) => name));
  const ofSamples = new Set(inputs.filter(({ name }) => !ofWeights.has(name)).map(({ name }) => name));
  const met = new Map<string, Value>();
  for (const node of nodes) {
    const taken = node.inputs.filter((v) => v !== null);
    const mine = taken.filter(({ name }) => ofWeights.has(name));
    const isOfSamples = taken.some(({ name }) => ofSamples.has(name));
    if (isOfSamples && crossed.has(node)) for (const value of mine) met.set(value.name, value);
    const side = isOfSamples ? ofSamples : mine.length > 0 ? ofWeights : undefined;
    if (side) for (const { name } of node.outputs) side.add(name);
  }
  const isWeight = new Set(weights.map(({ name }) => name));
  return [...met.values()].flatMap((value) =>
    waysTo(b, value, isWeight).map(({ weight, path }) => ({ value, weight, path })),
  );
}

/** The nodes between the seeds and whatever they depend on, not beyond constants. */
function crossedBy(b: Ops, { seeds, constants = [] }: Flow): ReadonlySet<BuiltNode> {
  const ends = new Set(constants.map(({ name }) => name));
  const crossed = new Set<BuiltNode>();
  const waiting = seeds.map(({ value }) => value);
  for (let value = waiting.pop(); value; value = waiting.pop()) {
    const built = ends.has(value.name) ? undefined : b.builder.producer(value);
    if (!built || crossed.has(built)) continue;
    crossed.add(built);
    waiting.push(...built.inputs.filter((v) => v !== null));
  }
  return crossed;
}

function waysTo(b: Ops, to: Value, weights: ReadonlySet<string>): readonly Omit<Meeting, 'value'>[] {
  if (weights.has(to.name)) return [{ weight: to, path: [] }];
  const built = b.builder.producer(to)!;
  const { node, inputs, outputs } = built;
  const ahead = node.op === 'Add' ? inputs : inputs.slice(0, 1);
  const isMoving =
    MOVING.has(node.op) &&
    node.domain === '' &&
    ahead.every((v) => v && !v.data && (node.op !== 'Add' || sameDims(v.dims, to.dims)));
  if (!isMoving)
    throw new GlacisError(
      'model/unsupported-task',
      `private training: expected weights that layers take as they are, got ${node.name} (${node.op}) in between; leave its weights out of those that are trained`,
    );
  const step = { built, output: outputs.findIndex(({ name }) => name === to.name) };
  return ahead.flatMap((v) =>
    waysTo(b, v!, weights).map(({ weight, path }) => ({ weight, path: [...path, step] })),
  );
}

/** A gradient of a meeting's value as one of its weight along the meeting's way; with `lead` 1 it has an axis of samples in front. */
export function towardsWeight(b: Ops, { path, weight }: Meeting, gradient: Value, lead: 0 | 1): Value {
  const before = gradient.dims.slice(0, lead);
  const g = path.toReversed().reduce((at, step) => behind(b, at, step, before), gradient);
  return b.reshape(g, [...before, ...weight.dims]);
}

function behind(b: Ops, g: Value, { built, output }: PathStep, before: readonly number[]): Value {
  const { node, inputs, outputs } = built;
  const [from] = inputs;
  const lead = before.length;
  if (node.op === 'Slice') {
    const taken = takenBy(inputs, outputs[0]!).map((each) => ({ ...each, axis: lead + each.axis }));
    return unslice(b, g, [...before, ...from!.dims], taken);
  }
  const ramp = [...from!.dims.keys()];
  if (node.op === 'Transpose') {
    const perm = attributesOf(node).ints('perm', ramp.toReversed());
    return b.transpose(g, [...before.keys(), ...ramp.map((axis) => lead + perm.indexOf(axis))]);
  }
  if (node.op === 'Split') {
    const axis = (attributesOf(node).int('axis', 0) + ramp.length) % ramp.length;
    const sizes = outputs.map(({ dims }) => dims[axis]!);
    const zeros = new Array<number>(lead + ramp.length).fill(0);
    const total = (parts: readonly number[]) => parts.reduce((sum, size) => sum + size, 0);
    return b.pad(
      g,
      zeros.with(lead + axis, total(sizes.slice(0, output))),
      zeros.with(lead + axis, total(sizes.slice(output + 1))),
    );
  }
  return b.reshape(g, [...before, ...from!.dims]);
}

/**
 * Meetings of one weight in groups that meet different elements of it, as parts of one `Split`; one group where that is not certain.
 */
export function disjoint<T>(met: readonly T[], meetingOf: (each: T) => Meeting): readonly (readonly T[])[] {
  const splitOf = (each: T) => meetingOf(each).path.find(({ built }) => built.node.op === 'Split');
  const names = new Set(met.map((each) => splitOf(each)?.built.node.name));
  if (met.length < 2 || names.size > 1 || names.has(undefined)) return [met];
  const groups = new Map<number, T[]>();
  for (const each of met) {
    const { output } = splitOf(each)!;
    groups.set(output, [...(groups.get(output) ?? []), each]);
  }
  return [...groups.values()];
}
