import { describe, expect, it } from 'vitest';
import { type AttributeInput, floats } from '../../../onnx/attributes.ts';
import { tensorFrom } from '../../../onnx/tensor.ts';
import {
  bothWays,
  distance,
  oneNodeModel,
  randomTensor,
  runModel,
  specialised,
} from '../../one-node.fixture.ts';

const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const;
type Op = keyof typeof GATES;
const [T, B, I, H] = [5, 3, 2, 4];

interface Extras {
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly bias?: boolean;
  readonly initial?: boolean;
  readonly lengths?: readonly number[];
  readonly peepholes?: boolean;
  readonly constant?: readonly number[];
}

function call(op: Op, { attributes = {}, bias, initial, lengths, peepholes, constant = [] }: Extras) {
  const directions = attributes.direction === 'bidirectional' ? 2 : 1;
  const rows = GATES[op] * H;
  const state = (name: string) => (initial ? randomTensor(name, [directions, B, H]) : null);
  const inputs = [
    randomTensor('X', [T, B, I], -2, 2),
    randomTensor('W', [directions, rows, I]),
    randomTensor('R', [directions, rows, H]),
    bias ? randomTensor('B', [directions, 2 * rows]) : null,
    lengths ? tensorFrom('int32', [B], lengths) : null,
    state('h'),
    ...(op === 'LSTM' ? [state('c'), peepholes ? randomTensor('P', [directions, 3 * H]) : null] : []),
  ];
  while (inputs.at(-1) === null) inputs.pop();
  return {
    op,
    opset: 14,
    inputs,
    constant,
    outputs: op === 'LSTM' ? 3 : 2,
    attributes: { hidden_size: H, ...attributes },
  };
}

const everywhere: readonly [string, Extras][] = [
  ['plain', {}],
  ['bias and initial states', { bias: true, initial: true }],
  ['constant weights', { bias: true, constant: [1, 2, 3] }],
  ['reverse', { bias: true, initial: true, attributes: { direction: 'reverse' } }],
  ['bidirectional', { bias: true, initial: true, attributes: { direction: 'bidirectional' } }],
  ['lengths', { bias: true, initial: true, lengths: [5, 2, 4] }],
  ['constant lengths', { lengths: [5, 2, 4], constant: [4] }],
  ['reverse with lengths', { bias: true, lengths: [1, 5, 3], attributes: { direction: 'reverse' } }],
  ['both with lengths', { initial: true, lengths: [1, 5, 3], attributes: { direction: 'bidirectional' } }],
  ['clip', { bias: true, initial: true, attributes: { clip: 0.4 } }],
];

const only: Readonly<Record<Op, readonly [string, Extras][]>> = {
  LSTM: [
    ['peepholes', { peepholes: true, bias: true, initial: true }],
    ['peepholes both ways', { peepholes: true, initial: true, attributes: { direction: 'bidirectional' } }],
    ['input_forget', { bias: true, attributes: { input_forget: 1 } }],
    ['input_forget with peepholes', { peepholes: true, initial: true, attributes: { input_forget: 1 } }],
    [
      'activations with parameters',
      {
        bias: true,
        initial: true,
        attributes: {
          activations: ['HardSigmoid', 'ScaledTanh', 'LeakyRelu'],
          activation_alpha: floats([0.3, 0.7, 0.2]),
          activation_beta: floats([0.4, 1.2]),
        },
      },
    ],
    ['other activations', { bias: true, attributes: { activations: ['Sigmoid', 'Softsign', 'Elu'] } }],
  ],
  GRU: [
    ['linear_before_reset', { bias: true, initial: true, attributes: { linear_before_reset: 1 } }],
    ['linear_before_reset without bias', { initial: true, attributes: { linear_before_reset: 1 } }],
    [
      'linear_before_reset both ways with lengths',
      {
        bias: true,
        lengths: [2, 5, 1],
        attributes: { linear_before_reset: 1, direction: 'bidirectional' },
      },
    ],
    ['other activations', { bias: true, attributes: { activations: ['HardSigmoid', 'Relu'] } }],
  ],
  RNN: [
    ['relu', { bias: true, initial: true, attributes: { activations: ['Relu'] } }],
    [
      'affine and thresholded',
      {
        attributes: {
          direction: 'bidirectional',
          activations: ['Affine', 'ThresholdedRelu'],
          activation_alpha: floats([0.5, 0.3]),
          activation_beta: floats([0.1]),
        },
      },
    ],
  ],
};

for (const op of ['LSTM', 'GRU', 'RNN'] as const) {
  describe(`${op} unrolled equals the runtime's`, () => {
    it.each([...everywhere, ...only[op]])('%s', async (_, extras) => {
      const { before, after, ops } = await bothWays(call(op, extras));
      expect(ops).not.toContain(op);
      for (const [i, want] of before.entries()) {
        expect(after[i]!.dims).toEqual(want.dims);
        expect(distance(want, after[i]!)).toBeLessThan(2e-6);
      }
    });

    it('batch-first layout is the time-first one turned', async () => {
      const timeFirst = call(op, { bias: true, initial: true, attributes: { direction: 'bidirectional' } });
      const swap = (i: number) => {
        const t = timeFirst.inputs[i]!;
        const [p, q, r] = t.dims as [number, number, number];
        const data = new Float32Array(t.data.buffer, t.data.byteOffset, p * q * r);
        const out = Array.from(data, (_, k) => {
          const [x, y, z] = [Math.floor(k / (p * r)), Math.floor(k / r) % p, k % r];
          return data[(y * q + x) * r + z]!;
        });
        return tensorFrom('float32', [q, p, r], out);
      };
      const inputs = timeFirst.inputs.map((t, i) => (i === 0 || i === 5 || i === 6 ? swap(i) : t));
      const batchFirst = oneNodeModel({
        ...timeFirst,
        inputs,
        attributes: { ...timeFirst.attributes, layout: 1 },
      });
      const feeds = Object.fromEntries(inputs.flatMap((t, i) => (t ? [[`x${i}`, t]] : [])));
      const got = await runModel(specialised(batchFirst).model, feeds);
      const { before } = await bothWays(timeFirst);
      const Y = got.y0_new!;
      expect(Y.dims).toEqual([B, T, 2, H]);
      const at = (t: number, d: number, n: number, h: number) =>
        before[0]!.data[((t * 2 + d) * B + n) * H + h]!;
      const want = Y.data.map((_, k) => {
        const [n, t, d, h] = [
          Math.floor(k / (T * 2 * H)),
          Math.floor(k / (2 * H)) % T,
          Math.floor(k / H) % 2,
          k % H,
        ];
        return at(t, d, n, h);
      });
      expect(distance({ data: want }, Y)).toBeLessThan(2e-6);
      expect(got.y1_new!.dims).toEqual([B, 2, H]);
    });
  });
}

it('refuses unknown activations, and a wrong number of them', () => {
  const model = (attributes: Record<string, AttributeInput>) => oneNodeModel(call('GRU', { attributes }));
  expect(() => specialised(model({ activations: ['Sigmoid', 'Wave'] }))).toThrow(/'Wave'/);
  expect(() => specialised(model({ activations: ['Sigmoid'] }))).toThrow(/expected 2 activations, got 1/);
});
