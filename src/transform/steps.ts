import { isFloat } from '../onnx/dtype.ts';
import type { BuiltNode, Value } from '../onnx/graph-builder.ts';
import { numbersOf } from '../onnx/tensor.ts';

/** A node behind which floats no longer follow the floats before it smoothly. */
interface Step {
  readonly built: BuiltNode;
  /** The operator to name: of a comparison that becomes a number it is the comparison. */
  readonly op: string;
  /** Whether the gradient rules pass it under `rounding: 'straight-through'`. */
  readonly passable: boolean;
}

/** What {@link stepsFrom} finds. */
interface Steps {
  readonly steps: readonly Step[];
  /** Names of integers and bools that stand for floats they were compared or cut off from, and may become floats again. */
  readonly carriers: ReadonlySet<string>;
}

/** Operators that the gradient rules pass on as the identity, or as a smooth form, under `rounding: 'straight-through'`. */
const STEPPED = new Set(['Ceil', 'Floor', 'Hardmax', 'Round', 'Sign']);
/** Comparisons with a direction; equality has none to go in. */
const COMPARISONS = new Set(['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);
/** What may be done to integers and bools on their way back to floats. */
const BETWEEN = new Set([
  'Cast',
  'Flatten',
  'Identity',
  'Not',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/**
 * Looks for steps among `nodes` (in topological order) on the ways from the values named `starts`: rounding, signs, and
 * where floats come out of integers or bools alone. A sign or comparison that does nothing but multiply a value which has a gradient
 * of its own (`x · sign(x)`, `x · (x > 0)`) is a switch and no step. Nothing is run. Cost: linear in the graph.
 */
export function stepsFrom(nodes: readonly BuiltNode[], starts: Iterable<string>): Steps {
  const dependent = new Set(starts);
  /** Values that a gradient reaches without any step. */
  const smooth = new Set(dependent);
  /** The comparison, or the `Cast` to integers, behind each integer or bool that stands for floats. */
  const origins = new Map<string, string>();
  const users = new Map<string, BuiltNode[]>();
  const found: Step[] = [];
  for (const built of nodes) {
    const { inputs, outputs } = built;
    const from = inputs.filter((v): v is Value => v !== null && dependent.has(v.name));
    if (from.length === 0) continue;
    for (const { name } of from) {
      const known = users.get(name);
      if (known) known.push(built);
      else users.set(name, [built]);
    }
    const origin = originOf(built, from, origins);
    if (origin !== undefined) origins.set(outputs[0]!.name, origin);
    const step = stepAt(built, from, origins);
    if (step) found.push(step);
    for (const v of outputs) {
      dependent.add(v.name);
      if (!step && isFloat(v.dtype) && from.some((input) => smooth.has(input.name))) smooth.add(v.name);
    }
  }
  const steps = found.filter(({ built }) => {
    const rounds = isStepped(built) && built.node.op !== 'Sign';
    return rounds || !isSwitch(users.get(built.outputs[0]!.name) ?? [], smooth);
  });
  return { steps, carriers: new Set(origins.keys()) };
}

function isStepped({ node }: BuiltNode): boolean {
  return node.domain === '' && STEPPED.has(node.op);
}

/** What an integer or bool that the node makes stands for: the comparison's or `Cast`'s name, `undefined` for nothing. */
function originOf(
  { node: { domain, op }, outputs: [output] }: BuiltNode,
  from: readonly Value[],
  origins: ReadonlyMap<string, string>,
): string | undefined {
  if (domain !== '' || !output || isFloat(output.dtype)) return undefined;
  const before = from.flatMap(({ name }) => origins.get(name) ?? [])[0];
  const seesFloats = before !== undefined || from.some((v) => isFloat(v.dtype));
  if (COMPARISONS.has(op)) return seesFloats ? op : undefined;
  if (op === 'Cast' && output.dtype === 'bool') return undefined;
  return BETWEEN.has(op) ? (before ?? (op === 'Cast' && seesFloats ? op : undefined)) : undefined;
}

/** The step that a node is, if it is one; `from` are its inputs that follow the starts. */
function stepAt(
  built: BuiltNode,
  from: readonly Value[],
  origins: ReadonlyMap<string, string>,
): Step | undefined {
  const { node, inputs, outputs } = built;
  if (isStepped(built)) return { built, op: node.op, passable: true };
  const [output] = outputs;
  if (!output || !isFloat(output.dtype) || from.some((v) => isFloat(v.dtype))) return undefined;
  const origin = inputs[0] ? origins.get(inputs[0].name) : undefined;
  const becomesNumber =
    node.domain === '' &&
    (node.op === 'Cast' || (node.op === 'Where' && inputs.slice(1).every((v) => !isInfinite(v))));
  return origin !== undefined && becomesNumber && from.length === 1
    ? { built, op: origin, passable: true }
    : { built, op: node.op, passable: false };
}

/** A mask of infinities: no way of going from one of its values to the other has a slope. */
function isInfinite(value: Value | null | undefined): boolean {
  return value?.data !== undefined && !numbersOf(value.data).every(Number.isFinite);
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
