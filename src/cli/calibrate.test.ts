import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../data/index.ts';
import { readCalibration } from '../detect/calibration/read-calibration.ts';
import { openEmbedded } from '../gateway/backend/embedded.ts';
import { startEmbedded } from '../gateway/backend/embedded-runtime.ts';
import { memoryBound } from '../gateway/backend/memory-bound.ts';
import { guardsSchema } from '../gateway/guards/config-schema.ts';
import { openGuards } from '../gateway/guards/open-guards.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { rootDigest } from '../supply/sign/manifest.ts';
import { readManifest } from '../supply/sign/read-manifest.ts';
import { hiddenModel, randomRows } from '../threat/small-model.fixture.ts';
import { readArgs } from './args.ts';
import { command } from './calibrate.ts';
import { openTerminal } from './terminal.ts';

const D = 4;
const N = 500;

let home: string;
const at = (name: string) => join(home, name);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-calibrate-'));
  await writeModel(at('model.onnx'), hiddenModel(D, 8, 3));
  const save = (name: string, n: number, x: Float32Array) =>
    writeNpz(at(name), { x: { data: x, shape: [n, D] } });
  await save('calm.npz', N, randomRows('calm', N, D));
  await save('few.npz', 30, randomRows('few', 30, D));
  await save('attacked.npz', 20, randomRows('attacked', 20, D, -40, 40));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command in this process; words that name a file here are taken as such. */
async function calibrate(...words: readonly string[]) {
  const args = words.map((word) => (/^[\w.-]+\.(npz|onnx|json)$/.test(word) ? at(word) : word));
  let [stdout, stderr] = ['', ''];
  const terminal = openTerminal({
    out: {
      write(text) {
        stdout += text;
      },
    },
    error: {
      write(text) {
        stderr += text;
      },
    },
    quiet: false,
    env: {},
    now: () => 0,
  });
  const given = readArgs([...args, '--threads', '1'], command.options);
  const { signal } = new AbortController();
  const code = await command.run({ given, args: ['calibrate', ...args], terminal, signal });
  return { code, stdout, stderr };
}

const digestOf = async () =>
  `sha256:${rootDigest((await readManifest(at('model.onnx'))).manifest.resources)}`;

