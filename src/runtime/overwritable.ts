import type { Model, Node } from '../onnx/model.ts';

/** Operators that read each element once, to write the one at the same place. */
const ELEMENTWISE: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sqrt', 'Neg', 'Max', 'Min']);

/**
 * Carried inputs (see {@link OrtOptions.carry}) whose output may be written over them: one buffer less each.
 * Sound because only one node reads such an input, element by element, and the node that makes the output needs its result:
 * nothing reads the input any more once the output is written. Weights are none of these: backward passes read them beside
 * their update.
 */
export function overwritableInputs(
  { graph }: Model,
  carry: Readonly<Record<string, string>>,
): readonly string[] {
  const readers = new Map<string, Node[]>();
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs)) {
      const known = readers.get(name);
      if (known) known.push(node);
      else readers.set(name, [node]);
    }
    for (const name of node.outputs) producers.set(name, node);
  }
  // A graph inside a node may read any value around it.
  const nested = graph.nodes.some(({ attributes }) =>
    [...attributes.values()].some(({ kind }) => kind === 'graph' || kind === 'graphs'),
  );
  if (nested) return [];
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  return Object.entries(carry).flatMap(([input, output]) => {
    const [reader, ...others] = readers.get(input) ?? [];
    const fits =
      reader &&
      others.length === 0 &&
      reader.domain === '' &&
      ELEMENTWISE.has(reader.op) &&
      !outputs.has(input) &&
      needs(producers.get(output), reader, producers);
    return fits ? [input] : [];
  });
}

/** Whether `node` is `other` or depends on it. */
function needs(node: Node | undefined, other: Node, producers: ReadonlyMap<string, Node>): boolean {
  const seen = new Set<Node>();
  const open = node ? [node] : [];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next === other) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    for (const name of next.inputs) {
      const above = producers.get(name);
      if (above) open.push(above);
    }
  }
  return false;
}
