import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { afterOutput, type Draft, draftFor } from './draft.ts';
import { chosenOutput, finalActivation } from './final-activation.ts';

/** Key of the model's metadata that holds the temperature, as a number; of several, their product. */
export const TEMPERATURE_KEY = 'glacis.temperature';

/**
 * The model with its logits divided by `temperature`, before a final Softmax, LogSoftmax or Sigmoid (Guo et al. 2017). Answers stay the
 * same, only how sure they sound changes: 1 changes nothing, more is less sure. Other outputs stay as they are.
 * Errors: `option/invalid` for a temperature that is not above 0, and for an output that does not exist.
 */
export function scaleTemperature(model: Model, temperature: number, output?: string): Model {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new GlacisError('option/invalid', `temperature: expected a number above 0, got ${temperature}`);
  const { name } = chosenOutput(model, output);
  const divided = (draft: Draft, logits: string) => draft.node('Div', [logits, draft.number(temperature)]);
  const scaled = beforeActivation(model, name, divided) ?? afterOutput(model, name, divided);
  const known = Number(model.metadata.get(TEMPERATURE_KEY) ?? 1);
  const total = Number.isFinite(known) && known > 0 ? known * temperature : temperature;
  return { ...scaled, metadata: new Map([...model.metadata, [TEMPERATURE_KEY, String(total)]]) };
}

function beforeActivation(
  model: Model,
  output: string,
  piece: (draft: Draft, logits: string) => string,
): Model | undefined {
  const last = finalActivation(model, output);
  if (!last) return undefined;
  const draft = draftFor(model);
  const changed = piece(draft, last.inputs[0]!);
  const nodes = model.graph.nodes.flatMap((node) =>
    node === last ? [...draft.nodes, { ...node, inputs: [changed, ...node.inputs.slice(1)] }] : [node],
  );
  return draft.onto(model, nodes);
}
