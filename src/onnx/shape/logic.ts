import { broadcast, contradiction, one, required } from './dims.ts';
import type { ShapeRule } from './rule.ts';

const compare: ShapeRule = (ctx) => {
  const [a, b] = [required(ctx, 0), required(ctx, 1)];
  if (a.dtype !== b.dtype) contradiction(ctx, 'inputs of one type', `${a.dtype} and ${b.dtype}`);
  return one('bool', broadcast(ctx, [a.dims, b.dims]));
};

const predicate: ShapeRule = (ctx) => one('bool', required(ctx, 0).dims);

/** Comparisons and logical operators: bool outputs. */
export const LOGIC: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(
    ['And', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Or', 'Xor'].map((op) => [
      op,
      compare,
    ]),
  ),
  IsInf: predicate,
  IsNaN: predicate,
  Not: predicate,
};
