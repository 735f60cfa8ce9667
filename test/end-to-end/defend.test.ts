import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  linearPictures,
  PICTURE,
  N as PICTURES,
  X,
  Y,
} from '../../src/assess/defence/linear-pictures.fixture.ts';
import { parseDefence } from '../../src/assess/defence/result-json.ts';
import { writeNpz } from '../../src/data/index.ts';
import { renderSplit } from '../../src/data/traffic-signs/render.ts';
import { parseModel } from '../../src/onnx/read.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { ROOT } from '../house/tree.ts';
import { glacis } from './cli.ts';
import { linearModel } from './small-models.ts';

const SIGNS = join(ROOT, 'examples/traffic-signs/traffic-signs.onnx');
const N = 6;
let home: string;
const at = (name: string) => join(home, name);
const defend = (...args: string[]) => glacis(['defend', ...args], { cwd: home });

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-defend-'));
  const { x, y } = renderSplit({ seed: 1, split: 'test', n: N });
  await writeNpz(at('signs.npz'), {
    x: { data: Float32Array.from(x, (v) => v / 255), shape: [N, 3, 32, 32] },
    y: { data: Int32Array.from(y), shape: [N] },
  });
  await writeModel(at('table.onnx'), linearModel());
  await writeModel(at('pictures.onnx'), linearPictures(100));
  await writeNpz(at('pictures.npz'), {
    x: { data: X, shape: [PICTURES, ...PICTURE] },
    y: { data: Y, shape: [PICTURES] },
  });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('glacis defend', () => {
  it('writes a model with defences without running anything', async () => {
    const { code, stderr } = await defend(
      SIGNS,
      '--with',
      'resize-pad, jpeg(quality=60)',
      '--with',
      'bit-depth',
      '--out',
      'three.onnx',
    );
    expect(code, stderr).toBe(0);
    const { metadata } = parseModel(readFileSync(at('three.onnx')));
    expect(metadata.get('glacis.defences')).toBe(
      'resize-pad(least=0.9, seed=0), jpeg(quality=60, subsampling=false), bit-depth(bits=4)',
    );
    expect(existsSync(at('three.defence.json'))).toBe(false);
  });

  it('says what a defence of the traffic-sign model is worth', async () => {
    const { code, stdout, stderr } = await defend(
      SIGNS,
      ...['--with', 'jpeg', '--out', 'out.onnx', '--data', 'signs.npz', '--threads', '1'],
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('passes steps, averages draws');
    const found = parseDefence(readFileSync(at('out.defence.json'), 'utf8'));
    expect(found.data.n).toBe(N);
    const right = Object.fromEntries(found.rows.map((r) => [r.attacker, r.defended.right]));
    // Steps stop an attack that does not pass them, and no other.
    expect(right.direct).toBeGreaterThan(right.adaptive!);
    expect(right.worst).toBeLessThanOrEqual(right.adaptive!);
  });

  it('fits a detector and a temperature', async () => {
    const { code, stdout, stderr } = await defend(
      'pictures.onnx',
      ...['--detector-fpr', '0.2', '--fit-temperature', '--out', 'both.onnx', '--json', 'both.json'],
      ...['--data', 'pictures.npz', '--eps', '0.02', '--attack', 'apgd-ce(steps=5)', '--threads', '1'],
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('Detector: bit-depth(bits=4), median(window=2)');
    expect(stdout).toContain('Temperature:');
    const found = parseDefence(readFileSync(at('both.json'), 'utf8'));
    expect(found.data.n).toBe(PICTURES / 2);
    expect(found.detector!.samples).toBe(PICTURES / 2);
    expect(found.temperature!.samples).toBe(PICTURES / 2);
    const page = readFileSync(at('both.defence.html'), 'utf8');
    for (const part of ['Who attacks', 'What the detector rejects', 'How sure the model is'])
      expect(page).toContain(part);
  });

  it.each([
    [['--with', 'bit-depth'], '--out'],
    [['--out', 'x.onnx'], 'expected a defence'],
    [['--with', 'jepg', '--out', 'x.onnx'], "did you mean 'jpeg'"],
    [['--detector-fpr', '0.05', '--out', 'x.onnx'], '--data'],
    [['--detector-fpr', '2', '--out', 'x.onnx'], '--detector-fpr'],
    [['--with', 'median', '--attack', 'fgsm,pgd', '--out', 'x.onnx'], 'one attack'],
  ])('%j is refused', async (args, hint) => {
    const { code, stderr } = await defend(SIGNS, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
    expect(existsSync(at('x.onnx'))).toBe(false);
  });

  it('a model of tables is refused', async () => {
    const { code, stderr } = await defend('table.onnx', '--with', 'median', '--out', 'x.onnx');
    expect(code).toBe(2);
    expect(stderr).toContain('defences at the input are for pictures');
  });
});
