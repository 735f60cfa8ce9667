import type { InferRequest, ModelMetadata, Tensor } from '../oip/index.ts';
import { Refused } from './refusal.ts';

/**
 * Holds a request against the model's metadata: every input there, none unknown, types and shapes as said, wished outputs known. Gives the inputs in the
 * metadata's order and the number of samples: what the first axis says wherever the metadata leaves it open, which must be the same for all inputs.
 * Errors: `Refused` `mismatched`, `too-large` beyond `mostSamples`.
 */
export function checkInputs(
  request: InferRequest,
  metadata: ModelMetadata,
  mostSamples: number,
): { readonly inputs: readonly Tensor[]; readonly n: number } {
  const { inputs, outputs } = request;
  let n: number | undefined;
  const ordered = metadata.inputs.map(({ name, datatype, shape }) => {
    const found = inputs.find((input) => input.name === name);
    if (found === undefined) throw new Refused('mismatched', `input ${name} is missing`);
    if (found.datatype !== datatype)
      throw new Refused('mismatched', `input ${name}: expected ${datatype}, got ${found.datatype}`);
    if (
      found.shape.length !== shape.length ||
      found.shape.some((size, i) => shape[i] !== -1 && size !== shape[i])
    )
      throw new Refused(
        'mismatched',
        `input ${name}: expected [${shape.join(', ')}], got [${found.shape.join(', ')}]`,
      );
    if (found.data.length === 0)
      throw new Refused('mismatched', `input ${name}: expected elements, got none`);
    if (shape[0] === -1) {
      const rows = found.shape[0]!;
      if (n !== undefined && n !== rows)
        throw new Refused('mismatched', `input ${name}: expected ${n} samples as the others, got ${rows}`);
      n = rows;
    }
    return found;
  });
  // Every input of the metadata was found, so one more can only be unknown.
  if (inputs.length !== ordered.length)
    throw new Refused('mismatched', `expected ${ordered.length} inputs, got ${inputs.length}`);
  for (const { name } of outputs ?? [])
    if (!metadata.outputs.some((output) => output.name === name))
      throw new Refused('mismatched', 'an output is asked for that the model does not have');
  if (n !== undefined && n > mostSamples)
    throw new Refused('too-large', `expected at most ${mostSamples} samples, got ${n}`);
  return { inputs: ordered, n: n ?? 1 };
}
