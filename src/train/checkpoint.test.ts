import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { serializeModel } from '../onnx/write.ts';
import { startEngine } from '../runtime/engine.ts';
import { shift } from './augment.ts';
import { parseCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { madry } from './objective/madry.ts';
import type { TrainOptions } from './options.ts';
import { convNet } from './recipes/cnn.ts';
import { cosine } from './schedule.ts';
import { train } from './trainer.ts';

const engine = startEngine({ threads: 2 });
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-checkpoint-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const rng = randomFrom(1, 'checkpoint');
const data = {
  x: Float32Array.from({ length: 60 * 64 }, () => rng.uniform()),
  y: Uint8Array.from({ length: 60 }, () => rng.integer(3)),
};
const net = () => convNet({ input: [1, 8, 8], classes: 3, channels: [4], hidden: 8, seed: 2 });
const threat = { norm: 'linf', eps: 0.1, steps: 2 } as const;
const options: TrainOptions = {
  epochs: 3,
  batch: 8,
  schedule: cosine({ peak: 0.02 }),
  seed: 5,
  average: 0.9,
  augment: [shift(1)],
  objective: madry({ ...threat, ramp: 0.5 }),
  validation: { samples: data, threat, keepBest: true },
};

describe('a run that was stopped', () => {
  it.each([1, 7, 8, 18])(
    'goes on after step %i to the same bytes',
    async (stopAt) => {
      const whole = await train(engine, net(), data, options);
      const path = join(folder, `stopped-${stopAt}`);
      const stop = new AbortController();
      let steps = 0;
      const progress = () => {
        if (++steps === stopAt) stop.abort();
      };
      const checkpoint = { path, resume: true };
      const first = train(engine, net(), data, { ...options, checkpoint, signal: stop.signal, progress });
      await expect(first).rejects.toMatchObject({ code: 'run/cancelled' });
      let more = 0;
      const resumed = await train(engine, net(), data, { ...options, checkpoint, progress: () => more++ });
      expect(Buffer.from(serializeModel(resumed.model)).equals(serializeModel(whole.model))).toBe(true);
      expect(resumed.epoch).toBe(whole.epoch);
      expect(more).toBeLessThanOrEqual(21 - stopAt);
      expect(resumed.epochs.map((e) => [e.loss, e.robust, e.validation])).toEqual(
        whole.epochs.map((e) => [e.loss, e.robust, e.validation]),
      );
    },
    20_000,
  );

  it.each([
    ['seed', { seed: 6 }],
    ['epochs', { epochs: 4 }],
    ['objective', { objective: madry({ ...threat, eps: 0.2 }) }],
    ['data', { dataDigest: 'sha256:other' }],
  ])('is not taken up with another %s', async (name, change) => {
    const path = join(folder, `other-${name}`);
    await train(engine, net(), data, { ...options, epochs: 1, checkpoint: { path } });
    const again = train(engine, net(), data, { ...options, ...change, checkpoint: { path, resume: true } });
    await expect(again).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining(name),
    });
  });
});

describe('a checkpoint of this run by its identity', () => {
  type Parts = Awaited<ReturnType<typeof readCheckpoint>> & {};
  it.each<[string, (found: Parts) => Partial<Parts>]>([
    ['without its arrays', () => ({ states: new Map([['now', new Map()]]) })],
    ['without a state', () => ({ states: new Map() })],
    ['without the best weights', ({ states }) => ({ states: new Map([['now', states.get('now')!]]) })],
    [
      'with shorter arrays',
      ({ states }) => ({
        states: new Map(
          [...states].map(([name, s]) => [name, new Map([...s].map(([k, v]) => [k, v.slice(1)]))]),
        ),
      }),
    ],
    ['with steps of another epoch', ({ steps }) => ({ steps: steps + 100 })],
    ['with steps before its epoch', () => ({ steps: 0 })],
  ])('%s is refused', async (what, change) => {
    const path = join(folder, `forged ${what}`);
    const plan = { ...options, epochs: 1, checkpoint: { path } };
    await train(engine, net(), data, plan);
    const identity = JSON.parse(
      (await readFile(path))
        .toString('latin1')
        .slice(16)
        .match(/\{"identity":(\{.*?\}),"steps"/)![1]!,
    );
    const found = (await readCheckpoint(path, identity))!;
    await writeCheckpoint(path, { ...found, ...change(found) });
    const again = train(engine, net(), data, { ...plan, checkpoint: { path, resume: true } });
    await expect(again).rejects.toMatchObject({ code: 'result/invalid' });
  });
});

describe('a checkpoint file', () => {
  const checkpoint = {
    identity: { model: 'm', n: 3 },
    steps: 12,
    journal: { epochs: [] },
    states: new Map([
      ['now', new Map([['weight:w', Float32Array.of(1, 2, Number.NaN)]])],
      ['best', new Map([['weight:w', Float32Array.of(4, 5, 6)]])],
    ]),
  };
  const path = () => join(folder, 'file');

  it('holds what was written', async () => {
    await writeCheckpoint(path(), checkpoint);
    expect(await readCheckpoint(path(), { n: 3, model: 'm' })).toEqual(checkpoint);
    expect(await readCheckpoint(join(folder, 'none'), {})).toBeUndefined();
  });

  it('is refused when any byte of it was changed or is missing', async () => {
    await writeCheckpoint(path(), checkpoint);
    const bytes = await readFile(path());
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, by, cut) => {
        const changed = cut ? bytes.subarray(0, at) : Buffer.from(bytes);
        if (!cut) changed[at] = changed[at]! ^ by;
        expect(() => parseCheckpoint(changed, 'file')).toThrow(/expected/);
      }),
    );
  });

  it('is refused when it is something else', async () => {
    await writeFile(path(), Buffer.alloc(200, 7));
    await expect(readCheckpoint(path(), {})).rejects.toMatchObject({ code: 'result/invalid' });
  });

  it('stays as it was where the next one cannot be written', async () => {
    await writeCheckpoint(path(), checkpoint);
    const before = await readFile(path());
    const broken = {
      ...checkpoint,
      journal: {
        toJSON: () => {
          throw new Error('disk');
        },
      },
    };
    await expect(writeCheckpoint(path(), broken)).rejects.toThrow();
    expect((await readFile(path())).equals(before)).toBe(true);
  });
});
