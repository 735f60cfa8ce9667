import { createHash } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import { inlineFunctions } from '../onnx/functions.ts';
import type { Dim, Model } from '../onnx/model.ts';
import { readModel } from '../onnx/read.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { toFloat32 } from '../onnx/to-float32.ts';
import { serializeModel } from '../onnx/write.ts';
import { floatTwin, quantisedOperators } from '../transform/float-twin.ts';
import { trainableParameters } from './parameters.ts';
import { reinitialise } from './reinitialise.ts';

/** A network before training. */
export interface StartingModel {
  readonly model: Model;
  /** Digest of its bytes, weights included. */
  readonly digest: string;
  /** Where it comes from, for records. */
  readonly origin: StartingOrigin;
  readonly notes: readonly string[];
  /** Arrays of numbers of a file that are as they were in it: all where no weights were drawn anew, else what no rule draws. */
  readonly kept: readonly string[];
}

/** A recipe with its options, or a file. */
export type StartingOrigin =
  | { readonly recipe: string }
  | {
      readonly file: string;
      readonly digest: string;
      readonly reinitialised: boolean;
      readonly floatTwin: boolean;
    };

/** How a file becomes a {@link StartingModel}. */
export interface StartingOptions {
  /** Draws its weights anew, by this seed. */
  readonly reinitialise?: number | undefined;
  /** Takes a quantised model as the float model that it stands for. */
  readonly floatTwin?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a model to train on: functions inlined, 16-bit floats as float32.
 * Errors: those of reading; `model/unsupported-task` for a quantised model without `floatTwin`, for one without weights to train, and for one
 * that does not have one float input.
 */
export async function openStartingModel(path: string, options: StartingOptions): Promise<StartingModel> {
  const { signal } = options;
  const file = await readModel(path, signal ? { signal } : {});
  const wide = toFloat32(inlineFunctions(file), { float16: true });
  const integers = quantisedOperators(wide.model);
  if (integers.length > 0 && !options.floatTwin)
    throw new GlacisError(
      'model/unsupported-task',
      `${path}: expected float weights to train, got a quantised model (${integers.join(', ')}); train the float model that it was made from and quantise again, or take what its integers stand for with --float-twin`,
    );
  const real = integers.length > 0 ? floatTwin(wide.model) : wide.model;
  const names = trainableParameters(real);
  if (names.length === 0)
    throw new GlacisError(
      'model/unsupported-task',
      `${path}: expected weights to train (of convolutions, products, recurrent layers or normalisations), found none`,
    );
  inputOf(real);
  const model = options.reinitialise === undefined ? real : reinitialise(real, options.reinitialise);
  const held = new Map(arraysOf(real));
  const isChanged = model !== file;
  const kept = arraysOf(model).flatMap(([name, tensor]) =>
    options.reinitialise === undefined || tensor === held.get(name) ? [name] : [],
  );
  return {
    kept,
    model: { ...model, producer: 'glacis' },
    digest: isChanged ? digestOf(model) : file.file.digest,
    origin: {
      file: path,
      digest: file.file.digest,
      reinitialised: options.reinitialise !== undefined,
      floatTwin: integers.length > 0,
    },
    notes: wide.notes.map(
      ({ role, name, was }) => `${role} ${name} is ${was}: trained and written as float32`,
    ),
  };
}

/** Tensors of a model with more than one real number, by name; single ones are constants of formulas. */
function arraysOf({ graph: { initializers, nodes } }: Model): readonly (readonly [string, Tensor])[] {
  const constants = nodes.flatMap(({ op, attributes, outputs }) => {
    const held = op === 'Constant' ? attributes.get('value') : undefined;
    return held?.kind === 'tensor' ? [[outputs[0]!, held.value] as const] : [];
  });
  return [...initializers, ...constants].filter(
    ([, { dtype, dims }]) => dtype.startsWith('float') && elementCount(dims) > 1,
  );
}

/** A network that was built, as a {@link StartingModel}. */
export function builtModel(model: Model, recipe: string): StartingModel {
  return { model, digest: digestOf(model), origin: { recipe }, notes: [], kept: [] };
}

/** The one input of a model to train. Errors: `model/unsupported-task`. */
export function inputOf({ graph: { inputs } }: Model): {
  readonly name: string;
  readonly dims: readonly Dim[];
} {
  const [first] = inputs;
  if (
    inputs.length !== 1 ||
    first?.type.kind !== 'tensor' ||
    first.type.dtype !== 'float32' ||
    !first.type.dims
  )
    throw new GlacisError(
      'model/unsupported-task',
      `training: expected a model with one float32 input of known rank, got ${inputs.map(({ name, type }) => `${name}: ${type.kind === 'tensor' ? type.dtype : type.description}`).join(', ') || 'none'}`,
    );
  return { name: first.name, dims: first.type.dims };
}

/** Outputs for one sample, where the file states them. */
export function outputsOf({ graph: { outputs } }: Model): number | undefined {
  const type = outputs[0]?.type;
  const last = type?.kind === 'tensor' && type.dims?.length === 2 ? type.dims[1] : undefined;
  return typeof last === 'number' ? last : undefined;
}

/** `sha256:` of the model's bytes as they would be written. */
export function digestOf(model: Model): string {
  return `sha256:${createHash('sha256').update(serializeModel(model)).digest('hex')}`;
}
