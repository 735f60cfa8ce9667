import type { Dim } from '../model.ts';
import { broadcast, contradiction, type Dims, showDims } from './dims.ts';
import type { ShapeContext } from './rule.ts';

/**
 * Output shape of `Einsum`. The ellipsis stands for axes that broadcast; without `->` the output holds the ellipsis and
 * then, A to Z, the letters that occur once. Source: https://onnx.ai/onnx/operators/onnx__Einsum.html
 */
export function einsum(
  ctx: ShapeContext,
  equation: string,
  inputs: readonly (Dims | undefined)[],
): Dims | undefined {
  const text = equation.replaceAll(' ', '');
  const [left, right, ...more] = text.split('->');
  const terms = left!.split(',');
  if (more.length > 0 || terms.length !== inputs.length)
    contradiction(ctx, `${inputs.length} terms`, `'${equation}'`);
  for (const term of [...terms, right ?? '']) {
    if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term))
      contradiction(ctx, 'letters with at most one ellipsis', `'${term}'`);
  }
  const sizes = new Map<string, Dim>();
  const counts = new Map<string, number>();
  const ellipses: (Dims | undefined)[] = [];
  terms.forEach((term, i) => {
    const dims = inputs[i];
    const [before, after] = term.split('...') as [string, string | undefined];
    const letters = before.length + (after?.length ?? 0);
    for (const c of before + (after ?? '')) counts.set(c, (counts.get(c) ?? 0) + 1);
    if (!dims) {
      if (after !== undefined) ellipses.push(undefined);
      for (const c of before + (after ?? '')) if (!sizes.has(c)) sizes.set(c, null);
      return;
    }
    if (after === undefined ? dims.length !== letters : dims.length < letters) {
      contradiction(ctx, `rank ${letters} for the term '${term}'`, showDims(dims));
    }
    if (after !== undefined) ellipses.push(dims.slice(before.length, dims.length - after.length));
    const named = [...before].map((c, j): [string, Dim] => [c, dims[j]!]);
    const tail = [...(after ?? '')].map((c, j): [string, Dim] => [c, dims[dims.length - after!.length + j]!]);
    for (const [c, d] of [...named, ...tail]) {
      // A size 1 broadcasts against the letter's other occurrences (NumPy and ONNX Runtime alike).
      sizes.set(c, sizes.has(c) ? broadcast(ctx, [[sizes.get(c)!], [d]])![0]! : d);
    }
  });
  const shared = broadcast(ctx, ellipses);
  const implicit = [...counts]
    .filter(([, n]) => n === 1)
    .map(([c]) => c)
    .sort()
    .join('');
  const output = right ?? (text.includes('...') ? `...${implicit}` : implicit);
  const result: Dim[] = [];
  for (const part of output.split(/(\.\.\.)/)) {
    if (part === '...') {
      if (!shared) return undefined;
      result.push(...shared);
    } else {
      for (const c of part)
        result.push(
          sizes.has(c)
            ? sizes.get(c)!
            : contradiction(ctx, 'output letters that occur in an input', `'${c}'`),
        );
    }
  }
  return result;
}
