import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTransfer, type Transfer } from '../../src/assess/index.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { type OipServer, startServer } from '../oip/server.ts';
import { glacis } from './cli.ts';
import {
  CLASSES,
  FEATURES,
  linearLogits,
  linearModel,
  oneOutputModel,
  slowModel,
  writeLinearData,
  writeSlowData,
} from './small-models.ts';

const N = 60;
let home: string;
let server: OipServer;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-transfer-'));
  await writeModel(at('plain.onnx'), linearModel());
  await writeModel(at('soft.onnx'), linearModel('Softmax'));
  await writeModel(at('slow.onnx'), slowModel());
  await writeModel(at('one.onnx'), oneOutputModel());
  await writeLinearData(at('data.npz'), N);
  await writeSlowData(at('slow.npz'), 96);
  server = await startServer({
    sampleShape: [FEATURES],
    outputs: CLASSES,
    answer: (x, n) =>
      Float32Array.from(Array.from({ length: n }, (_, i) => linearLogits(x, i * FEATURES)).flat()),
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

const common = ['--data', 'data.npz', '--range', '0,1', '--eps', '0.1'];
const transfer = (...args: string[]) => glacis(['transfer', ...args], { cwd: home });
const result = (folder: string): Transfer =>
  parseTransfer(readFileSync(at(`${folder}/transfer.json`), 'utf8'));

describe('glacis transfer', () => {
  it('tries examples of files on files and on an endpoint, and shows the matrix as text, JSON and HTML', async () => {
    const { code, stdout, stderr } = await transfer(
      'plain.onnx',
      'soft.onnx',
      server.url,
      ...common,
      '--out',
      'all',
    );
    expect(code, stderr).toBe(0);
    const { rows, models, status } = result('all');
    expect(status).toBe('complete');
    expect(models.map(({ access }) => access)).toEqual(['file', 'file', 'endpoint']);
    expect(rows.map(({ model }) => model)).toEqual([0, 1]);
    // All three are the same function, so all of them fall to the same examples.
    for (const { cells } of rows) {
      expect(cells[0]!.fooled).toBeGreaterThan(5);
      expect(new Set(cells.map(({ fooled, n }) => `${fooled} ${n}`)).size).toBe(1);
    }
    expect(stdout).toMatch(/^made on +on A +on B +on C$/m);
    expect(stdout).toContain('answers only');
    const page = readFileSync(at('all/transfer.html'), 'utf8');
    expect(page).toContain('Whose examples fool whom');
    expect(page).toContain('soft.onnx');
  });

  it('gives the same by seed, byte for byte', async () => {
    const args = ['plain.onnx', 'soft.onnx', ...common, '--attack', 'pgd(steps=3)', '--seed', '5'];
    for (const out of ['one', 'two']) expect((await transfer(...args, '--out', out)).code).toBe(0);
    expect(readFileSync(at('one/transfer.npz'))).toEqual(readFileSync(at('two/transfer.npz')));
    expect(result('one').rows.map(({ cells }) => cells)).toEqual(
      result('two').rows.map(({ cells }) => cells),
    );
  });

  it('leaves with 1 where a finding is as grave as --fail-on says', async () => {
    const fail = (eps: string) =>
      transfer(
        ...['plain.onnx', 'soft.onnx', '--data', 'data.npz', '--range', '0,1', '--out', 'fail'],
        ...['--eps', eps, '--fail-on', 'medium'],
      );
    expect((await fail('0.3')).code).toBe(1);
    expect((await fail('0.001')).code).toBe(0);
  });

  it('keeps what is finished on Ctrl-C, says so, and leaves with 3', async () => {
    let sent = false;
    const { code, stdout } = await glacis(
      [
        ...['transfer', 'slow.onnx', 'slow.onnx', '--data', 'slow.npz', '--range', '0,1', '--eps', '0.01'],
        ...['--attack', 'mi-fgsm(steps=5000)', '--batch', '8', '--out', 'stopped'],
      ],
      {
        cwd: home,
        watch: (stderr, kill) => {
          if (sent || !stderr.includes('outputs were read as logits')) return;
          sent = true;
          setTimeout(() => kill('SIGINT'), 500);
        },
      },
    );
    expect(code).toBe(3);
    expect(stdout).toContain('Not finished: stopped by Ctrl-C');
    expect(result('stopped')).toMatchObject({ status: 'partial', statusReason: 'stopped by Ctrl-C' });
  });

  it.each([
    ['no model', [], /expected MODEL/],
    ['one model', ['plain.onnx'], /expected two to 12 models, got 1/],
    [
      'a second model that is not there',
      ['plain.onnx', 'missing.onnx'],
      /missing\.onnx.*\[model\/unreadable\]/s,
    ],
    [
      'models that take other shapes',
      ['plain.onnx', 'slow.onnx'],
      /slow\.onnx: .*plain\.onnx takes samples of \[4\]/s,
    ],
    ['a model that labels do not fit', ['plain.onnx', 'one.onnx'], /one\.onnx: .*\[data\/label-range\]/s],
    ['two attacks', ['plain.onnx', 'soft.onnx', '--attack', 'fgsm,pgd'], /expected one attack, got 2/],
  ])('refuses %s', async (_, models, message) => {
    const { code, stdout, stderr } = await transfer(...models, ...common, '--out', 'bad');
    expect([code, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .+:\d+/m);
  });
});
