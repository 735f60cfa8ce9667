import { GlacisError } from '../../core/error.ts';
import type { Model, Node } from '../../onnx/model.ts';
import { draftFor, type OpenDraft, usesRenamed } from '../draft.ts';
import { chosenOutput } from '../final-activation.ts';
import { throughAll } from './defend.ts';
import { type PictureOptions, pictureInputOf } from './pictures-of.ts';
import type { PlannedDefence } from './registry.ts';

/** Pictures and the output that is compared; it must be `[n, classes]`. */
export interface SqueezeOptions extends PictureOptions {
  /** Needed when there are several. */
  readonly output?: string | undefined;
}

/** A model beside copies of itself that see squeezed pictures. */
export interface Squeezed {
  readonly draft: OpenDraft;
  readonly output: string;
  readonly classes: number;
  /** What each copy makes of the output. */
  readonly copies: readonly string[];
  /** The model's own nodes, the squeezers and the copies, in order; what is drafted later comes behind. */
  readonly nodes: readonly Node[];
}

/**
 * Writes a copy of the model for each squeezer; all share the weights, so that the file hardly grows. Cost of the result: one pass through
 * the model for each squeezer more. Errors: those of `pictureInputOf`; `model/unsupported-task` for an output that is not `[n, classes]`.
 */
export function squeezedCopies(
  model: Model,
  squeezers: readonly PlannedDefence[],
  options: SqueezeOptions = {},
): Squeezed {
  if (squeezers.length === 0)
    throw new GlacisError('option/invalid', 'squeezers: expected at least one, got none');
  const pictures = pictureInputOf(model, options);
  const { name: output, type } = chosenOutput(model, options.output);
  const dims = type.kind === 'tensor' ? type.dims : undefined;
  const classes = dims?.[1];
  if (dims?.length !== 2 || typeof classes !== 'number' || classes < 2)
    throw new GlacisError(
      'model/unsupported-task',
      `output ${output}: expected scores of [n, classes] with two classes or more, got [${dims?.map((d) => d ?? '?').join(', ') ?? '?'}]`,
    );
  const draft = draftFor(model);
  const squeezed = squeezers.map((one) => throughAll(draft, pictures.name, pictures, [one]));
  const written = draft.nodes.length;
  const made = new Set(model.graph.nodes.flatMap((node) => node.outputs));
  const copies = squeezed.map((changed, i) => {
    const names = new Map<string, string>([[pictures.name, changed]]);
    for (const name of made) if (name !== '') names.set(name, draft.fresh(`${name}_squeezed_${i}`));
    const rename = (name: string) => names.get(name) ?? name;
    const nodes = model.graph.nodes.map((node) => ({
      ...usesRenamed(node, rename),
      name: draft.fresh(`${node.name || node.op}_squeezed_${i}`),
      outputs: node.outputs.map(rename),
    }));
    return { nodes, output: rename(output) };
  });
  return {
    draft,
    output,
    classes,
    copies: copies.map((copy) => copy.output),
    nodes: [...model.graph.nodes, ...draft.nodes.slice(0, written), ...copies.flatMap((copy) => copy.nodes)],
  };
}
