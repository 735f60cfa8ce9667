import type { Model } from '../../src/onnx/model.ts';
import type { BaseName } from './bases.ts';
import type { Pen, Piece } from './graph-edit.ts';

/** A way to hide a model's gradient without making it robust. */
export interface Defence {
  readonly id: string;
  /** The model that it is put on. */
  readonly on: BaseName;
  apply(model: Model): Model;
  /** The same with a gradient that is of use, where rounding straight-through does not give one: what an attacker would attack instead. */
  eased?(model: Model): Model;
}

/** `piece` for values in [0, 1] spread over the levels 0 … steps, and back. */
export const onLevels =
  (steps: number, piece: Piece): Piece =>
  (pen, x) =>
    pen('Div', [piece(pen, pen('Mul', [x, pen.number(steps)])), pen.number(steps)]);

/** `Σ_k width · f((x − (k − ½) · width) · slope)` for k from 1 to `count`: a staircase that `f` makes. */
export function staircase(
  pen: Pen,
  x: string,
  { count, width, slope }: { readonly count: number; readonly width: number; readonly slope: number },
  f: Piece,
): string {
  let sum = '';
  for (let k = 1; k <= count; k++) {
    const from = pen('Sub', [x, pen.number((k - 0.5) * width)]);
    const stair = pen('Mul', [f(pen, pen('Mul', [from, pen.number(slope)])), pen.number(width)]);
    sum = sum === '' ? stair : pen('Add', [sum, stair]);
  }
  return sum;
}

/** Sigmoid as a piece. */
export const sigmoid: Piece = (pen, x) => pen('Sigmoid', [x]);

/** 1 where the value is above 0, else 0. */
export const stepUp: Piece = (pen, x) => pen('Cast', [pen('Greater', [x, pen.number(0)])], { to: FLOAT });

/** Number of float32 in ONNX's list of element types. */
const FLOAT = 1;

/** The columns of the orthonormal discrete cosine transform of length `n`, row-major `[frequency, place]`. */
export function cosines(n: number): number[] {
  return Array.from({ length: n * n }, (_, at) => {
    const [k, i] = [Math.floor(at / n), at % n];
    const scale = Math.sqrt((k === 0 ? 1 : 2) / n);
    return scale * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * n));
  });
}

/**
 * `piece` on the coefficients of the cosine transform of `block × block` blocks, as in JPEG, without a colour transform.
 * Images `[n, channels, side, side]`; `block` divides `side`.
 */
export function onBlocks(channels: number, side: number, block: number, piece: Piece): Piece {
  return (pen, x) => {
    const count = side / block;
    const basis = pen.floats([block, block], cosines(block));
    const back = pen('Transpose', [basis], { perm: [1, 0] });
    const split = pen('Reshape', [x, pen.ints([-1, channels, count, block, count, block])]);
    const blocks = pen('Transpose', [split], { perm: [0, 1, 2, 4, 3, 5] });
    const coefficients = pen('MatMul', [pen('MatMul', [basis, blocks]), back]);
    const changed = piece(pen, coefficients);
    const pixels = pen('MatMul', [pen('MatMul', [back, changed]), basis]);
    const joined = pen('Transpose', [pixels], { perm: [0, 1, 2, 4, 3, 5] });
    return pen('Reshape', [joined, pen.ints([-1, channels, side, side])]);
  };
}
