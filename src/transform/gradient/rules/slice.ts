import type { Value } from '../../../onnx/graph-builder.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';
import { type Taken, unslice } from '../unslice.ts';

/** `y = x[start:end:step]`: `x̄` is `g` with zeros where nothing was taken. */
export const slice = defineRule({
  op: 'Slice',
  since: 10,
  note: 'x̄ = g spread by the steps, zero elsewhere; any steps',
  grad: ({ b, input, inputs, outputs: [y], outGrads: [g] }) => {
    const { dims } = input(0);
    return inputs.map((_, i) => (i === 0 ? unslice(b, g!, dims, takenBy(inputs, y!)) : null));
  },
});

/** What a `Slice` of these inputs with the output `y` takes. Errors: `gradient/unsupported` where that depends on the data. */
export function takenBy(inputs: readonly (Value | null)[], y: Value): readonly Taken[] {
  const { dims } = inputs[0]!;
  const starts = constantNumbers(inputs[1], 'starts')!;
  const axes = constantNumbers(inputs[3], 'axes') ?? starts.map((_, i) => i);
  const steps = constantNumbers(inputs[4], 'steps') ?? starts.map(() => 1);
  return starts.map((s, i): Taken => {
    const axis = axes[i]! < 0 ? axes[i]! + dims.length : axes[i]!;
    const size = dims[axis]!;
    const step = steps[i]!;
    const first = Math.min(Math.max(s < 0 ? s + size : s, 0), step > 0 ? size : size - 1);
    return { axis, first, step, count: y.dims[axis]! };
  });
}

/** `y = [x₀, x₁, …]` along an axis: each `x̄ᵢ` is its part of `g`. */
export const concat = defineRule({
  op: 'Concat',
  since: 4,
  note: 'x̄ᵢ = its part of g',
  grad: ({ b, attrs, inputs, outputs: [y], outGrads: [g], needs }) => {
    const axis = (attrs.int('axis') + y!.dims.length) % y!.dims.length;
    const sizes = inputs.map((x) => x!.dims[axis]!);
    if (needs.every((n) => n)) return b.split(g!, axis, sizes);
    let from = 0;
    return needs.map((need, i) => {
      const start = from;
      from += sizes[i]!;
      return need ? b.slice(g!, axis, start, from) : null;
    });
  },
});

/** The parts of `x` along an axis: `x̄` joins their cotangents, zeros for those that nothing used. */
export const split = defineRule({
  op: 'Split',
  since: 2,
  note: 'x̄ = the cotangents joined',
  grad: ({ b, attrs, inputs, outputs, outGrads }) => {
    const parts = outputs.map((y, i) => outGrads[i] ?? b.zerosLike(y));
    return inputs.map((_, i) => (i === 0 ? b.concat(parts, attrs.int('axis', 0)) : null));
  },
});
