import type { BuiltNode, Value } from '../onnx/graph-builder.ts';
import { RANDOM_OPERATORS } from '../onnx/random-operators.ts';
import { numbersOf } from '../onnx/tensor.ts';
import { stepsFrom } from './steps.ts';

/** What stands in a gradient's way between a model's input and its logits. Operators by name, A to Z, each once. */
export interface Obstacles {
  /**
   * Steps that `rounding: 'straight-through'` passes: rounding, signs, quantisation (which is written as `Round`), and comparisons and
   * whole numbers that become floats again (as `Greater` and the like, and `Cast`).
   */
  readonly stepped: readonly string[];
  /** Where floats that were integers or bools on the way become floats again in other ways: no gradient passes at all. */
  readonly cut: readonly string[];
  /** Operators that draw random numbers. */
  readonly random: readonly string[];
  /** Functions that saturate, behind which a gradient is small where they are steep: no obstacles by themselves. */
  readonly saturating: readonly string[];
}

/** Functions that `saturation: 'wide'` takes as gentler ones. */
const SATURATING = new Set(['Atan', 'Erf', 'Sigmoid', 'Softsign', 'Tanh']);

/**
 * Looks for obstacles among `nodes` (in topological order), on the ways from `x` to `logits` only; switches are none
 * ({@link stepsFrom}). Random operators count whether or not they see the input. Nothing is run. Cost: linear in the graph.
 */
export function obstaclesIn(nodes: readonly BuiltNode[], x: Value, logits: Value): Obstacles {
  const onTheWay = neededFor(nodes, logits);
  const { steps } = stepsFrom(onTheWay, [x.name]);
  const named = (passable: boolean) =>
    sorted(steps.filter((step) => step.passable === passable).map(({ op }) => op));
  return {
    stepped: named(true),
    cut: named(false),
    random: sorted(onTheWay.filter(drawsAtRandom).map(({ node }) => node.op)),
    saturating: sorted(
      onTheWay.flatMap(({ node: { domain, op } }) => (domain === '' && SATURATING.has(op) ? [op] : [])),
    ),
  };
}

const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

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

/** A `Dropout` draws only in training. */
function drawsAtRandom({ node, inputs }: BuiltNode): boolean {
  if (node.domain !== '' || !RANDOM_OPERATORS.has(node.op)) return false;
  if (node.op !== 'Dropout') return true;
  const [, ratio, training] = inputs;
  const isZero = (v: Value | null | undefined) => v?.data !== undefined && numbersOf(v.data)[0] === 0;
  return Boolean(training) && !isZero(training) && !isZero(ratio);
}