describe('glacis calibrate', () => {
  it('sets thresholds without labels, measures them on the held-out half, and counts what an attack meets', async () => {
    const { code, stdout, stderr } = await calibrate(
      ...['model.onnx', '--data', 'calm.npz', '--attacked', 'attacked.npz', '--out', 'out.json'],
    );
    expect(code).toBe(0);
    const found = readCalibration(readFileSync(at('out.json'), 'utf8'), 'out.json', await digestOf());
    expect(found.data.samples).toEqual({ fit: 125, threshold: 125, heldOut: 250, attacked: 20 });
    expect(Object.keys(found.guards)).toEqual([
      'entropy',
      'margin',
      'energy',
      'mahalanobis',
      'nearest-features',
    ]);
    for (const { watched, thresholds } of Object.values(found.guards)) {
      expect(watched).toMatchObject({ sampleDims: [D], classes: 3, gives: 'logits', features: 8 });
      expect(thresholds.map(({ rate }) => rate)).toEqual([0.01]);
      const [{ heldOut, attacked }] = thresholds as [(typeof thresholds)[number]];
      expect(heldOut.n).toBe(250);
      // A rate of 0.01 with 125 samples: a Beta(1, 125) share, below 0.06 but for one in two thousand.
      expect(heldOut.alarms).toBeLessThan(15);
      expect(attacked!.n).toBe(20);
    }
    expect(found.guards.mahalanobis!.thresholds[0]!.attacked!.alarms).toBeGreaterThan(10);
    expect(stdout).toMatch(/mahalanobis +promised 1\.0\u00a0%, measured/);
    expect(stderr).toMatch(/left out: feature-squeezing: expected pictures/);
    expect(stderr).toMatch(/no thresholds for 0\.001: they need 999 calm samples/);
  });

  it('gives the same file for the same seed, and another split for another', async () => {
    const out = async (...more: string[]) => {
      await calibrate(
        'model.onnx',
        '--data',
        'calm.npz',
        '--guards',
        'margin,energy',
        '--out',
        'again.json',
        ...more,
      );
      return readFileSync(at('again.json'), 'utf8');
    };
    const first = await out();
    expect(await out()).toBe(first);
    expect(await out('--seed', '1')).not.toBe(first);
  });

  it('promises rates for most calibrations where that is asked for', async () => {
    await calibrate(
      ...[
        'model.onnx',
        '--data',
        'calm.npz',
        '--fit',
        'attacked.npz',
        '--guards',
        'energy',
        '--rates',
        '0.05',
      ],
      ...['--confidence', '0.95', '--out', 'sure.json'],
    );
    const found = readCalibration(readFileSync(at('sure.json'), 'utf8'), 'sure.json', await digestOf());
    // Of 250 samples 12 lie above in the mean; 6 or fewer come with 3 %, 7 or fewer with 7 %.
    expect(found.guards.energy!.thresholds).toMatchObject([
      { rate: 0.05, rank: 244, calm: 250, confidence: 0.95 },
    ]);
    const base = ['model.onnx', '--data', 'calm.npz', '--guards', 'energy', '--out', 'bad.json'];
    await expect(calibrate(...base, '--confidence', '1')).rejects.toThrow(/above 0 and below 1/);
    await expect(calibrate(...base, '--confidence', '0.95')).rejects.toThrow(
      /at least 299 to set a threshold for 0.01/,
    );
  });

  it('learns from another data set where one is given', async () => {
    await calibrate(
      'model.onnx',
      '--data',
      'calm.npz',
      '--fit',
      'attacked.npz',
      '--guards',
      'energy',
      '--out',
      'fit.json',
    );
    const found = readCalibration(readFileSync(at('fit.json'), 'utf8'), 'fit.json', await digestOf());
    expect(found.data.samples).toEqual({ fit: 20, threshold: 250, heldOut: 250 });
    expect(found.data.fit).toMatch(/^sha256:/);
  });

  it('refuses unknown guards, rates that are none, guards that do not suit, and too few samples', async () => {
    const base = ['model.onnx', '--data', 'calm.npz', '--out', 'bad.json'];
    await expect(calibrate(...base, '--guards', 'energie')).rejects.toThrow(/did you mean 'energy'/);
    await expect(calibrate(...base, '--rates', '0')).rejects.toThrow(/shares above 0/);
    await expect(calibrate(...base, '--rates', '0.0001')).rejects.toThrow(/at least 9999 to set a threshold/);
    await expect(calibrate(...base, '--guards', 'feature-squeezing')).rejects.toThrow(/expected pictures/);
    await expect(calibrate('model.onnx', '--data', 'few.npz', '--out', 'bad.json')).rejects.toThrow(
      /at least 40, got 30/,
    );
    await expect(calibrate('model.onnx', '--data', 'calm.npz')).rejects.toThrow(/--out FILE/);
  });

  it('makes guards that judge in service as the calibration measured', async () => {
    await calibrate(
      'model.onnx',
      '--data',
      'calm.npz',
      '--guards',
      'mahalanobis,nearest-features,margin',
      '--out',
      'served.json',
    );
    const runtime = startEmbedded(memoryBound(2 ** 30), { threads: 1 });
    try {
      const network = await readModel(at('model.onnx'));
      const model = await openEmbedded(network, runtime, {
        name: 'm',
        version: '1',
        digest: await digestOf(),
        batching: { most: 16, wait: 0, longest: 20, timeout: 10_000, queue: 64, share: 'auto' },
        classifier: {},
        features: true,
        mostElements: 10_000,
        again: async () => network,
      });
      const served = { ...model, name: 'm', version: '1', digest: await digestOf() };
      const options = { falsePositiveRate: 0.01 };
      const config = guardsSchema.parse({
        calibration: at('served.json'),
        mahalanobis: options,
        'nearest-features': options,
        margin: options,
      });
      const guards = openGuards(config, {
        model: served,
        ask: async () => new Float32Array(0),
        now: () => 0,
      }).filter(({ phase }) => phase === 'after');
      const flagged = async (x: Float32Array) => {
        const n = x.length / D;
        const inputs = [{ name: 'x', datatype: 'FP32', shape: [n, D], data: x } as const];
        const said = await served.run(inputs, { n, signal: new AbortController().signal, features: true });
        const call = {
          model: served,
          classifier: served.classifier,
          principal: { id: 'a', tenant: 't', credential: 'c', kind: 'key', roles: [] } as const,
          n,
          inputs,
          address: '192.0.2.7',
          parameters: {},
          floats: () => x,
          now: 0,
          scores: () => said.outputs[0]!.data as Float32Array,
          features: said.features,
        };
        const verdicts = await Promise.all(guards.map((guard) => guard.judge(call)));
        return verdicts.filter(({ action }) => action === 'flag').length;
      };
      let calm = 0;
      const rows = randomRows('fresh', 100, D);
      for (let i = 0; i < 100; i++) calm += await flagged(rows.subarray(i * D, (i + 1) * D));
      expect(calm).toBeLessThan(15);
      expect(await flagged(randomRows('strange', 10, D, -40, 40))).toBeGreaterThan(0);
    } finally {
      await runtime.close();
    }
  });
});
