import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, withOpenBatch, writeLinearData } from '../../test/end-to-end/small-models.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModel } from '../onnx/write.ts';
import { renderHtml } from '../report/html.ts';
import { renderText } from '../report/text.ts';
import { opsOn } from '../transform/ops.ts';
import { type AssessOptions, assess } from './assess.ts';
import { toJson } from './result-json.ts';

let home: string;
const at = (name: string) => join(home, name);
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-assess-unit-'));
  await writeModel(at('linear.onnx'), linearModel());
  await writeLinearData(at('data.npz'), 50);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const options = (more: Partial<AssessOptions> = {}): AssessOptions => ({
  model: at('linear.onnx'),
  data: at('data.npz'),
  range: [0, 1],
  attacks: [{ name: 'fgsm', options: {} }],
  norm: 'linf',
  eps: [0.1],
  threads: 1,
  out: home,
  ...more,
});

describe('assess', () => {
  it('stopped before the first attack, gives an honest partial result that can be written and shown', async () => {
    const controller = new AbortController();
    const { assessment, examples } = await assess(
      options({ signal: controller.signal, progress: () => controller.abort('the test') }),
    );
    expect(assessment).toMatchObject({ status: 'partial', statusReason: 'stopped by the test', results: [] });
    expect(examples).toEqual([]);
    expect(() => toJson(assessment)).not.toThrow();
    expect(renderText(assessment)).toContain('Not finished: stopped by the test');
    expect(renderHtml(assessment)).toContain('<!doctype html>');
  });

  it('stopped while it reads, throws run/cancelled', async () => {
    await expect(assess(options({ signal: AbortSignal.abort('the test') }))).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });

  it('takes the same attack twice, each with its own file', async () => {
    const attacks = [
      { name: 'pgd', options: { steps: 1 } },
      { name: 'pgd', options: { steps: 9 } },
    ];
    const { assessment } = await assess(options({ attacks }));
    const files = assessment.results.map((r) => r.perSample);
    expect(new Set(files).size).toBe(2);
    for (const file of files) expect(readdirSync(home)).toContain(file);
    expect(assessment.results[1]!.robustAccuracy).toBeLessThanOrEqual(assessment.results[0]!.robustAccuracy);
    expect(assessment.worstCases[0]!.attacks).toEqual(['pgd']);
  });

  it('takes a radius once that is given twice, and refuses options that a result cannot hold', async () => {
    const { assessment } = await assess(options({ eps: [0.1, 0.1] }));
    expect(assessment.results).toHaveLength(1);
    const attacks = [{ name: 'pgd', options: { stepSize: Number.POSITIVE_INFINITY } }];
    await expect(assess(options({ attacks }))).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('says how a single output was read when it looks like a probability', async () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1, 4]);
    await writeModel(at('mean.onnx'), withOpenBatch(b.builder.build({ y: b.mean(x, [1], true) })));
    await writeLinearData(at('binary.npz'), 20, { y: Int32Array.from({ length: 20 }, (_, i) => i % 2) });
    const { assessment } = await assess(options({ model: at('mean.onnx'), data: at('binary.npz') }));
    expect(assessment.model.notes.join(' ')).toContain('all first outputs lie between 0 and 1');
  });

  it('suspects gradient masking in front of a model whose input is rounded', async () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1, 4]);
    const rounded = b.div(b.unary('Round', b.mul(x, 20)), 20);
    const w = b.builder.constant({
      dtype: 'float32',
      dims: [4, 3],
      data: new Uint8Array(Float32Array.of(1, -1, 0.5, 0.25, 1, -1, -1, 0.5, 1, 0.5, -0.25, -0.5).buffer),
    });
    await writeModel(at('rounded.onnx'), withOpenBatch(b.builder.build({ y: b.matmul(rounded, w) })));
    const masked = await assess(options({ model: at('rounded.onnx') }));
    expect(masked.assessment.findings.map((f) => f.id)).toContain('evasion/gradient-masking');
    const attacks = [{ name: 'pgd', options: { rounding: 'straight-through' } }];
    const through = await assess(options({ model: at('rounded.onnx'), attacks }));
    expect(through.assessment.worstCases[0]!.robustAccuracy).toBeLessThan(
      masked.assessment.worstCases[0]!.robustAccuracy,
    );
  });

  it('says that a model with noise inside answers differently each time', async () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1, 4]);
    const noise = b.node('RandomNormalLike', [x], { scale: 0.5 });
    const w = b.builder.constant({
      dtype: 'float32',
      dims: [4, 3],
      data: new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)).buffer),
    });
    await writeModel(at('noise.onnx'), withOpenBatch(b.builder.build({ y: b.matmul(b.add(x, noise), w) })));
    const { assessment } = await assess(options({ model: at('noise.onnx') }));
    expect(assessment.findings.map((f) => f.id)).toContain('evasion/randomised-model');
  });
});
