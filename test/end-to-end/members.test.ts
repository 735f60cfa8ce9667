import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAssessment } from '../../src/assess/index.ts';
import { writeNpz } from '../../src/data/index.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { glacis } from './cli.ts';
import { FEATURES, linearLogits, linearModel, writeLinearData } from './small-models.ts';

const N = 60;
let home: string;
const at = (name: string) => join(home, name);
const assess = (...args: string[]) =>
  glacis(
    [
      'assess',
      'model.onnx',
      '--data',
      'data.npz',
      '--range',
      '0,1',
      '--eps',
      '0.05',
      '--attacks',
      'fgsm',
      '--quiet',
      ...args,
    ],
    {
      cwd: home,
    },
  );

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-members-'));
  await writeModel(at('model.onnx'), linearModel());
  await writeLinearData(at('data.npz'), N);
  // What the model was "trained" on: it is right on all of it.
  const x = Float32Array.from({ length: N * FEATURES }, (_, i) => ((i * 31 + 7) % 101) / 100);
  const y = Int32Array.from({ length: N }, (_, i) => {
    const logits = linearLogits(x, i * FEATURES);
    return logits.indexOf(Math.max(...logits));
  });
  await writeNpz(at('members.npz'), { x: { data: x, shape: [N, FEATURES] }, y: { data: y, shape: [N] } });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

it('glacis assess --members holds training data against other data', async () => {
  const { code, stdout, stderr } = await assess('--members', 'members.npz');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('Accuracy is 100 % on training data');
  const { generalisation, results } = parseAssessment(readFileSync(at('glacis-out/assessment.json'), 'utf8'));
  expect(generalisation!.members.rate).toMatchObject({ n: N, right: N });
  expect(generalisation!.others.rate.accuracy).toBe(results[0]!.cleanAccuracy);
  expect(readFileSync(at('glacis-out/report.html'), 'utf8')).toContain('What it was trained on');
});

it('refuses the same data as members', async () => {
  const { code, stderr } = await assess('--members', 'data.npz');
  expect(code).toBe(2);
  expect(stderr).toContain('--members: expected the training data');
});
