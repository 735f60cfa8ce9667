import { GlacisError } from '../../core/error.ts';
import { binary } from '../criterion/binary.ts';
import type { Criterion } from '../criterion/criterion.ts';
import { crossEntropy, softCrossEntropy } from '../criterion/cross-entropy.ts';
import { huber, meanSquaredError } from '../criterion/regression.ts';
import type { Material } from '../material.ts';
import { oneFrom } from './one-spec.ts';

/** Losses by name, with their default options. */
export const LOSSES = { binary: {}, 'cross-entropy': {}, huber: { delta: 1 }, mse: {} } as const;

/** What decides the criterion beside the data. */
export interface CriterionWishes {
  /** As {@link LOSSES} are written; told by the labels without. */
  readonly loss?: string | undefined;
  /** `balanced`, or one number a class with commas between. */
  readonly classWeights?: string | undefined;
  readonly labelSmoothing?: number | undefined;
  /** Whether samples are mixed, which needs targets that are no classes. */
  readonly isMixed: boolean;
}

/** Whether a loss reads the labels as real numbers; `undefined` leaves it to their type. */
export function isRealLoss(loss: string | undefined): boolean | undefined {
  if (loss === undefined) return undefined;
  const { name } = oneFrom(loss, LOSSES, 'loss');
  return name === 'mse' || name === 'huber';
}

/**
 * The loss that the labels ask for: real numbers mean squared error, several labels a sample or a network with one output binary
 * cross-entropy, all else cross-entropy; and how many outputs it takes where a network is still to be built.
 * Errors: `option/unknown`, `option/invalid`, `data/label-range`.
 *
 * @param outputs of the network; without, it is to be built
 */
export function planCriterion(
  material: Material,
  { loss, classWeights, labelSmoothing = 0, isMixed }: CriterionWishes,
  outputs?: number,
): { readonly criterion: Criterion; readonly outputs: number } {
  const { width, isReal } = material;
  const usual = isReal ? 'mse' : width > 1 || outputs === 1 ? 'binary' : 'cross-entropy';
  const { name, options } = oneFrom(loss ?? usual, LOSSES, 'loss');
  if (name !== 'cross-entropy' && (classWeights !== undefined || labelSmoothing !== 0))
    throw new GlacisError(
      'option/invalid',
      `loss: expected cross-entropy with class weights or label smoothing, got ${name}`,
    );
  if (name === 'mse' || name === 'huber')
    return {
      criterion: name === 'mse' ? meanSquaredError() : huber(options.delta as number),
      outputs: width,
    };
  if (name === 'binary') return { criterion: binary(), outputs: width };
  if (width > 1 || isReal)
    throw new GlacisError(
      'option/invalid',
      `loss: expected one class a sample for cross-entropy, got ${isReal ? 'real targets' : `${width} labels`}; use ${isReal ? 'mse or huber' : 'binary'}`,
    );
  const classes = outputs ?? classesOf(material);
  if (isMixed) {
    if (classWeights !== undefined || labelSmoothing !== 0)
      throw new GlacisError(
        'option/invalid',
        'mixup: expected it without class weights and label smoothing, got both',
      );
    return { criterion: softCrossEntropy(), outputs: classes };
  }
  const weights = classWeights === undefined ? undefined : weightsFrom(classWeights, material, classes);
  return {
    criterion: crossEntropy({ labelSmoothing, ...(weights ? { classWeights: weights } : {}) }),
    outputs: classes,
  };
}

/** Classes that the labels name, two at least. Errors: `data/label-range`. */
function classesOf({ samples: { y }, n, classNames }: Material): number {
  let most = Math.max(1, (classNames?.length ?? 0) - 1);
  for (let i = 0; i < n; i++) {
    const label = y[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < 65_536))
      throw new GlacisError(
        'data/label-range',
        `labels: expected class numbers from 0 to 65535, got ${label} for sample ${i}`,
      );
    if (label > most) most = label;
  }
  return most + 1;
}

/** `balanced` weighs a class by `n / (K · its samples)`, so that all classes count alike. */
function weightsFrom(text: string, { samples: { y }, n }: Material, classes: number): readonly number[] {
  if (text === 'balanced') {
    const counts = new Array<number>(classes).fill(0);
    for (let i = 0; i < n; i++) if (y[i]! in counts) counts[y[i]!]!++;
    return counts.map((count) => (count === 0 ? 0 : n / (classes * count)));
  }
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (weights.length !== classes || !weights.every((w) => w >= 0 && Number.isFinite(w)))
    throw new GlacisError(
      'option/invalid',
      `class weights: expected balanced, or ${classes} numbers of at least 0 with commas between, got '${text.slice(0, 80)}'`,
    );
  return weights;
}
