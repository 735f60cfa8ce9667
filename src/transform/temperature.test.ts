import { describe, expect, it } from 'vitest';
import { oneNodeModel, randomTensor, runModel } from './one-node.fixture.ts';
import { scaleTemperature, TEMPERATURE_KEY } from './temperature.ts';

const x = randomTensor('logits', [3, 5], -4, 4);

describe('scaleTemperature', () => {
  it.each(['Softmax', 'LogSoftmax', 'Sigmoid', 'Identity'])(
    'divides the logits in front of %s',
    async (op) => {
      const model = oneNodeModel({ op, opset: 17, inputs: [x] });
      const data = new Float32Array(x.data.buffer, x.data.byteOffset, 15);
      const cooled = { ...x, data: new Uint8Array(data.map((v) => v / 2.5).buffer) };
      const expected = await runModel(model, { x0: cooled });
      const got = await runModel(scaleTemperature(model, 2.5), { x0: x });
      for (const [i, v] of got.y0!.data.entries()) expect(v).toBeCloseTo(expected.y0!.data[i]!, 6);
    },
  );

  it('keeps the answers, and writes the temperature down', async () => {
    const model = oneNodeModel({ op: 'Softmax', opset: 17, inputs: [x] });
    const twice = scaleTemperature(scaleTemperature(model, 2), 3, 'y0');
    expect(twice.metadata.get(TEMPERATURE_KEY)).toBe('6');
    const best = (data: readonly number[]) =>
      [0, 5, 10].map((at) => {
        const row = data.slice(at, at + 5);
        return row.indexOf(Math.max(...row));
      });
    const [before, after] = [await runModel(model, { x0: x }), await runModel(twice, { x0: x })];
    expect(best(after.y0!.data)).toEqual(best(before.y0!.data));
    expect(Math.max(...after.y0!.data)).toBeLessThan(Math.max(...before.y0!.data));
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a temperature of %d', (t) => {
    const model = oneNodeModel({ op: 'Softmax', opset: 17, inputs: [x] });
    expect(() => scaleTemperature(model, t)).toThrow('temperature');
    expect(() => scaleTemperature(model, 2, 'z')).toThrow('--output');
  });
});
