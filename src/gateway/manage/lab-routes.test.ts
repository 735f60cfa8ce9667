import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { LabInfo, LabRun } from '../console/api.ts';
import type { Lab, LabModel, LabOutcome } from '../console/lab.ts';
import { decision } from '../record/record.fixture.ts';
import { type LabParts, labRoutes } from './lab-routes.ts';
import { call, person } from './routes.fixture.ts';

const model = (name: string, sampleDims: readonly number[] = [1, 2, 2]): LabModel => ({
  ...{ model: name, version: '1', digest: 'sha256:1', source: { path: '/m', ignore: [] } },
  classifier: { input: 'x', sampleDims, output: 'y', classes: 3, gives: 'logits' },
  ask: () => Promise.reject(new Error('asked')),
});

const outcome: LabOutcome = {
  ...{ classes: 3, clean: [1, 0, 0], steps: [], fell: true, within: true },
  ...{ distance: { linf: 0.1, l2: 0.2, l0: 4 }, queries: 3, gradients: 1, seconds: 1 },
};

/** A call of two samples whose input is kept; another one whose is not. */
const parts: Pick<LabParts, 'kept' | 'find' | 'classNames'> = {
  async kept(id) {
    const about = { ...decision(1, { id, model: 'net', n: 2 }), bucket: 1, guards: [] };
    const bytes = new Uint8Array(Float32Array.from([0, 0, 0, 0, 0.5, 0.5, 0.5, 1]).buffer);
    if (id === KEPT) return { entry: 1, decision: about, state: 'kept', inputs: [bytes] };
    return id === ERASED ? { entry: 2, decision: about, state: 'erased', inputs: [] } : undefined;
  },
  find: () => ({
    metadata: {
      ...{ name: 'net', platform: '', outputs: [] },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1, 2, 2] }],
    },
    classifier: { input: 'x', sampleDims: [1, 2, 2] },
  }),
  classNames: async () => ['a', 'b', 'c'],
};

function opened(models: readonly LabModel[] = [model('net')]) {
  const orders: { resolve(found: LabOutcome): void; reject(thrown: Error): void; signal: AbortSignal }[] = [];
  const lab: Lab = {
    attacks: [],
    mostElements: 16,
    about: () => ({ range: [0, 1] }),
    inputs: async () => [{ id: '7', label: 2, values: [0, 0.25, 0.5, 1] }],
    run: (_model, _order, { progress, signal }) => {
      progress(0.5);
      return new Promise((resolve, reject) => orders.push({ resolve, reject, signal }));
    },
    close: async () => {},
  };
  let now = 0;
  return {
    orders,
    pass: (ms: number) => {
      now += ms;
    },
    routes: labRoutes({ lab, models: () => models, now: () => now, ...parts }),
  };
}

