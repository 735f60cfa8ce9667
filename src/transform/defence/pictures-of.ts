import { GlacisError } from '../../core/error.ts';
import { DTYPE_CODES, type DType, isFloat } from '../../onnx/dtype.ts';
import type { Model } from '../../onnx/model.ts';
import type { Draft } from '../draft.ts';
import { type ImageDims, imageDimsOf } from '../image-dims.ts';

/** What the values of a model's input mean. */
export interface PictureOptions {
  /** The input that takes the pictures; needed when there are several. */
  readonly input?: string | undefined;
  /** Shape of one sample, where the model leaves it open. */
  readonly sampleDims?: readonly number[] | undefined;
  /** Values of black and white, before normalisation; 0 and 1 without. */
  readonly range?: readonly [number, number] | undefined;
  /** Normalisation `(v − mean) / std` that the model expects its pictures to have gone through: one number, or one a channel. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/** The input of a model that takes pictures. */
export interface PictureInput {
  readonly name: string;
  readonly image: ImageDims;
  /**
   * Writes `change` for pictures as defences take them, `[n, c, h, w]` in 32-bit floats from 0 to 1, and gives the result in the model's
   * own layout, type and units.
   */
  through(draft: Draft, x: string, change: (pictures: string) => string): string;
}

/**
 * The input that takes pictures, `[n, c, h, w]`, `[n, h, w, c]` or `[n, h, w]`.
 * Errors: `model/unsupported-task` for an input that takes something else, `model/dynamic-shape` for open sizes, `option/invalid`.
 */
export function pictureInputOf(model: Model, options: PictureOptions = {}): PictureInput {
  const { inputs } = model.graph;
  const names = inputs.map((i) => i.name).join(', ');
  const info =
    options.input === undefined
      ? inputs.length === 1
        ? inputs[0]
        : undefined
      : inputs.find((i) => i.name === options.input);
  if (!info)
    throw new GlacisError(
      'option/invalid',
      `--input: expected ${inputs.length > 1 ? `one of ${names}` : 'the name of an input'}, got ${options.input === undefined ? 'nothing' : `'${options.input}'`}`,
    );
  const { name, type } = info;
  if (type.kind !== 'tensor' || !isFloat(type.dtype))
    throw new GlacisError(
      'model/unsupported-task',
      `input ${name}: expected pictures as floats, got ${type.kind === 'tensor' ? type.dtype : type.description}`,
    );
  const dims = options.sampleDims ?? type.dims?.slice(1);
  if (!dims || dims.some((d) => typeof d !== 'number' || d < 1))
    throw new GlacisError(
      'model/dynamic-shape',
      `input ${name}: expected the size of a picture, got [${dims?.map((d) => d ?? '?').join(', ') ?? '?'}]; give it with --shape`,
    );
  const sampleDims = dims as readonly number[];
  const image = imageDimsOf(sampleDims);
  if (!image)
    throw new GlacisError(
      'model/unsupported-task',
      `input ${name}: expected pictures ([C, H, W] or [H, W, C] with 1, 3 or 4 channels, or [H, W]), got samples of [${sampleDims.join(', ')}]; defences at the input are for pictures`,
    );
  const values = valuesOf(image, options);
  const isFlat = sampleDims.length === 2;
  const isLast = image.layout === 'hwc';
  return {
    name,
    image,
    through(draft, x, change) {
      const float = cast(draft, x, type.dtype, 'float32');
      const planes = isFlat
        ? draft.node('Reshape', [float, draft.ints([-1, 1, image.height, image.width])])
        : isLast
          ? draft.node('Transpose', [float], { perm: [0, 3, 1, 2] })
          : float;
      const changed = values.back(draft, change(values.unit(draft, planes)));
      const own = isFlat
        ? draft.node('Reshape', [changed, draft.ints([-1, image.height, image.width])])
        : isLast
          ? draft.node('Transpose', [changed], { perm: [0, 2, 3, 1] })
          : changed;
      return cast(draft, own, 'float32', type.dtype);
    },
  };
}

function cast(draft: Draft, x: string, from: DType, to: DType): string {
  return from === to ? x : draft.node('Cast', [x], { to: DTYPE_CODES[to] });
}

/** The model's units to 0 … 1 and back: `unit = (v · std + mean − low) / (high − low)` for each channel. */
function valuesOf({ channels }: ImageDims, { range = [0, 1], mean = [0], std = [1] }: PictureOptions) {
  const [low, high] = range;
  if (!(high > low && Number.isFinite(high - low)))
    throw new GlacisError('option/invalid', `--range: expected LOW below HIGH, got ${low},${high}`);
  const each = (values: readonly number[], what: string, i: number): number => {
    if (values.length !== 1 && values.length !== channels)
      throw new GlacisError(
        'option/invalid',
        `--${what}: expected one number, or one for each of ${channels} channels, got ${values.length}`,
      );
    return values.length === 1 ? values[0]! : values[i]!;
  };
  const all = Array.from({ length: channels }, (_, i) => ({
    factor: each(std, 'std', i) / (high - low),
    offset: (each(mean, 'mean', i) - low) / (high - low),
  }));
  if (!all.every(({ factor }) => factor > 0 && Number.isFinite(factor)))
    throw new GlacisError('option/invalid', `--std: expected numbers above 0, got ${std.join(', ')}`);
  const isScaled = all.some(({ factor }) => factor !== 1);
  const isShifted = all.some(({ offset }) => offset !== 0);
  const constant = (draft: Draft, key: 'factor' | 'offset') =>
    draft.floats(
      [channels, 1, 1],
      all.map((c) => c[key]),
    );
  return {
    unit(draft: Draft, x: string) {
      const scaled = isScaled ? draft.node('Mul', [x, constant(draft, 'factor')]) : x;
      return isShifted ? draft.node('Add', [scaled, constant(draft, 'offset')]) : scaled;
    },
    back(draft: Draft, x: string) {
      const shifted = isShifted ? draft.node('Sub', [x, constant(draft, 'offset')]) : x;
      return isScaled ? draft.node('Div', [shifted, constant(draft, 'factor')]) : shifted;
    },
  };
}
