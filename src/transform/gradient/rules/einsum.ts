import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { tensorFrom } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';

/**
 * `Einsum`: the gradient of an operand is again an `Einsum`, of `g` with the other operands, towards the operand's own
 * letters. Letters that only this operand had were summed: there the gradient is constant. A letter that the operand
 * repeats takes a diagonal: its gradient lies on that diagonal. An ellipsis becomes letters of its own. Size 1 broadcasts.
 * Per sample the first letter of the result, the batch, is kept as well.
 */
export const einsum = defineRule({
  op: 'Einsum',
  since: 12,
  note: 'an Einsum of g with the other operands towards the operand’s letters; diagonals and ellipses included',
  perSample: true,
  grad: ({ b, attrs, inputs, input, outGrads: [g], needs, perSample }) => {
    const values = inputs.map((_, i) => input(i));
    const { terms, output } = lettersOf(attrs.string('equation'), values);
    const sizes = sizesOf(terms, values);
    return needs.map((need, i) => {
      if (!need) return null;
      const own = terms[i]!;
      const batch = perSample(i) ? output[0] : undefined;
      if (
        perSample(i) &&
        (batch === undefined || (own.includes(batch) && values[i]!.dims[own.indexOf(batch)] !== 1))
      ) {
        throw new GlacisError(
          'gradient/unsupported',
          'per sample: expected the batch as the first letter of the result, and not in this operand',
        );
      }
      const parts = [
        { value: g!, letters: output },
        ...values.flatMap((value, k) => (k === i ? [] : [{ value, letters: terms[k]! }])),
      ];
      const grad = operandGrad(b, parts, own, values[i]!.dims, sizes, batch);
      return grad;
    });
  },
});

interface Part {
  readonly value: Value;
  readonly letters: string;
}

function operandGrad(
  b: Ops,
  parts: readonly Part[],
  own: string,
  dims: readonly number[],
  sizes: ReadonlyMap<string, number>,
  batch: string | undefined,
): Value {
  const ones = [...own].filter((c, i) => dims[i] === 1 && sizes.get(c) !== 1);
  const unique = [...new Set(own)];
  const squeezed = parts.map((p) => withoutOnes(b, p, sizes));
  const present = new Set(squeezed.flatMap((p) => [...p.letters]));
  const front = batch === undefined ? [] : [batch];
  const wanted = [...front, ...unique.filter((c) => !ones.includes(c) && c !== batch && present.has(c))];
  let grad = contract(b, squeezed, wanted.join(''));
  // Axes that nothing else had: size 1 now, then stretched to the operand's.
  const size = (c: string) => (ones.includes(c) ? 1 : sizes.get(c)!);
  const lead = front.map((c) => sizes.get(c)!);
  const ownLetters = unique;
  grad = b.reshape(grad, [
    ...lead,
    ...ownLetters.map((c) => (wanted.slice(front.length).includes(c) ? sizes.get(c)! : 1)),
  ]);
  grad = b.expand(grad, [...lead, ...ownLetters.map(size)]);
  return own.length === unique.length ? grad : ontoDiagonal(b, grad, own, unique, dims, lead);
}

/** Scalars are multiplied in; the rest is one `Einsum`. */
function contract(b: Ops, parts: readonly Part[], to: string): Value {
  const scalars = parts.filter((p) => p.letters === '');
  const others = parts.filter((p) => p.letters !== '');
  let result: Value | undefined;
  if (others.length > 0) {
    const same = others.length === 1 && others[0]!.letters === to;
    result = same
      ? others[0]!.value
      : b.node(
          'Einsum',
          others.map((p) => p.value),
          { equation: `${others.map((p) => p.letters).join(',')}->${to}` },
        );
  }
  for (const { value } of scalars) result = result ? b.mul(result, value) : value;
  return result!;
}

/** The part without the axes that broadcasting stretched. */
function withoutOnes(b: Ops, { value, letters }: Part, sizes: ReadonlyMap<string, number>): Part {
  const kept = [...letters].map((c, i) => !(value.dims[i] === 1 && sizes.get(c) !== 1));
  return {
    value: b.reshape(
      value,
      value.dims.filter((_, i) => kept[i]),
    ),
    letters: [...letters].filter((_, i) => kept[i]).join(''),
  };
}

/** Puts `grad`, one axis a letter, where all axes of a repeated letter have the same index; zero elsewhere. */
function ontoDiagonal(
  b: Ops,
  grad: Value,
  own: string,
  unique: readonly string[],
  dims: readonly number[],
  lead: readonly number[],
): Value {
  const first = unique.map((c) => own.indexOf(c));
  let result = b.reshape(grad, [...lead, ...dims.map((d, i) => (first.includes(i) ? d : 1))]);
  for (const [i, c] of [...own].entries()) {
    const j = own.indexOf(c);
    if (j === i) continue;
    const n = dims[i]!;
    const eye = new Float64Array(n * n);
    for (let k = 0; k < n; k++) eye[k * n + k] = 1;
    const shape = dims.map((_, k) => (k === i || k === j ? n : 1));
    result = b.mul(result, b.reshape(b.builder.constant(tensorFrom(grad.dtype, [n, n], eye)), shape));
  }
  return result;
}

/** The letters of every operand and of the result, with ellipses as letters that the equation does not use. */
function lettersOf(
  equation: string,
  values: readonly Value[],
): { readonly terms: readonly string[]; readonly output: string } {
  const text = equation.replaceAll(' ', '');
  const [left, right] = text.split('->') as [string, string | undefined];
  const free = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((c) => !text.includes(c));
  const given = left.split(',');
  const hidden = given.map((t, i) => (t.includes('...') ? values[i]!.dims.length - (t.length - 3) : 0));
  const most = Math.max(0, ...hidden);
  if (most > free.length)
    throw new GlacisError('gradient/unsupported', 'its equation needs more than 52 letters');
  const ellipsis = free.slice(0, most).join('');
  const terms = given.map((t, i) => t.replace('...', ellipsis.slice(most - hidden[i]!)));
  const letters = [...left.replaceAll('...', '').replaceAll(',', '')];
  const once = letters.filter((c) => letters.indexOf(c) === letters.lastIndexOf(c)).sort();
  return { terms, output: right === undefined ? ellipsis + once.join('') : right.replace('...', ellipsis) };
}

function sizesOf(terms: readonly string[], values: readonly Value[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [i, term] of terms.entries()) {
    for (const [k, c] of [...term].entries()) {
      const d = values[i]!.dims[k]!;
      if ((sizes.get(c) ?? 1) === 1) sizes.set(c, d);
    }
  }
  return sizes;
}
