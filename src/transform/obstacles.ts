import { isFloat } from '../onnx/dtype.ts';
import type { BuiltNode, Value } from '../onnx/graph-builder.ts';
import { RANDOM_OPERATORS } from '../onnx/random-operators.ts';
import { numbersOf } from '../onnx/tensor.ts';

/** What stands in a gradient's way between a model's input and its logits. Operators by name, A to Z, each once. */
export interface Obstacles {
  /** Steps that `rounding: 'straight-through'` passes: rounding, signs, quantisation (which is written as `Round`). */
  readonly stepped: readonly string[];
  /** Where floats that were integers or bools on the way become floats again: no gradient passes at all. */
  readonly cut: readonly string[];
  /** Operators that draw random numbers. */
  readonly random: readonly string[];
}

/** Operators that the gradient rules pass on as the identity, or as a smooth form, under `rounding: 'straight-through'`. */
const STEPPED = new Set(['Ceil', 'Floor', 'Hardmax', 'Round', 'Sign']);

/**
 * Looks for obstacles among `nodes` (in topological order), on the ways from `x` to `logits` only. A sign or comparison that does
 * nothing but multiply a value which has a gradient of its own (`x · sign(x)`, `x · (x > 0)`) is a switch and no obstacle. Random
 * operators count whether or not they see the input. Nothing is run. Cost: linear in the graph.
 */
export function obstaclesIn(nodes: readonly BuiltNode[], x: Value, logits: Value): Obstacles {
  const onTheWay = neededFor(nodes, logits);
  const random = new Set<string>();
  const steps: BuiltNode[] = [];
  const dependent = new Set([x.name]);
  /** Values that a gradient reaches without any step. */
  const smooth = new Set([x.name]);
  const users = new Map<string, BuiltNode[]>();
  for (const built of onTheWay) {
    const { node, inputs, outputs } = built;
    if (drawsAtRandom(built)) random.add(node.op);
    const from = inputs.filter((v): v is Value => v !== null && dependent.has(v.name));
    if (from.length === 0) continue;
    for (const { name } of from) {
      const known = users.get(name);
      if (known) known.push(built);
      else users.set(name, [built]);
    }
    const isStep = isStepped(built) || isCut(from, outputs);
    if (isStep) steps.push(built);
    for (const v of outputs) {
      dependent.add(v.name);
      if (!isStep && isFloat(v.dtype) && from.some((input) => smooth.has(input.name))) smooth.add(v.name);
    }
  }
  const stepped = new Set<string>();
  const cut = new Set<string>();
  for (const built of steps) {
    const { node, outputs } = built;
    const rounds = isStepped(built) && node.op !== 'Sign';
    if (!rounds && isSwitch(users.get(outputs[0]!.name) ?? [], smooth)) continue;
    (isStepped(built) ? stepped : cut).add(node.op);
  }
  const sorted = (names: ReadonlySet<string>) => [...names].sort();
  return { stepped: sorted(stepped), cut: sorted(cut), random: sorted(random) };
}

/** The nodes that `logits` is computed from, in their order. */
function neededFor(nodes: readonly BuiltNode[], logits: Value): readonly BuiltNode[] {
  const needed = new Set([logits.name]);
  const kept = nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((v) => needed.has(v.name))) return false;
    for (const v of inputs) if (v) needed.add(v.name);
    return true;
  });
  return kept.reverse();
}

function isStepped({ node }: BuiltNode): boolean {
  return node.domain === '' && STEPPED.has(node.op);
}

/** Whether floats come out of a node that sees the model's input only through integers or bools. */
function isCut(from: readonly Value[], [output]: readonly Value[]): boolean {
  return output !== undefined && isFloat(output.dtype) && !from.some((v) => isFloat(v.dtype));
}

/** Whether all that uses a value multiplies it with one that a gradient reaches. */
function isSwitch(users: readonly BuiltNode[], smooth: ReadonlySet<string>): boolean {
  return (
    users.length > 0 &&
    users.every(
      ({ node, inputs }) =>
        node.domain === '' && node.op === 'Mul' && inputs.some((v) => v !== null && smooth.has(v.name)),
    )
  );
}

/** A `Dropout` draws only in training. */
function drawsAtRandom({ node, inputs }: BuiltNode): boolean {
  if (node.domain !== '' || !RANDOM_OPERATORS.has(node.op)) return false;
  if (node.op !== 'Dropout') return true;
  const [, ratio, training] = inputs;
  const isZero = (v: Value | null | undefined) => v?.data !== undefined && numbersOf(v.data)[0] === 0;
  return Boolean(training) && !isZero(training) && !isZero(ratio);
}
