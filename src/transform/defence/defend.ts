import { GlacisError } from '../../core/error.ts';
import type { Model } from '../../onnx/model.ts';
import { beforeInput, type Draft } from '../draft.ts';
import { type PictureInput, type PictureOptions, pictureInputOf } from './pictures-of.ts';
import { describeDefence, type PlannedDefence } from './registry.ts';

/** Key of the model's metadata that names its defences, in the order in which pictures go through them. */
export const DEFENCES_KEY = 'glacis.defences';

/**
 * The model with `defences` between its pictures and its first layer, the first one first. Inputs, outputs and metadata stay as they are,
 * but for {@link DEFENCES_KEY}; the batch stays open where it was. A model that has defences gets the new ones in front of them.
 * Errors: those of `pictureInputOf`; `option/invalid` without a defence; `model/unsupported-operator` for an opset before 11.
 *
 * @example
 * await writeModel('defended.onnx', defend(await readModel('model.onnx'), planDefences('jpeg(quality=75)')));
 */
export function defend(
  model: Model,
  defences: readonly PlannedDefence[],
  options: PictureOptions = {},
): Model {
  if (defences.length === 0) throw new GlacisError('option/invalid', 'defend: expected a defence, got none');
  const pictures = pictureInputOf(model, options);
  const defended = beforeInput(model, pictures.name, (draft, x) => throughAll(draft, x, pictures, defences));
  const known = model.metadata.get(DEFENCES_KEY);
  const listed = [...defences.map(describeDefence), ...(known === undefined ? [] : [known])].join(', ');
  return { ...defended, metadata: new Map([...model.metadata, [DEFENCES_KEY, listed]]) };
}

/** Writes all defences, one behind the other. */
export function throughAll(
  draft: Draft,
  x: string,
  pictures: PictureInput,
  defences: readonly PlannedDefence[],
): string {
  return pictures.through(draft, x, (unit) =>
    defences.reduce((so, { defence, options }) => defence.apply(draft, so, pictures.image, options), unit),
  );
}
