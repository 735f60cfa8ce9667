import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAssessment } from '../../src/assess/result-json.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Dim, Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { glacis } from './cli.ts';
import { BIAS, CLASSES, FEATURES, linearModel, WEIGHTS, writeLinearData } from './small-models.ts';

let home: string;
const at = (name: string) => join(home, name);
const ARGS = ['--data', 'data.npz', '--range', '0,1', '--eps', '0.1', '--attacks', 'fgsm,pgd(steps=5)'];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-batch-'));
  await writeLinearData(at('data.npz'), 60);
  await writeModel(at('open.onnx'), linearModel());
  await glacis(['assess', 'open.onnx', ...ARGS, '--out', 'open'], { cwd: home });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The linear model for `batch` samples, its shapes baked in as exporters do; the input may claim to be open. */
function baked(batch: number, first: Dim = batch): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [batch, FEATURES]);
  // There and back, so that a shape of exactly this batch stands in the graph.
  const [flat] = b.builder.add('Reshape', [x, b.ints([batch, 2, 2])]);
  const [back] = b.builder.add('Reshape', [flat!, b.ints([batch, FEATURES])]);
  const w = b.builder.constant(float32Tensor([FEATURES, CLASSES], WEIGHTS), 'w');
  const bias = b.builder.constant(float32Tensor([CLASSES], BIAS), 'bias');
  const model = b.builder.build({ logits: b.add(b.matmul(back!, w), bias) });
  const inputs = model.graph.inputs.map((i) =>
    i.type.kind === 'tensor' ? { ...i, type: { ...i.type, dims: [first, FEATURES] } } : i,
  );
  return { ...model, graph: { ...model.graph, inputs } };
}

const resultAt = (folder: string) => parseAssessment(readFileSync(at(`${folder}/assessment.json`), 'utf8'));

it.each([
  ['one', baked(1), /written for many/],
  ['eight', baked(8), /8 samples at a time only/],
  ['claims-open', baked(1, 'batch'), /written for many/],
])('gives the same result for a file whose batch is %s', async (name, model, note) => {
  await writeModel(at(`${name}.onnx`), model);
  const { code, stderr } = await glacis(['assess', `${name}.onnx`, ...ARGS, '--out', name], { cwd: home });
  expect(code, stderr).toBe(0);
  const [own, open] = [resultAt(name), resultAt('open')];
  expect(own.worstCases).toEqual(open.worstCases);
  expect(own.model.notes.join(' ')).toMatch(note);
  for (const { perSample } of open.results)
    expect(readFileSync(at(`${name}/${perSample}`))).toEqual(readFileSync(at(`open/${perSample}`)));
});
