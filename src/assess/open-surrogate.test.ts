import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  EPS,
  examplesOf,
  isRight,
  linearPair,
  N,
  SIZE,
  scoreOf,
  W,
  X,
  Y,
} from '../../test/end-to-end/linear-pair.ts';
import { withOpenBatch } from '../../test/end-to-end/small-models.ts';
import { startServer } from '../../test/oip/server.ts';
import { writeNpz } from '../data/index.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModel } from '../onnx/write.ts';
import { opsOn } from '../transform/ops.ts';
import { type AssessOptions, assess } from './assess.ts';
import { attackExamples } from './attack-examples.ts';

let home: string;
const at = (name: string) => join(home, name);
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-surrogate-'));
  await writeModel(at('a.onnx'), linearPair(W.a));
  await writeModel(at('b.onnx'), linearPair(W.b));
  await writeModel(at('a-normalised.onnx'), linearPair(W.a, { mean: 0.25, std: 0.5 }));
  await writeNpz(at('data.npz'), { x: { data: X, shape: [N, SIZE] }, y: { data: Y, shape: [N] } });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Share of the samples that model `b` still gets right on the examples of model `a`. */
const LEFT = Y.filter((_, i) => isRight(W.b, X, i) && isRight(W.b, examplesOf(W.a), i)).length / N;

const options = (more: Partial<AssessOptions> = {}): AssessOptions => ({
  model: at('b.onnx'),
  data: at('data.npz'),
  range: [0, 1],
  attacks: [{ name: 'transfer', options: {} }],
  surrogate: { model: at('a.onnx') },
  norm: 'linf',
  eps: [EPS],
  threads: 1,
  out: home,
  ...more,
});

describe('a surrogate', () => {
  it('makes the examples that are tried on the model, and is named in the result', async () => {
    const { assessment } = await assess(options());
    expect(assessment.results[0]).toMatchObject({ attack: 'transfer', robustAccuracy: LEFT });
    expect(LEFT).toBeLessThan(assessment.results[0]!.cleanAccuracy - 0.05);
    expect(assessment.model.notes).toContainEqual(
      expect.stringMatching(/^surrogate: a\.onnx, sha256:[0-9a-f]{64}$/),
    );
  });

  it('may have a normalisation of its own', async () => {
    const surrogate = { model: at('a-normalised.onnx'), mean: [0.25], std: [0.5] };
    const { assessment } = await assess(options({ surrogate }));
    expect(assessment.results[0]!.robustAccuracy).toBe(LEFT);
  });

  it('serves against an endpoint, which is asked once about each example', async () => {
    const answer = (x: Float32Array, n: number) =>
      Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 : -1) * scoreOf(W.b, x, i >> 1));
    const server = await startServer({ sampleShape: [SIZE], outputs: 2, answer });
    try {
      const { attacks: _, eps: __, ...rest } = options({ model: server.url });
      const attack = { name: 'transfer', options: {} };
      const summary = await attackExamples({ ...rest, attack, eps: EPS, out: at('adv.npz') });
      expect(summary.robustAccuracy).toBe(LEFT);
      expect(summary.gradientQueries).toBe(0);
    } finally {
      await server.stop();
    }
  });

  it('adds transfer to the attacks of a level', async () => {
    const { assessment } = await assess(options({ attacks: undefined, model: at('b.onnx'), n: 20 }));
    expect(assessment.results[0]!.attack).toBe('transfer');
    expect(assessment.results.length).toBeGreaterThan(2);
  });

  it('belongs to what a checkpoint must have in common', async () => {
    const out = mkdtempSync(join(home, 'stopped-'));
    const stop = new AbortController();
    const first = await assess(
      options({
        out,
        signal: stop.signal,
        progress: ({ label }) => {
          if (label.startsWith('transfer')) stop.abort('the test');
        },
        attacks: [
          { name: 'transfer', options: {} },
          { name: 'pgd', options: {} },
        ],
      }),
    );
    expect(first.assessment.status).toBe('partial');
    const again = { out, resume: true, attacks: ['transfer', 'pgd'].map((name) => ({ name, options: {} })) };
    const other = { model: at('a-normalised.onnx'), mean: [0.25], std: [0.5] };
    await expect(assess(options({ ...again, surrogate: other }))).rejects.toThrow(/surrogate differ/);
    expect((await assess(options(again))).assessment.results[0]!.robustAccuracy).toBe(LEFT);
  });

  it('is refused where it does not fit, and where nothing needs it', async () => {
    const wider = opsOn(new GraphBuilder());
    const x = wider.builder.input('x', 'float32', [1, SIZE + 1]);
    await writeModel(at('wider.onnx'), withOpenBatch(wider.builder.build({ y: wider.add(x, x) })));
    const many = opsOn(new GraphBuilder());
    const y = many.builder.input('x', 'float32', [1, SIZE]);
    await writeModel(at('eight-outputs.onnx'), withOpenBatch(many.builder.build({ y: many.add(y, y) })));
    const refused = (more: Partial<AssessOptions>, message: RegExp) =>
      expect(assess(options(more))).rejects.toThrow(message);
    await refused(
      { surrogate: { model: at('wider.onnx') } },
      /wider\.onnx: --surrogate: .*\[8\], got one of \[9\]/,
    );
    await refused(
      { surrogate: { model: at('eight-outputs.onnx') } },
      /expected 2 outputs, as MODEL gives, got 8/,
    );
    await refused({ surrogate: { model: at('missing.onnx') } }, /missing\.onnx/);
    await refused({ surrogate: { model: 'http://127.0.0.1:1/v2/models/m' } }, /expected an ONNX file/);
    await refused({ surrogate: undefined }, /transfer: .*--surrogate FILE/);
    await refused(
      { attacks: [{ name: 'pgd', options: {} }] },
      /--surrogate: expected transfer among the attacks/,
    );
    await refused(
      { attacks: undefined, norm: 'l1', n: 10 },
      /--surrogate: expected transfer among the attacks/,
    );
  });
});
