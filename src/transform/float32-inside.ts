import { DTYPE_CODES, type DType } from '../onnx/dtype.ts';
import type { Model, Node, ValueInfo } from '../onnx/model.ts';
import { type InterfaceNote, toFloat32 } from '../onnx/to-float32.ts';
import { allGraphs } from '../onnx/walk.ts';
import { usesRenamed } from './draft.ts';

/** A model that computes in float32. */
export interface Float32Inside {
  readonly model: Model;
  /** Inputs and outputs that were bfloat16 and are float32 now: the runtime has no arrays for that type. */
  readonly widened: readonly InterfaceNote[];
}

/** Since this opset `Cast` names its type by a number. */
const CAST_SINCE = 6;

/**
 * The model with 16-bit floats computed in float32. At its interface float16 stays float16, by a `Cast` at each end; bfloat16 becomes float32, which the caller
 * converts. A model without such values passes unchanged, and one of an opset before 6 keeps its float16. Errors: those of {@link toFloat32}.
 */
export function float32Inside(model: Model): Float32Inside {
  const opset = model.opsets.get('') ?? 0;
  const { model: wide, notes } = toFloat32(model, { float16: opset >= CAST_SINCE });
  const was = (role: InterfaceNote['role'], dtype: DType) =>
    new Set(notes.filter((note) => note.role === role && note.was === dtype).map(({ name }) => name));
  const [inputs, outputs] = [was('input', 'float16'), was('output', 'float16')];
  const widened = notes.filter((note) => note.was === 'bfloat16');
  if (inputs.size === 0 && outputs.size === 0) return { model: wide, widened };
  const fresh = freshNames(wide);
  const inner = new Map([...inputs, ...outputs].map((name) => [name, fresh(`${name}_float32`)]));
  const rename = (name: string) => inner.get(name) ?? name;
  const { graph } = wide;
  const cast = (from: string, to: string, dtype: DType): Node => ({
    op: 'Cast',
    domain: '',
    name: fresh(`cast_${to}`),
    inputs: [from],
    outputs: [to],
    attributes: new Map([['to', { kind: 'int', value: DTYPE_CODES[dtype] }]]),
  });
  const narrow = (names: ReadonlySet<string>) => (info: ValueInfo) =>
    names.has(info.name) && info.type.kind === 'tensor'
      ? { ...info, type: { ...info.type, dtype: 'float16' as const } }
      : info;
  const nodes = [
    ...[...inputs].map((name) => cast(name, rename(name), 'float32')),
    ...graph.nodes.map((node) => ({ ...usesRenamed(node, rename), outputs: node.outputs.map(rename) })),
    // An output that is an input came in narrow already.
    ...[...outputs].filter((name) => !inputs.has(name)).map((name) => cast(rename(name), name, 'float16')),
  ];
  const held = new Map([...graph.initializers].map(([name, tensor]) => [rename(name), tensor]));
  return {
    model: {
      ...wide,
      graph: {
        ...graph,
        inputs: graph.inputs.map(narrow(inputs)),
        outputs: graph.outputs.map(narrow(outputs)),
        nodes,
        initializers: held,
        valueTypes: new Map([...graph.valueTypes].filter(([name]) => !inner.has(name))),
      },
    },
    widened,
  };
}

function freshNames(model: Model): (hint: string) => string {
  const taken = new Set<string>();
  for (const graph of allGraphs(model.graph)) {
    for (const { name } of [...graph.inputs, ...graph.outputs]) taken.add(name);
    for (const name of graph.initializers.keys()) taken.add(name);
    for (const node of graph.nodes) for (const name of [node.name, ...node.outputs]) taken.add(name);
  }
  return (hint) => {
    let name = hint;
    for (let i = 1; taken.has(name); i++) name = `${hint}_${i}`;
    taken.add(name);
    return name;
  };
}
