import { elementCount, int64Tensor } from '../../../onnx/tensor.ts';
import { addRows } from '../add-rows.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';

/** Blocks of channels become space (`DCR` or `CRD` order): `x̄` moves them back. */
export const depthToSpace = defineRule({
  op: 'DepthToSpace',
  since: 11,
  note: 'x̄ = g moved back (SpaceToDepth)',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const blocksize = attrs.int('blocksize');
    if (attrs.string('mode', 'DCR') === 'DCR') return [b.node('SpaceToDepth', [g!], { blocksize })];
    const [n, c, h, w] = input(0).dims as [number, number, number, number];
    const split = b.reshape(g!, [n, c / blocksize ** 2, h, blocksize, w, blocksize]);
    return [b.reshape(b.transpose(split, [0, 1, 3, 5, 2, 4]), [n, c, h, w])];
  },
});

/** Blocks of space become channels: `x̄` moves them back. */
export const spaceToDepth = defineRule({
  op: 'SpaceToDepth',
  since: 1,
  note: 'x̄ = g moved back (DepthToSpace)',
  grad: ({ b, attrs, outGrads: [g] }) => [
    b.node('DepthToSpace', [g!], { blocksize: attrs.int('blocksize'), mode: 'DCR' }),
  ],
});

/** Keeps a triangle: so does `x̄`. */
export const trilu = defineRule({
  op: 'Trilu',
  since: 14,
  note: 'x̄ = the same triangle of g',
  grad: ({ b, attrs, inputs, outGrads: [g] }) =>
    inputs.map((_, i) =>
      i === 0 ? b.node('Trilu', [g!, ...inputs.slice(1)], { upper: attrs.int('upper', 1) }) : null,
    ),
});

/** Turns the start of each sequence round: doing so twice changes nothing. */
export const reverseSequence = defineRule({
  op: 'ReverseSequence',
  since: 10,
  note: 'x̄ = g reversed likewise',
  grad: ({ b, node, input, outGrads: [g] }) => [
    b.node('ReverseSequence', [g!, input(1)], Object.fromEntries(node.attributes)),
    null,
  ],
});

/** Crops or pads with zeros about the centre: `x̄` pads or crops. */
export const centerCropPad = defineRule({
  op: 'CenterCropPad',
  since: 18,
  note: 'x̄ = g padded or cropped about the centre',
  grad: ({ b, input, outGrads: [g] }) => {
    const { dims } = input(0);
    const cut = dims.map((d, a) => g!.dims[a]! - d);
    const before = cut.map((c) => (c >= 0 ? Math.floor(c / 2) : -Math.floor(-c / 2)));
    return [
      b.pad(
        g!,
        before.map((p) => 0 - p),
        cut.map((c, a) => before[a]! - c),
      ),
      null,
    ];
  },
});

/** Keeps the elements that a constant condition marks: `x̄` puts `g` back at them. */
export const compress = defineRule({
  op: 'Compress',
  since: 9,
  note: 'x̄ = g at the kept places; the condition must be constant',
  grad: ({ b, attrs, input, inputs, outGrads: [g] }) => {
    const { dims } = input(0);
    const flat = !attrs.has('axis');
    const shape = flat ? [elementCount(dims)] : dims;
    const axis = flat ? 0 : (attrs.int('axis') + dims.length) % dims.length;
    const kept = constantNumbers(inputs[1], 'conditions')!.flatMap((c, i) => (c !== 0 ? [i] : []));
    const indices = b.builder.constant(int64Tensor([kept.length], kept));
    return [b.reshape(addRows(b, g!, indices, shape, axis), dims), null];
  },
});

/** The largest or smallest values: `x̄` puts their cotangents back at their indices. */
export const topK = defineRule({
  op: 'TopK',
  since: 11,
  note: 'x̄ = g at the indices of the values',
  grad: ({ b, attrs, input, outputs, outGrads: [g] }) => {
    if (!g) return [null, null];
    const x = input(0);
    return [
      b.node('ScatterElements', [b.zerosLike(x), outputs[1]!, g], { axis: attrs.int('axis', -1) }),
      null,
    ];
  },
});
