import { GlacisError } from '../core/error.ts';
import { attributesOf } from '../onnx/attributes.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Graph, Node } from '../onnx/model.ts';
import { numbersOf } from '../onnx/tensor.ts';
import { type Scope, type WriteContext, writeNodes } from './specialise.ts';

/** More iterations than this are not unrolled. */
const UNROLL_LIMIT = 4096;

/** Nor are more nodes than this over all iterations of all loops of a model: nested loops multiply. */
const UNROLL_NODES = 100_000;

/**
 * `If` with a constant condition becomes the branch that is taken; `Loop` with a constant trip count (and a condition that
 * stays constant) and `Scan` are unrolled. Other nodes give `undefined`.
 * Errors: `model/unsupported-operator` where condition or trip count depend on the data.
 */
export function unrollControlFlow(
  context: WriteContext,
  node: Node,
  inputs: readonly (Value | null)[],
  scope: Scope,
): readonly (Value | null)[] | undefined {
  if (node.domain !== '') return undefined;
  const where = node.name || node.outputs[0] || node.op;
  if (node.op === 'If') {
    const condition = constantNumber(inputs[0]);
    if (condition === undefined)
      throw new GlacisError('model/unsupported-operator', `${where} (If): its condition depends on the data`);
    const branch = attributesOf(node).graph(condition !== 0 ? 'then_branch' : 'else_branch');
    return writeBody(context, branch, [], scope) ?? [];
  }
  if (node.op === 'Loop') return unrollLoop(context, node, where, inputs, scope);
  if (node.op === 'Scan') return unrollScan(context, node, where, inputs, scope);
  return undefined;
}

function unrollLoop(
  context: WriteContext,
  node: Node,
  where: string,
  inputs: readonly (Value | null)[],
  scope: Scope,
): readonly Value[] {
  const { b } = context;
  const body = attributesOf(node).graph('body');
  const trips = inputs[0] ? constantNumber(inputs[0]) : Number.POSITIVE_INFINITY;
  let condition: Value | null = inputs[1] ?? null;
  if (trips === undefined)
    throw new GlacisError(
      'model/unsupported-operator',
      `${where} (Loop): its trip count depends on the data`,
    );
  let carried = present(where, inputs.slice(2));
  expectCount(where, 'body inputs', body.inputs.length, carried.length + 2);
  if (body.outputs.length < carried.length + 1)
    expectCount(where, 'body outputs', body.outputs.length, carried.length + 1);
  const scans: Value[][] = Array.from({ length: body.outputs.length - 1 - carried.length }, () => []);
  for (let i = 0; i < trips; i++) {
    if (condition) {
      const go = constantNumber(condition);
      if (go === undefined)
        throw new GlacisError(
          'model/unsupported-operator',
          `${where} (Loop): its condition depends on the data`,
        );
      if (go === 0) break;
    }
    if (i >= UNROLL_LIMIT)
      throw new GlacisError(
        'model/unsupported-operator',
        `${where} (Loop): expected at most ${UNROLL_LIMIT} iterations, got more`,
      );
    const given = condition ?? b.compare('Equal', b.scalar(0, 'int64'), 0);
    const results = writeIteration(context, where, body, [b.scalar(i, 'int64'), given, ...carried], scope);
    if (!results) return [];
    condition = results[0]!;
    carried = results.slice(1, 1 + carried.length);
    for (const [k, list] of scans.entries()) list.push(b.unsqueeze(results[1 + carried.length + k]!, [0]));
  }
  return [...carried, ...scans.map((list) => stack(context, where, list, 0))];
}

