import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/data/index.ts';
import { renderSplit } from '../../src/data/traffic-signs/render.ts';
import type { Model } from '../../src/onnx/model.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { glacis } from './cli.ts';
import { linearModel, regionModel } from './small-models.ts';

const SIGNS = fileURLToPath(new URL('../../examples/traffic-signs/traffic-signs.onnx', import.meta.url));

let home: string;
const at = (name: string) => join(home, name);
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-other-'));
  await writeModel(at('linear.onnx'), linearModel('Softmax'));
  await writeModel(at('region.onnx'), regionModel());
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('glacis', () => {
  it('gives its version, its commands, and the help of each with examples', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await glacis(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    const overview = await glacis(['--help']);
    expect(overview.code).toBe(0);
    const commands = [...overview.stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((m) => m[1]!);
    expect(commands).toEqual(expect.arrayContaining(['assess', 'attack', 'demo', 'doctor', 'inspect']));
    for (const command of commands) {
      const help = await glacis([command, '--help']);
      expect(help.code, command).toBe(0);
      expect(help.stdout, command).toMatch(new RegExp(`^Usage {2}glacis ${command}`));
      expect(help.stdout, command).toMatch(/Examples\n {2}# .+\n {2}glacis /);
      for (const line of help.stdout.split('\n')) expect(line.length, line).toBeLessThan(200);
    }
  });
});

describe('glacis inspect', () => {
  it('shows the operators, what is differentiable, and the interface', async () => {
    const { code, stdout } = await glacis(['inspect', 'linear.onnx', '--json', 'linear.json'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/x {2}float32\[batch, 4\]/);
    expect(stdout).toMatch(/1 {2}MatMul +gradient rule/);
    expect(stdout).toMatch(/Gradients: yes, of logits \(before its Softmax\) with respect to x\./);
    const json = JSON.parse(readFileSync(at('linear.json'), 'utf8')) as {
      schema: string;
      parameters: number;
      gradient: { verdict: string };
    };
    expect(json).toMatchObject({ schema: 'glacis.model/1', parameters: 15, gradient: { verdict: 'yes' } });
  });

  it('says why there is no gradient', async () => {
    const { code, stdout } = await glacis(['inspect', 'region.onnx'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/MaxRoiPool +no gradient/);
    expect(stdout).toMatch(/Gradients: no: .*MaxRoiPool/s);
  });

  it('lets no control characters of a file reach the terminal', async () => {
    const model = linearModel();
    const evil: Model = { ...model, producer: 'evil\x1b]0;owned\x07\x1b[2J' };
    await writeModel(at('evil.onnx'), evil);
    const { code, stdout } = await glacis(['inspect', 'evil.onnx'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toContain('evil');
    expect(stdout).not.toContain('\x1b');
    expect(stdout).not.toContain('\x07');
  });
});

describe('glacis doctor', () => {
  it('finds that Glacis works here', async () => {
    const { code, stdout } = await glacis(['doctor', '--device', 'cpu', '--json', 'doctor.json'], {
      cwd: home,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/ok +cpu +ONNX Runtime \d/);
    expect(JSON.parse(readFileSync(at('doctor.json'), 'utf8'))).toMatchObject({ good: true });
  });
});

describe('glacis attack patch', () => {
  it('writes the patch as a picture to print, and says so', async () => {
    const { x, y } = renderSplit({ seed: 1, split: 'test', n: 8 });
    await writeNpz(at('signs.npz'), {
      x: { data: x, shape: [8, 3, 32, 32] },
      y: { data: y, shape: [8] },
    });
    const args = [
      'attack',
      'patch(passes=2, size=0.5)',
      SIGNS,
      '--data',
      at('signs.npz'),
      '--out',
      at('adv.npz'),
      '--patch',
      at('patch.png'),
    ];
    const { code, stdout, stderr } = await glacis(args);
    expect(stderr).not.toMatch(/expected/);
    expect(code).toBe(0);
    expect(stdout).toContain(`Patch: ${at('patch.png')}`);
    const { width, height, hasAlpha, channels } = await sharp(at('patch.png')).metadata();
    // 16 texels a side.
    expect([width, height, hasAlpha, channels]).toEqual([608, 608, true, 4]);
    const { data } = await sharp(at('patch.png')).raw().toBuffer({ resolveWithObject: true });
    // Round: opaque in the middle, transparent in the corners.
    expect([data[4 * (304 * 608 + 304) + 3], data[3]]).toEqual([255, 0]);
  });

  it('refuses --patch for another attack', async () => {
    const { code, stderr } = await glacis([
      'attack',
      'pgd',
      'linear.onnx',
      '--data',
      'none.npz',
      '--out',
      'a.npz',
      '--patch',
      'p.png',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('--patch: expected the attack patch, got pgd');
  });
});
