import { broadcast, contradiction, one, required, showDims } from './dims.ts';
import type { ShapeRule } from './rule.ts';

const stringConcat: ShapeRule = (ctx) =>
  one('string', broadcast(ctx, [required(ctx, 0).dims, required(ctx, 1).dims]));

/** `StringNormalizer` of `[C]` or `[1, C]`: stop words go, so C is not known. */
const stringNormalizer: ShapeRule = (ctx) => {
  const { dims } = required(ctx, 0);
  if (dims && dims.length !== 1 && dims.length !== 2) contradiction(ctx, '[C] or [1, C]', showDims(dims));
  return one('string', dims && (dims.length === 1 ? [null] : [1, null]));
};

/** `StringSplit`: one more axis as long as the longest split, and the number of parts. */
const stringSplit: ShapeRule = (ctx) => {
  const { dims } = required(ctx, 0);
  return [
    { dtype: 'string', dims: dims && [...dims, null] },
    { dtype: 'int64', dims },
  ];
};

/** `TfIdfVectorizer`: the last axis becomes one entry an n-gram. */
const tfIdf: ShapeRule = (ctx) => {
  const { dims } = required(ctx, 0);
  let last = -1;
  for (const i of ctx.attrs.ints('ngram_indexes')) last = Math.max(last, i);
  return one('float32', dims && [...dims.slice(0, -1), last + 1]);
};

const regexFullMatch: ShapeRule = (ctx) => one('bool', required(ctx, 0).dims);

/** `ImageDecoder`: height and width lie in the encoded bytes. */
const imageDecoder: ShapeRule = (ctx) =>
  one('uint8', [null, null, ctx.attrs.string('pixel_format', 'RGB') === 'Grayscale' ? 1 : 3]);

/** Operators on strings and encoded bytes. */
export const TEXT: Readonly<Record<string, ShapeRule>> = {
  ImageDecoder: imageDecoder,
  RegexFullMatch: regexFullMatch,
  StringConcat: stringConcat,
  StringNormalizer: stringNormalizer,
  StringSplit: stringSplit,
  TfIdfVectorizer: tfIdf,
};
