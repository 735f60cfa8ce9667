import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { writeNpz } from '../../data/index.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../../data/traffic-signs/render.ts';
import { holdModel } from '../../gateway/backend/admission/held-model.ts';
import type { Lab, LabModel, LabOrder } from '../../gateway/console/lab.ts';
import { type LabConfig, labSchema } from '../../gateway/console/lab-schema.ts';
import { bundledExample } from '../bundled-example.ts';
import { openLab } from './open-lab.ts';

const { model: path } = await bundledExample();
const { root: digest } = await holdModel(path, { most: 2 ** 30, ignore: [] });
const { x, y } = renderSplit({ seed: 3, split: 'test', n: 3, start: 0 });
const size = x.length / 3;
const order: LabOrder = {
  attack: 'fgsm',
  norm: 'linf',
  eps: 8 / 255,
  values: Float32Array.from(x.subarray(0, size), (value) => value / 255),
  label: y[0]!,
  integrated: false,
};
const model: LabModel = {
  ...{ model: 'signs', version: '1', digest, source: { path, ignore: [] } },
  classifier: {
    ...{ input: 'input', output: 'logits', sampleDims: SIGN_SHAPE },
    ...{ classes: SIGN_CLASSES.length, gives: 'logits' as const },
  },
  ask: () => Promise.reject(new Error('the service is not asked')),
};
const opened: Lab[] = [];
const lab = (config: object = {}): Lab => opensWith(labSchema.parse(config));
const opensWith = (config: LabConfig): Lab => {
  const made = openLab(config, { placeOf: (given) => given });
  opened.push(made);
  return made;
};
const watch = (signal = new AbortController().signal) => ({ progress: () => {}, signal });

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

describe('the lab', () => {
  it('tries an attack in a process of its own, and the next in the same', async () => {
    const { run } = lab();
    const first = await run(model, order, watch());
    expect(first.fell).toBe(true);
    const second = await run(model, { ...order, attack: 'random-noise' }, watch());
    expect(second.fell).toBe(false);
  });

  it('of a model on another server it gets the answers alone, and asks for no more while it is cancelled', async () => {
    const stop = new AbortController();
    let asked = 0;
    const elsewhere: LabModel = {
      ...model,
      source: undefined,
      async ask(_points, n) {
        asked += n;
        if (asked > 20) stop.abort();
        const sure = Array.from({ length: n }, () =>
          Array.from(SIGN_CLASSES, (_, i) => (i === order.label ? 0.9 : 0.1 / (SIGN_CLASSES.length - 1))),
        );
        return Float32Array.from(sure.flat());
      },
    };
    await expect(
      lab().run(elsewhere, { ...order, attack: 'square' }, watch(stop.signal)),
    ).rejects.toMatchObject({ code: 'run/cancelled' });
    expect(asked).toBeGreaterThan(20);
    expect(asked).toBeLessThan(64);
  });

  it('ends what takes too long, and goes on with the next', async () => {
    const config = { ...labSchema.parse({}), seconds: 1 };
    const { run } = opensWith(config);
    const slow: LabModel = { ...model, source: undefined, ask: () => new Promise(() => {}) };
    await expect(run(slow, { ...order, attack: 'square' }, watch())).rejects.toThrow(/longer than 1 s/);
    // Starting a process may take a busy machine longer than that.
    config.seconds = 60;
    expect((await run(model, order, watch())).fell).toBe(true);
  });

  it('ends what needs too much memory', async () => {
    const { run } = lab({ memory: 2 ** 20 * 8 });
    await expect(run(model, order, watch())).rejects.toThrow(/at most 8 MiB of memory|has ended/);
  });

  it('lets few wait', async () => {
    const { run } = lab();
    const stop = new AbortController();
    const slow: LabModel = { ...model, source: undefined, ask: () => new Promise(() => {}) };
    const under = Array.from({ length: 4 }, () =>
      run(slow, { ...order, attack: 'square' }, watch(stop.signal)).catch((thrown: Error) => thrown.message),
    );
    await expect(run(model, order, watch())).rejects.toThrow(/more trials than may wait/);
    stop.abort();
    expect(await Promise.all(under)).toEqual(new Array(4).fill('lab: cancelled'));
  });

  it('has the first samples of a data set to begin with', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glacis-lab-'));
    try {
      const data = join(folder, 'signs.npz');
      await writeNpz(data, {
        x: { data: x, shape: [3, ...SIGN_SHAPE] },
        y: { data: Uint8Array.from(y), shape: [3] },
      });
      const made = lab({ models: { signs: { inputs: data } } });
      const inputs = await made.inputs(model);
      expect(inputs.map(({ label }) => label)).toEqual([...y]);
      expect(inputs[0]!.values[5]).toBeCloseTo(x[5]! / 255, 4);
      expect(made.about('signs')).toEqual({ range: [0, 1] });
      expect(made.about('__proto__')).toEqual({ range: [0, 1] });
      expect(await made.inputs({ ...model, model: 'other' })).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
