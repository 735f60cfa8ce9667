import { describe, expect, it } from 'vitest';
import type { InferRequest, ModelMetadata, Tensor } from '../oip/index.ts';
import { checkInputs } from './check-inputs.ts';

const METADATA: ModelMetadata = {
  ...{ name: 'm', versions: ['1'], platform: 'onnx' },
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'b', datatype: 'INT32', shape: [-1] },
    { name: 'scale', datatype: 'FP32', shape: [1] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};
const floats = (
  name: string,
  shape: readonly number[],
  count = shape.reduce((n, d) => n * d, 1),
): Tensor => ({
  ...{ name, datatype: 'FP32', shape },
  data: new Float32Array(count),
});
const whole = (name: string, rows: number): Tensor => ({
  ...{ name, datatype: 'INT32', shape: [rows] },
  data: new Int32Array(rows),
});
const SOUND = [floats('scale', [1]), whole('b', 3), floats('a', [3, 2])];
const check = (inputs: readonly Tensor[], rest: Partial<InferRequest> = {}, most = 8) =>
  checkInputs({ inputs, binaryOutput: false, ...rest }, METADATA, most);

describe('the inputs of a request', () => {
  it('come in the order of the metadata, with as many samples as all open axes say', () => {
    const { inputs, n } = check(SOUND, { outputs: [{ name: 'y', binary: false }] });
    expect(inputs.map(({ name }) => name)).toEqual(['a', 'b', 'scale']);
    expect(n).toBe(3);
  });

  it('are one sample where no axis is open', () => {
    const metadata = { ...METADATA, inputs: [METADATA.inputs[2]!] };
    expect(checkInputs({ inputs: [SOUND[0]!], binaryOutput: false }, metadata, 1).n).toBe(1);
  });

  it.each<[string, string, readonly Tensor[], Partial<InferRequest>?]>([
    ['one that is missing', 'mismatched', SOUND.slice(1)],
    ['another type', 'mismatched', [SOUND[0]!, SOUND[1]!, { ...whole('a', 6), shape: [3, 2] } as Tensor]],
    ['fewer dimensions', 'mismatched', [SOUND[0]!, SOUND[1]!, floats('a', [6])]],
    ['another size', 'mismatched', [SOUND[0]!, SOUND[1]!, floats('a', [2, 3])]],
    ['no elements', 'mismatched', [SOUND[0]!, whole('b', 0), floats('a', [0, 2])]],
    ['samples that are not as many in each', 'mismatched', [SOUND[0]!, whole('b', 2), SOUND[2]!]],
    ['one that nobody knows', 'mismatched', [...SOUND, floats('z', [1])]],
    ['an output that nobody knows', 'mismatched', SOUND, { outputs: [{ name: 'z', binary: false }] }],
    ['more samples than there may be', 'too-large', [SOUND[0]!, whole('b', 9), floats('a', [9, 2])]],
  ])('are refused with %s', (_, refusal, inputs, rest) => {
    expect(() => check(inputs, rest)).toThrow(expect.objectContaining({ refusal }));
  });
});
