import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';

/**
 * `y` = `x` with borders: constant, the edge, a reflection or the other end; negative pads crop. `x̄` cuts the borders of
 * `g` off and, unless they are constant, adds them where their elements came from; the constant's gradient is their sum.
 */
export const pad = defineRule({
  op: 'Pad',
  since: 11,
  note: 'x̄ = g without its borders, which are added where their elements came from; value: Σ over the borders',
  grad: ({ b, attrs, input, inputs, outGrads: [g], needs }) => {
    const { dims } = input(0);
    const given = constantNumbers(inputs[1], 'pads')!;
    const axes = (constantNumbers(inputs[3], 'axes') ?? dims.map((_, a) => a)).map((a) =>
      a < 0 ? a + dims.length : a,
    );
    const before = dims.map(() => 0);
    const after = dims.map(() => 0);
    for (const [i, a] of axes.entries()) {
      before[a] = given[i]!;
      after[a] = given[i + axes.length]!;
    }
    const none = inputs.map(() => null as Value | null);
    const mode = attrs.string('mode', 'constant');
    if (mode !== 'constant') {
      return none.with(
        0,
        axes.reduce((v, a) => fold(b, v, a, sources(mode, dims[a]!, before[a]!, after[a]!), dims[a]!), g!),
      );
    }
    const inside = b.pad(
      g!,
      before.map((p) => -p),
      after.map((p) => -p),
    );
    const all = dims.map((_, a) => a);
    const border = () => b.reshape(b.sub(b.sum(g!, all), b.sum(inside, all)), inputs[2]!.dims);
    return none.map((_, i) => (i === 0 && needs[0] ? inside : i === 2 && needs[2] ? border() : null));
  },
});

/** For each position of a padded axis, where in `x` its element comes from. Cropping happens first. */
function sources(mode: string, size: number, before: number, after: number): number[] {
  const low = Math.max(0, -before);
  const n = size - low - Math.max(0, -after);
  const from = (i: number): number => {
    if (mode === 'edge') return Math.min(Math.max(i, 0), n - 1);
    if (mode === 'wrap') return ((i % n) + n) % n;
    if (mode !== 'reflect')
      throw new GlacisError(
        'gradient/unsupported',
        `expected mode constant, edge, reflect or wrap, got ${mode}`,
      );
    if (n === 1) return 0;
    const period = 2 * (n - 1);
    const at = ((i % period) + period) % period;
    return at < n ? at : period - at;
  };
  return Array.from({ length: size + before + after }, (_, o) => low + from(o - Math.max(0, before)));
}

/** Adds the elements of `g` along `axis` where they came from: run by run of sources that rise, fall or stay. */
function fold(b: Ops, g: Value, axis: number, from: readonly number[], size: number): Value {
  const parts: Value[] = [];
  for (let start = 0; start < from.length; ) {
    const step = start + 1 < from.length ? from[start + 1]! - from[start]! : 1;
    let end = start + 1;
    if (Math.abs(step) <= 1) while (end < from.length && from[end]! - from[end - 1]! === step) end++;
    let part = b.slice(g, axis, start, end);
    if (step === 0) part = b.sum(part, [axis], true);
    else if (step === -1 && end - start > 1) part = b.slice(part, axis, -1, Number.MIN_SAFE_INTEGER, -1);
    const low = Math.min(from[start]!, from[end - 1]!);
    const count = part.dims[axis]!;
    const zeros = g.dims.map(() => 0);
    parts.push(b.pad(part, zeros.with(axis, low), zeros.with(axis, size - low - count)));
    start = end;
  }
  return parts.length > 0 ? parts.reduce((a, p) => b.add(a, p)) : b.full(g.dims.with(axis, size), 0, g.dtype);
}