function unrollScan(
  context: WriteContext,
  node: Node,
  where: string,
  inputs: readonly (Value | null)[],
  scope: Scope,
): readonly Value[] {
  if ((context.opsets.get('') ?? 1) < 9)
    throw new GlacisError(
      'model/unsupported-operator',
      `${where} (Scan): the batched form of opset 8 is not supported; export with opset 9 or later`,
    );
  const { b } = context;
  const attrs = attributesOf(node);
  const body = attrs.graph('body');
  const scanCount = attrs.int('num_scan_inputs');
  const stateCount = inputs.length - scanCount;
  if (scanCount < 1 || stateCount < 0) expectCount(where, 'scan inputs', scanCount, inputs.length);
  expectCount(where, 'body inputs', body.inputs.length, inputs.length);
  const outCount = body.outputs.length - stateCount;
  if (outCount < 0) expectCount(where, 'body outputs', body.outputs.length, stateCount);
  const zeros = (n: number) => new Array<number>(n).fill(0);
  const inAxes = attrs.ints('scan_input_axes', zeros(scanCount));
  const inDirections = attrs.ints('scan_input_directions', zeros(scanCount));
  const outAxes = attrs.ints('scan_output_axes', zeros(outCount));
  const outDirections = attrs.ints('scan_output_directions', zeros(outCount));
  let state = present(where, inputs.slice(0, stateCount));
  const sequences = present(where, inputs.slice(stateCount));
  const axis = (k: number) => (inAxes[k]! < 0 ? inAxes[k]! + sequences[k]!.dims.length : inAxes[k]!);
  const length = sequences[0]!.dims[axis(0)]!;
  for (const [k, v] of sequences.entries())
    expectCount(where, 'steps of each sequence', v.dims[axis(k)], length);
  for (const list of [inAxes, inDirections])
    expectCount(where, 'entries for the scan inputs', list.length, scanCount);
  for (const list of [outAxes, outDirections])
    expectCount(where, 'entries for the scan outputs', list.length, outCount);
  if (length > UNROLL_LIMIT)
    throw new GlacisError(
      'model/unsupported-operator',
      `${where} (Scan): expected at most ${UNROLL_LIMIT} steps, got ${length}`,
    );
  const lists: Value[][] = Array.from({ length: outCount }, () => []);
  for (let i = 0; i < length; i++) {
    const parts = sequences.map((v, k) => {
      const at = inDirections[k] === 1 ? length - 1 - i : i;
      return b.squeeze(b.slice(v, axis(k), at, at + 1), [axis(k)]);
    });
    const results = writeIteration(context, where, body, [...state, ...parts], scope);
    if (!results) return [];
    state = results.slice(0, stateCount);
    for (const [k, list] of lists.entries()) {
      const result = results[stateCount + k]!;
      const at = outAxes[k]! < 0 ? outAxes[k]! + result.dims.length + 1 : outAxes[k]!;
      list.push(b.unsqueeze(result, [at]));
    }
  }
  return [
    ...state,
    ...lists.map((list, k) => {
      const rank = list[0]?.dims.length ?? 0;
      const at = outAxes[k]! < 0 ? outAxes[k]! + rank : outAxes[k]!;
      return stack(context, where, outDirections[k] === 1 ? list.toReversed() : list, at);
    }),
  ];
}

function stack({ b }: WriteContext, where: string, list: readonly Value[], axis: number): Value {
  if (list.length === 0)
    throw new GlacisError(
      'model/unsupported-operator',
      `${where}: a loop without iterations has scan outputs of unknown shape`,
    );
  return b.concat(list, axis);
}

function present(where: string, values: readonly (Value | null)[]): readonly Value[] {
  return values.map((v, i) => {
    if (!v) throw new GlacisError('model/invalid', `${where}: expected a carried value ${i}, found none`);
    return v;
  });
}

function expectCount(where: string, what: string, got: number | undefined, wanted: number | undefined): void {
  if (got !== wanted || got === undefined)
    throw new GlacisError(
      'model/invalid',
      `${where}: expected ${wanted ?? 'a known number of'} ${what}, got ${got}`,
    );
}

/** One iteration of a loop, within the limit of nodes. `undefined`: a node of the body was reported. */
function writeIteration(
  context: WriteContext,
  where: string,
  body: Graph,
  args: readonly Value[],
  outer: Scope,
): Value[] | undefined {
  context.unrolled.nodes += body.nodes.length + 1;
  if (context.unrolled.nodes > UNROLL_NODES)
    throw new GlacisError(
      'model/too-large',
      `${where}: expected loops of at most ${UNROLL_NODES} nodes over all iterations, got more`,
    );
  return writeBody(context, body, args, outer);
}

/**
 * Writes a subgraph with its inputs bound to `args`; names it does not define are looked up outside. `undefined`: one of its
 * nodes was reported.
 */
function writeBody(
  context: WriteContext,
  body: Graph,
  args: readonly Value[],
  outer: Scope,
): Value[] | undefined {
  const values = new Map<string, Value>();
  for (const [i, { name }] of body.inputs.entries()) {
    const value = args[i];
    if (value) values.set(name, value);
  }
  for (const [name, tensor] of body.initializers) values.set(name, context.b.builder.constant(tensor));
  const scope: Scope = { get: (name) => values.get(name) ?? outer.get(name) };
  writeNodes(context, body, values, scope);
  const results: Value[] = [];
  for (const { name } of body.outputs) {
    const value = scope.get(name);
    if (value) results.push(value);
    else if (context.problems.length > 0) return undefined;
    else throw new GlacisError('model/invalid', `${name}: an output of a subgraph that no node makes`);
  }
  return results;
}

function constantNumber(value: Value | null | undefined): number | undefined {
  return value?.data ? numbersOf(value.data)[0] : undefined;
}