const KEPT = 'a'.repeat(32);
const ERASED = 'e'.repeat(32);
const wish = { model: 'net', attack: 'pgd', norm: 'linf', eps: 0.1, input: '7', label: 2 };
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the routes of the lab', () => {
  it('say what can be tried, and leave out what is too large', async () => {
    const { routes } = opened([model('net'), model('huge', [3, 224, 224])]);
    const { models, inputs } = (await call(routes, 'GET /api/lab')).json as LabInfo;
    expect(models.map(({ model: name }) => name)).toEqual(['net']);
    expect(models[0]).toMatchObject({ pictures: true, whiteBox: true, classes: 3, range: [0, 1] });
    expect(inputs).toHaveLength(1);
  });

  it('begin a trial and show it to who began it alone', async () => {
    const { routes, orders } = opened();
    const begun = (await call(routes, 'POST /api/lab', { body: wish })).json as LabRun;
    expect(begun).toMatchObject({ state: 'running', original: [0, 0.25, 0.5, 1], attack: 'pgd' });
    const params = { id: begun.id };
    expect((await call(routes, 'GET /api/lab/:id', { params })).json).toMatchObject({ progress: 0.5 });
    await expect(
      call(routes, 'GET /api/lab/:id', { params, by: person('bob', 'admin') }),
    ).rejects.toMatchObject({ refusal: 'unknown' });
    orders[0]!.resolve(outcome);
    await settle();
    expect((await call(routes, 'GET /api/lab/:id', { params })).json).toMatchObject({
      ...{ state: 'done', fell: true, progress: 1 },
    });
  });

  it('have one trial of a person at a time', async () => {
    const { routes, orders } = opened();
    await call(routes, 'POST /api/lab', { body: wish });
    await expect(call(routes, 'POST /api/lab', { body: wish })).rejects.toThrow(/one trial at a time/);
    await call(routes, 'POST /api/lab', { body: wish, by: person('bob') });
    orders[0]!.reject(new GlacisError('run/failed', 'lab: it took longer than 1 s'));
    await settle();
    await call(routes, 'POST /api/lab', { body: wish });
  });

  it('say why a trial failed, and nothing of what nobody expected', async () => {
    const { routes, orders } = opened();
    const { id } = (await call(routes, 'POST /api/lab', { body: wish })).json as LabRun;
    orders[0]!.reject(new Error('/a/secret/path'));
    await settle();
    expect((await call(routes, 'GET /api/lab/:id', { params: { id } })).json).toMatchObject({
      ...{ state: 'failed', because: 'the trial failed' },
    });
  });

  it('end a trial, and forget it after a while', async () => {
    const { routes, orders, pass } = opened();
    const one = (await call(routes, 'POST /api/lab', { body: wish })).json as LabRun;
    await expect(
      call(routes, 'DELETE /api/lab/:id', { params: { id: one.id }, by: person('bob') }),
    ).rejects.toMatchObject({ refusal: 'unknown' });
    await call(routes, 'DELETE /api/lab/:id', { params: { id: one.id } });
    expect(orders[0]!.signal.aborted).toBe(true);
    const two = (await call(routes, 'POST /api/lab', { body: wish })).json as LabRun;
    orders[1]!.resolve(outcome);
    await settle();
    pass(16 * 60_000);
    await call(routes, 'POST /api/lab', { body: wish });
    await expect(call(routes, 'GET /api/lab/:id', { params: { id: two.id } })).rejects.toMatchObject({
      refusal: 'unknown',
    });
  });

  it('try a sample of a logged decision, for who may read what was sent', async () => {
    const { routes } = opened();
    const body = { ...wish, input: undefined, decision: KEPT, sample: 1 };
    const may = (action: string) => action !== 'log.payload';
    await expect(call(routes, 'POST /api/lab', { body, may })).rejects.toMatchObject({ refusal: 'unknown' });
    const begun = (await call(routes, 'POST /api/lab', { body })).json as LabRun;
    expect(begun).toMatchObject({ state: 'running', original: [0.5, 0.5, 0.5, 1] });
    const params = { id: begun.id };
    expect((await call(routes, 'GET /api/lab/:id', { params })).json).toMatchObject({ id: begun.id });
    // A right that was taken away in the middle.
    await expect(call(routes, 'GET /api/lab/:id', { params, may })).rejects.toMatchObject({
      refusal: 'unknown',
    });
    expect(routes.find(({ path, method }) => path === '/api/lab' && method === 'POST')!.event).toBe(
      'lab-trial',
    );
  });

  it.each([
    [{ model: 'other' }, /expected one that the lab can try/],
    [{ input: 'x' }, /expected 4 numbers, got none/],
    [{ input: undefined, values: [1, 2] }, /expected 4 numbers, got 2/],
    [{ input: undefined, values: [0, 0, 0, 1.5] }, /from 0 to 1/],
    [{ values: [0, 0, 0, 0] }, /one of input, values and decision/],
    [{ decision: KEPT }, /one of input, values and decision/],
    [{ input: undefined, decision: 'x' }, /the id of a decision/],
    [{ input: undefined, decision: KEPT, sample: 2 }, /one of 2/],
    [{ input: undefined, decision: ERASED }, /whose input is kept, got erased/],
    [{ input: undefined, decision: 'f'.repeat(32) }, /whose input is kept, got none/],
    [{ eps: Number.NaN }, /./],
    [{ eps: -1 }, /./],
    [{ label: 1.5 }, /./],
    [{ more: true }, /./],
  ])('refuse %o', async (over, message) => {
    const { routes } = opened();
    await expect(call(routes, 'POST /api/lab', { body: { ...wish, ...over } })).rejects.toThrow(message);
  });

  it('do not exist where the lab is switched off', async () => {
    const routes = labRoutes({ lab: undefined, models: () => [model('net')], now: () => 0, ...parts });
    expect((await call(routes, 'GET /api/lab')).json).toEqual({ models: [], attacks: [], inputs: [] });
    await expect(call(routes, 'POST /api/lab', { body: wish })).rejects.toThrow();
  });
});
