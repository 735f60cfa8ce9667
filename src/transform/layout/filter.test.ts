import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32Tensor, numbersOf } from '../../onnx/tensor.ts';
import { runModel } from '../one-node.fixture.ts';
import { opsOn } from '../ops.ts';
import { blockedBias, blockedFilter, reorderedFilter } from './filter.ts';

const ramp = (o: number, i: number, kh: number, kw: number) =>
  float32Tensor(
    [o, i, kh, kw],
    Array.from({ length: o * i * kh * kw }, (_, k) => k + 1),
  );

describe('blockedFilter', () => {
  for (const block of [4, 8, 16]) {
    // Whole blocks of inputs, fewer inputs than a block, depthwise; outputs that are no multiple.
    for (const [o, i, kh, kw] of [
      [2 * block, 2 * block, 3, 2],
      [block + 1, block, 1, 1],
      [3, block - 1, 2, 2],
      [2 * block, 1, 3, 3],
    ] as const) {
      it(`puts [${o}, ${i}, ${kh}, ${kw}] where kernels of ${block} channels read it`, () => {
        const w = ramp(o, i, kh, kw);
        const result = blockedFilter(w, block);
        const outputs = Math.ceil(o / block) * block;
        expect(result.dims).toEqual([outputs, i, kh, kw]);
        const inner = i % block === 0 ? block : 1;
        const got = numbersOf(result);
        for (let a = 0; a < outputs; a++) {
          for (let c = 0; c < i; c++) {
            for (let y = 0; y < kh; y++) {
              for (let x = 0; x < kw; x++) {
                // MLAS: [O / Bo][I / Bi][kh][kw][Bi][Bo].
                const place =
                  ((((Math.floor(a / block) * (i / inner) + Math.floor(c / inner)) * kh + y) * kw + x) *
                    inner +
                    (c % inner)) *
                    block +
                  (a % block);
                expect(got[place]).toBe(a < o ? ((a * i + c) * kh + y) * kw + x + 1 : 0);
              }
            }
          }
        }
      });
    }
  }

  it('is what reorderedFilter computes for weights that are inputs', async () => {
    for (const [o, i] of [
      [16, 24],
      [8, 3],
      [24, 1],
    ] as const) {
      const w = ramp(o, i, 3, 2);
      const b = opsOn(new GraphBuilder());
      const model = b.builder.build({ y: reorderedFilter(b, b.builder.input('w', 'float32', w.dims), 8) });
      const { y } = await runModel(model, { w });
      expect(y!.data).toEqual(Array.from(numbersOf(blockedFilter(w, 8))));
    }
  });
});

describe('blockedBias', () => {
  it('is filled up with zeros', () => {
    const bias = blockedBias(float32Tensor([5], [1, 2, 3, 4, 5]), 4);
    expect([bias.dims, Array.from(numbersOf(bias))]).toEqual([[8], [1, 2, 3, 4, 5, 0, 0, 0]]);
  });
});
