import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecisionInput } from '../console/api.ts';
import { type OpenLiveLog, openLiveLog } from '../record/live/open-live-log.ts';
import { logFolder } from '../record/log-folder.ts';
import { type OpenRecorder, openRecorder } from '../record/open-recorder.ts';
import { decision, recordConfig } from '../record/record.fixture.ts';
import { inputRoutes, type TakesInput } from './input-routes.ts';
import type { ManagementRoute } from './route.ts';
import { call } from './routes.fixture.ts';

let folder: string;
let recorder: OpenRecorder;
let live: OpenLiveLog;
let routes: readonly ManagementRoute[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-input-'));
});
afterEach(async () => {
  await live.close();
  await recorder.close();
  await rm(folder, { recursive: true, force: true });
});

const MODEL: TakesInput = {
  metadata: {
    ...{ name: 'mnist-cnn', platform: '', outputs: [] },
    inputs: [
      { name: 'id', datatype: 'INT64', shape: [-1] },
      { name: 'x', datatype: 'FP32', shape: [-1, 1, 2, 2] },
    ],
  },
  classifier: { input: 'x', sampleDims: [1, 2, 2] },
};
/** One sample has more numbers than are read into a page. */
const SIDE = 513;
const LARGE = {
  metadata: {
    ...{ name: 'large', platform: '', outputs: [] },
    inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 1, SIDE, SIDE] }],
  },
  classifier: { input: 'x', sampleDims: [1, SIDE, SIDE] },
};
const bytesOf = (array: Float32Array | BigInt64Array) => new Uint8Array(array.buffer);

async function started(given: object): Promise<void> {
  recorder = await openRecorder(recordConfig(given), { folder });
  live = await openLiveLog(recordConfig(given), { folder, trust: recorder.trust, failed: () => {} });
  routes = inputRoutes({
    live,
    find: (model) => (model === 'mnist-cnn' ? MODEL : model === 'large' ? LARGE : undefined),
    rangeOf: () => [0, 1],
  });
}
/** Two samples of two inputs, of somebody; gives the id of the decision. */
async function asked(i: number, change: object = {}): Promise<string> {
  const of = decision(i, { n: 2, principal: `p${i}`, ...change });
  const input = [
    bytesOf(BigInt64Array.from([1n, 2n])),
    bytesOf(Float32Array.from([0.1, 0, 0, 1, 0.25, Number.NaN, 3e-5, 2])),
  ];
  const entry = await recorder.record(of, { input, output: [] });
  await recorder.receipt(entry);
  return of.id;
}
const read = async (which: string) => {
  const answer = await call(routes, 'POST /api/decisions/:which/input', { params: { which }, body: {} });
  return answer as { json: DecisionInput; status?: number };
};

describe('what was really sent', () => {
  it.each(['clear', 'sealed'])(
    'is shown where it is kept, and nobody reads it once it is erased (%s)',
    async (who) => {
      await started({ who, payloads: { keep: 'input' } });
      const [one, two] = [await asked(1), await asked(2)];
      const { json } = await read(one);
      expect(json).toEqual({
        ...{ entry: 0, id: one, model: 'mnist-cnn', version: '1', n: 2, state: 'kept' },
        ...{ dims: [1, 2, 2], range: [0, 1] },
        picture: { channels: 1, height: 2, width: 2, layout: 'chw' },
        samples: [
          [0.1, 0, 0, 1],
          [0.25, null, 0.00003, 2],
        ],
      });
      expect((await read('0')).json).toEqual(json);
      await recorder.erase('p1', 'dpo');
      expect((await read(one)).json).toMatchObject({ state: 'erased', samples: [] });
      expect((await read(two)).json.state).toBe('kept');
      // A key that came after the last look at them.
      expect((await read(await asked(3))).json.state).toBe('kept');
    },
  );

  it('says why there is nothing to show', async () => {
    await started({ payloads: { keep: 'input' } });
    const gone = await asked(1, { model: 'replaced' });
    expect((await read(gone)).json).toMatchObject({
      state: 'unreadable',
      because: expect.stringMatching(/to be loaded still/),
    });
    const { payloads } = logFolder(folder);
    for (const name of await readdir(payloads)) await rm(join(payloads, name));
    expect((await read(gone)).json).toMatchObject({
      state: 'unreadable',
      because: expect.stringMatching(/kept for a while only/),
    });
    const event = await recorder.record({ kind: 'event', at: 1, event: 'x', by: 'y', about: {} });
    await recorder.receipt(event);
    for (const which of [String(event), '99', 'f'.repeat(32)])
      expect(await read(which)).toMatchObject({ status: 404 });
    await expect(read('../x')).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('is not shown where a sample is too large, and says how large', async () => {
    await started({ payloads: { keep: 'input' } });
    const of = decision(1, { model: 'large' });
    const input = [bytesOf(new Float32Array(SIDE * SIDE))];
    await recorder.receipt(await recorder.record(of, { input, output: [] }));
    expect((await read(of.id)).json).toMatchObject({
      ...{ state: 'kept', samples: [], dims: [1, SIDE, SIDE] },
      tooLarge: { numbers: SIDE * SIDE, most: 262_144 },
    });
  });

  it('is not there where the policy keeps nothing', async () => {
    await started({});
    // A right of its own, and an entry of the log before anything is shown.
    expect(routes).toMatchObject([{ method: 'POST', action: 'log.payload', event: 'input-read' }]);
    expect((await read(await asked(1))).json).toMatchObject({ state: 'not-kept', samples: [] });
  });
});
