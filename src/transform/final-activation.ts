import { GlacisError } from '../core/error.ts';
import type { Model, Node } from '../onnx/model.ts';

/** Operators that turn logits into something else at the end of a model. */
const ACTIVATIONS = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);

/** Operators that only change shape or type and may stand between the activation and the output. */
const PASSING = new Set(['Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Reshape', 'Flatten']);

/** The node that turns a file's logits into the output `name`; `undefined` where the output is the logits. Nothing is traced. */
export function finalActivation(model: Model, name: string): Node | undefined {
  const makers = new Map(model.graph.nodes.flatMap((node) => node.outputs.map((o) => [o, node] as const)));
  for (let at = makers.get(name), depth = 0; at && depth < 8; at = makers.get(at.inputs[0] ?? ''), depth++) {
    if (at.domain !== '') return undefined;
    if (ACTIVATIONS.has(at.op)) return at;
    if (!PASSING.has(at.op)) return undefined;
  }
  return undefined;
}

/** The output that `name` means, or the only one. Errors: `option/invalid`. */
export function chosenOutput(model: Model, name: string | undefined): Model['graph']['outputs'][number] {
  const { outputs } = model.graph;
  const found =
    name === undefined
      ? outputs.length === 1
        ? outputs[0]
        : undefined
      : outputs.find((o) => o.name === name);
  if (found) return found;
  throw new GlacisError(
    'option/invalid',
    `--output: expected one of ${outputs.map((o) => o.name).join(', ')}, got ${name === undefined ? 'nothing' : `'${name}'`}`,
  );
}
