import type { KeyObject } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/until.ts';
import type { OrderWish } from '../../incident/order.ts';
import { fixedKey } from '../../ledger/note-keys.fixture.ts';
import { formatTrust } from '../../registry/index.ts';
import { testRegistry } from '../../registry/registry.fixture.ts';
import type { Store } from '../../store/index.ts';
import type { Decision } from '../decision.ts';
import type { GuardVerdict, InputGuard } from '../guard.ts';
import { questionFixture, stagesFixture } from '../pipeline.fixture.ts';
import { openPipeline } from '../pipeline.ts';
import { Refused } from '../refusal.ts';
import { containSchema } from './config-schema.ts';
import { storeFixture, type World, worldFixture } from './containment.fixture.ts';
import { freezeRegistries } from './freeze-registries.ts';

/** A guard that says what it is told to say. */
const guard = (said: GuardVerdict, alarm?: InputGuard['alarm']): InputGuard => ({
  name: 'g',
  phase: 'before',
  ...(alarm && { alarm }),
  judge: () => said,
});

/** The pipeline over a world's models and measures. */
function served(world: World, over: Parameters<typeof stagesFixture>[0] = {}) {
  const shaped: unknown[] = [];
  const stages = stagesFixture({
    orders: world.containment.calls,
    routes: { find: (name, version) => world.versions.get(`${name}@${version ?? world.use.get(name)?.use}`) },
    answers: () => ({
      shape: (_, answer, limits) => {
        shaped.push(limits.detail);
        return answer.outputs;
      },
    }),
    now: () => world.time,
    ...over,
  });
  const gateway = openPipeline(stages);
  return {
    shaped,
    gateway,
    ask: (rows = [[2, 0, 0]], model = 'm') => gateway.infer(questionFixture(rows, { model })),
    last: () => stages.written.at(-1)!.entry as Decision,
  };
}

const wish = (measure: OrderWish['measure'], rest: Partial<OrderWish> = {}): OrderWish => ({
  measure,
  target: {},
  because: 'drill',
  ...rest,
});
const ANN = { principal: 'ann' };

async function opened(over: Parameters<typeof worldFixture>[1] = {}): Promise<World & { store: Store }> {
  const store = await storeFixture();
  return Object.assign(await worldFixture(store, over), { store });
}

describe('a measure', () => {
  it('quarantine refuses as somebody without rights is refused, and the log says which order', async () => {
    const world = await opened();
    const { ask, last, gateway } = served(world);
    expect(await ask()).toMatchObject({ kind: 'answer' });
    const order = await world.containment.order(wish('quarantine', { target: ANN }), 'bob');
    const refused = await ask();
    const stages = stagesFixture({ rights: { decide: () => ({ detail: undefined, because: 'no policy' }) } });
    const forbidden = await openPipeline(stages).infer(questionFixture([[2, 0, 0]]));
    expect({ ...refused, decision: '' }).toEqual({ ...forbidden, decision: '' });
    expect(last()).toMatchObject({ outcome: 'unknown', because: `order ${order.id}: quarantine` });
    const { caller } = questionFixture([]);
    expect(await gateway.describe(caller, 'm', undefined)).toMatchObject({ refusal: 'unknown' });
    await world.containment.lift(order.id, 'bob');
    expect(await ask()).toMatchObject({ kind: 'answer' });
  });

  it.each([
    [{ tenant: 'acme' }, true],
    [{ tenant: 'other' }, false],
    [{ credential: 'k1' }, true],
    [{ credential: 'k2' }, false],
    [{ address: '192.0.2.7' }, true],
    [{ address: '::ffff:192.0.2.7' }, true],
    [{ address: '192.0.2.8' }, false],
    [{ principal: 'ann', model: 'm' }, true],
    [{ principal: 'ann', model: 'check' }, false],
    [{ principal: 'ann', tenant: 'other' }, false],
  ])('for %o is for those for whom all of it holds: %s', async (target, meets) => {
    const world = await opened();
    const { ask } = served(world);
    await world.containment.order(wish('quarantine', { target }), 'bob');
    expect((await ask()).kind).toBe(meets ? 'refusal' : 'answer');
  });

  it('throttle lets so many a minute through, counts a batch as many, and says when to come back', async () => {
    const world = await opened();
    const { ask, last } = served(world);
    const order = await world.containment.order(wish('throttle', { target: ANN, perMinute: 6 }), 'bob');
    for (let i = 0; i < 6; i++) expect((await ask()).kind).toBe('answer');
    expect(await ask()).toMatchObject({ refusal: 'throttled', retryAfter: 10 });
    expect(last().because).toBe(`order ${order.id}: throttle`);
    world.ticks += 10_000;
    expect((await ask()).kind).toBe('answer');
    expect((await ask()).kind).toBe('refusal');
    world.ticks += 60_000;
    const batch = Array.from({ length: 12 }, () => [1, 0, 0]);
    expect((await ask(batch)).kind).toBe('answer');
    world.ticks += 60_000;
    expect(await ask()).toMatchObject({ refusal: 'throttled', retryAfter: 10 });
    await world.containment.lift(order.id, 'bob');
    expect((await ask()).kind).toBe('answer');
  });

  it('degrade caps what is told, and never raises it', async () => {
    const world = await opened();
    const { ask, last, shaped } = served(world);
    await ask();
    const scores = await world.containment.order(wish('degrade', { detail: 'scores' }), 'bob');
    await ask();
    const label = await world.containment.order(wish('degrade', { target: ANN }), 'bob');
    await ask();
    expect(last().because).toContain(label.id);
    await world.containment.lift(label.id, 'bob');
    await ask();
    await world.containment.lift(scores.id, 'bob');
    await ask();
    expect(shaped).toEqual(['logits', 'scores', 'label', 'scores', 'logits']);
    await world.containment.order(wish('degrade', { detail: 'scores' }), 'bob');
    const topk = served(world, { rights: { decide: () => ({ detail: 'topk', because: '' }) } });
    await topk.ask();
    expect(topk.shaped).toEqual(['topk']);
  });

  it('guard makes a threshold stricter, also below zero, and an action graver, never milder', async () => {
    const cases: readonly (readonly [
      GuardVerdict,
      InputGuard['alarm'],
      number,
      GuardVerdict['action'] | undefined,
      string,
    ])[] = [
      [{ action: 'pass', score: 6 }, { threshold: 10, action: 'refuse' }, 0.5, undefined, 'unacceptable'],
      [{ action: 'pass', score: 4 }, { threshold: 10, action: 'refuse' }, 0.5, undefined, 'answered'],
      [{ action: 'pass', score: -14 }, { threshold: -10, action: 'refuse' }, 0.5, undefined, 'unacceptable'],
      [{ action: 'pass', score: -16 }, { threshold: -10, action: 'refuse' }, 0.5, undefined, 'answered'],
      [{ action: 'flag', score: 11 }, { threshold: 10, action: 'flag' }, 1, 'refuse', 'unacceptable'],
      [{ action: 'pass', score: 11 }, undefined, 0.5, 'refuse', 'answered'],
      [{ action: 'refuse', score: 11 }, { threshold: 10, action: 'refuse' }, 1, 'flag', 'unacceptable'],
      [
        { action: 'pass', score: Number.NaN },
        { threshold: 10, action: 'refuse' },
        0.9,
        undefined,
        'unacceptable',
      ],
    ];
    const store = await storeFixture();
    for (const [said, alarm, strictness, action, outcome] of cases) {
      const guards = () => [guard(said, alarm)];
      const world = await worldFixture(store, { guards });
      const { ask, last } = served(world, { guards });
      await ask();
      const plain = said.action === 'refuse' ? 'unacceptable' : 'answered';
      expect(last().outcome).toBe(plain);
      const made = await world.containment.order(
        wish('guard', { guard: { name: 'g', strictness, ...(action && { action: action as 'refuse' }) } }),
        'bob',
      );
      await ask();
      expect(last().outcome).toBe(outcome);
      await world.containment.lift(made.id, 'bob');
      await ask();
      expect(last().outcome).toBe(plain);
    }
  });

  it('verify lets the verifying model answer, with the names of the first, and the log says which bytes did', async () => {
    const world = await opened();
    const { ask, last } = served(world);
    const order = await world.containment.order(wish('verify', { target: { model: 'm' } }), 'bob');
    const reply = await ask();
    expect(reply).toMatchObject({
      response: { modelName: 'm', modelVersion: '2', outputs: [{ name: 'y', data: Float32Array.of(-2, 2) }] },
    });
    expect(last()).toMatchObject({
      outcome: 'answered',
      version: 'check@7',
      digest: `sha256:${'7'.repeat(64)}`,
      top: [[1, expect.any(Number)]],
      because: `order ${order.id}: verify`,
    });
    await world.containment.lift(order.id, 'bob');
    expect(await ask()).toMatchObject({ response: { outputs: [{ data: Float32Array.of(2, -2) }] } });
  });

  it('verify answers nothing once the verifying model does not answer', async () => {
    const world = await opened();
    const { ask, last } = served(world);
    await world.containment.order(wish('verify', { target: { model: 'm' } }), 'bob');
    const check = world.versions.get('check@7')!;
    world.versions.set('check@7', {
      ...check,
      run: async () => {
        throw new Refused('failed', 'gone');
      },
    });
    expect(await ask()).toMatchObject({ refusal: 'unavailable' });
    world.versions.delete('check@7');
    expect((await ask()).kind).toBe('refusal');
    expect(last().outcome).not.toBe('answered');
  });

  it('pause answers nothing of one model', async () => {
    const world = await opened();
    const { ask, last } = served(world);
    const order = await world.containment.order(wish('pause', { target: { model: 'm' } }), 'bob');
    expect(await ask()).toMatchObject({ refusal: 'unavailable' });
    expect(last().because).toBe(`order ${order.id}: pause`);
    expect((await ask([[1, 0, 0]], 'check')).kind).toBe('answer');
    await world.containment.lift(order.id, 'bob');
    expect((await ask()).kind).toBe('answer');
  });

  it('rollback puts the version before into service, and back again', async () => {
    const world = await opened();
    const { ask, last } = served(world);
    const order = await world.containment.order(wish('rollback', { target: { model: 'm' } }), 'bob');
    expect(order.changed).toEqual({ from: '2', to: '1' });
    expect(world.use.get('m')).toEqual({ use: '1', previous: '2', followed: false });
    await ask();
    expect(last()).toMatchObject({ outcome: 'answered', version: '1' });
    await world.containment.lift(order.id, 'bob');
    expect(world.use.get('m')).toEqual({ use: '2', previous: '1', followed: true });
    await ask();
    expect(last().version).toBe('2');
  });

  it('rollback keeps the wrong version out whoever names it, and after a reload', async () => {
    const world = await opened();
    const { gateway, last, ask } = served(world);
    await world.containment.order(wish('rollback', { target: { model: 'm' } }), 'bob');
    await gateway.infer(questionFixture([[1, 0, 0]], { version: '2' }));
    expect(last()).toMatchObject({ outcome: 'answered', version: '1', digest: `sha256:${'1'.repeat(64)}` });
    world.use.set('m', { use: '2', previous: '1', followed: true });
    await ask();
    expect(last().version).toBe('1');
    await world.containment.refresh();
    expect(world.use.get('m')!.use).toBe('1');
  });

  it('rollback refuses the wrong version where the one before is not in memory', async () => {
    const { store, ...world } = await opened();
    await world.containment.order(wish('rollback', { target: { model: 'm' } }), 'bob');
    const restarted = await worldFixture(store);
    restarted.versions.delete('m@1');
    restarted.use.set('m', { use: '2', previous: undefined, followed: true });
    const { ask, last } = served(restarted);
    expect(await ask()).toMatchObject({ refusal: 'unavailable' });
    expect(last().because).toContain('rollback');
  });

  it('freeze is seen by whoever loads models, with what was in service', async () => {
    const world = await opened();
    expect(world.containment.frozen()).toBeUndefined();
    const order = await world.containment.order(wish('freeze'), 'bob');
    expect(world.containment.frozen()).toMatchObject({
      order: order.id,
      because: 'drill',
      served: { m: [`sha256:${'2'.repeat(64)}`] },
    });
    await world.containment.lift(order.id, 'bob');
    expect(world.containment.frozen()).toBeUndefined();
  });

  it('freeze reaches registries whose approver this gateway is, and says where it does not', async () => {
    const made = await testRegistry();
    try {
      const file = async (name: string, text: string) => {
        await writeFile(join(made.folder, name), text);
        return join(made.folder, name);
      };
      const pem = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }));
      const config = containSchema.parse({
        registries: [
          {
            location: join(made.folder, 'registry'),
            trust: await file('trust.json', String(formatTrust((await made.open()).trust))),
            key: await file('alice.pem', pem(made.people.alice![0]!)),
            logKey: await file('log.pem', pem(fixedKey(1))),
          },
          { location: join(made.folder, 'nowhere'), key: 'x', logKey: 'x' },
        ],
      });
      const world = await opened({
        freezeRegistries: freezeRegistries(config, {
          placeOf: (path) => path,
          env: { GLACIS_REGISTRY_HOME: join(made.folder, 'machine') },
          home: made.folder,
          now: () => made.now().getTime(),
        }),
      });
      const order = await world.containment.order(wish('freeze', { because: 'drill 7' }), 'bob');
      const { state } = await made.open();
      expect(state.frozen).toMatchObject({ by: ['alice'], reason: `drill 7 (order ${order.id} of bob)` });
      await made.push('1', { 'net.onnx': 'x' });
      await expect(made.change({ version: '1' }, 'bob')).rejects.toThrow(/frozen since .* drill 7/);
      expect(world.events).toMatchObject([
        { event: 'order-given' },
        { event: 'registry-frozen' },
        { event: 'registry-not-reached' },
      ]);
      await world.containment.lift(order.id, 'bob');
      expect((await made.open()).state.frozen).toBeUndefined();
      await made.change({ version: '1' }, 'bob');
    } finally {
      await rm(made.folder, { recursive: true, force: true });
    }
  });

  it('never opens anything: all of them together refuse no less than each', async () => {
    const world = await opened();
    const { ask } = served(world, { rights: { decide: () => ({ detail: undefined, because: 'no' }) } });
    await world.containment.order(wish('verify', { target: { model: 'm' } }), 'bob');
    await world.containment.order(wish('rollback', { target: { model: 'm' } }), 'bob');
    await world.containment.order(wish('degrade', { detail: 'scores' }), 'bob');
    expect(await ask()).toMatchObject({ refusal: 'unknown' });
  });
});

describe('orders', () => {
  it('are in the log before they are in force', async () => {
    const seen: boolean[] = [];
    let world: World | undefined;
    const events: unknown[] = [];
    const opening = await opened({
      record: async (event) => {
        events.push(event);
        if (world) seen.push((await served(world).ask()).kind === 'answer');
      },
    });
    world = opening;
    const order = await world.containment.order(wish('quarantine', { target: ANN }), 'bob');
    await world.containment.lift(order.id, 'eve');
    expect(seen).toEqual([true, false]);
    expect(events).toMatchObject([
      {
        event: 'order-given',
        by: 'bob',
        about: { order: order.id, measure: 'quarantine', principal: 'ann', because: 'drill' },
      },
      { event: 'order-lifted', by: 'eve', about: { order: order.id } },
    ]);
  });

  it('are not in force where the log cannot be written', async () => {
    const world = await opened({ record: () => Promise.reject(new Error('disk full')) });
    await expect(world.containment.order(wish('quarantine', { target: ANN }), 'bob')).rejects.toThrow(
      'disk full',
    );
    expect(world.containment.active()).toEqual([]);
    expect((await served(world).ask()).kind).toBe('answer');
  });

  it('are the same order when wished for again, and longer when wished for longer', async () => {
    const world = await opened();
    const { containment } = world;
    const until = world.time + 60_000;
    const first = await containment.order(wish('quarantine', { target: ANN, until }), 'bob');
    const again = await containment.order(
      wish('quarantine', { target: ANN, until, because: 'still' }),
      'eve',
    );
    expect(again).toEqual(first);
    const longer = await containment.order(wish('quarantine', { target: ANN }), 'eve');
    expect(longer.id).not.toBe(first.id);
    expect(containment.active()).toEqual([longer]);
    expect(await containment.order(wish('quarantine', { target: ANN, until }), 'bob')).toEqual(longer);
    expect(await containment.list({})).toHaveLength(2);
  });

  it('of two operators at once on two gateways come to one', async () => {
    const store = await storeFixture();
    const [a, b] = [await worldFixture(store), await worldFixture(store)];
    const both = await Promise.all([
      a.containment.order(wish('quarantine', { target: ANN }), 'bob'),
      b.containment.order(wish('quarantine', { target: ANN }), 'eve'),
      a.containment.order(wish('quarantine', { target: ANN }), 'eve'),
    ]);
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
    expect(await a.containment.list({})).toHaveLength(1);
    const lifted = await Promise.all([
      a.containment.lift(both[0].id, 'bob'),
      b.containment.lift(both[0].id, 'eve'),
    ]);
    expect(lifted.map(({ ended }) => ended)).toEqual([a.time, a.time]);
    expect(a.containment.active()).toEqual([]);
    await b.containment.refresh();
    expect(b.containment.active()).toEqual([]);
  });

  it('reach other gateways of the store by themselves, whose logs say so, and are lifted there too', async () => {
    const store = await storeFixture();
    const [a, b] = [await worldFixture(store), await worldFixture(store)];
    const order = await a.containment.order(wish('rollback', { target: { model: 'm' } }), 'bob');
    await until(() => b.use.get('m')!.use === '1');
    expect(b.events).toMatchObject([
      { event: 'order-in-force', by: 'glacis', about: { order: order.id, givenBy: 'bob' } },
    ]);
    await b.containment.lift(order.id, 'eve');
    expect(b.use.get('m')!.use).toBe('2');
    await until(() => a.use.get('m')!.use === '2');
    expect(a.events.at(-1)).toMatchObject({ event: 'order-out-of-force', about: { endedBy: 'eve' } });
  });

  it('outlive a restart', async () => {
    const store = await storeFixture();
    const before = await worldFixture(store);
    const order = await before.containment.order(wish('quarantine', { target: ANN }), 'bob');
    await before.containment.close();
    const after = await worldFixture(store);
    expect(after.containment.active()).toEqual([order]);
    expect((await served(after).ask()).kind).toBe('refusal');
  });

  it('stay in force when the store is gone', async () => {
    const store = await storeFixture();
    const world = await worldFixture(store);
    await world.containment.order(wish('quarantine', { target: ANN }), 'bob');
    await store.close();
    await expect(world.containment.refresh()).rejects.toThrow();
    expect((await served(world).ask()).kind).toBe('refusal');
    await expect(world.containment.order(wish('pause', { target: { model: 'm' } }), 'bob')).rejects.toThrow();
    await until(() => world.containment.problem !== undefined);
  });

  it('that end while the store is gone are in the log once', async () => {
    const store = await storeFixture();
    const world = await worldFixture(store);
    await world.containment.order(wish('quarantine', { target: ANN, until: world.time + 1000 }), 'bob');
    await store.close();
    world.time += 2000;
    for (let i = 0; i < 3; i++) await expect(world.containment.refresh()).rejects.toThrow();
    expect(world.events.map(({ event }) => event)).toEqual(['order-given', 'order-ended']);
    expect((await served(world).ask()).kind).toBe('answer');
  });

  it('end by themselves, in the log', async () => {
    const world = await opened();
    const { ask } = served(world);
    const order = await world.containment.order(
      wish('quarantine', { target: ANN, until: world.time + 1000 }),
      'bob',
    );
    world.time += 999;
    expect((await ask()).kind).toBe('refusal');
    world.time += 1;
    expect((await ask()).kind).toBe('answer');
    await world.containment.refresh();
    expect(world.events.map(({ event }) => event)).toEqual(['order-given', 'order-ended']);
    expect(await world.containment.list({})).toMatchObject([
      { id: order.id, ended: order.until, endedBy: 'glacis' },
    ]);
  });

  it.each<[string, OrderWish]>([
    ['a model that is not served', wish('pause', { target: { model: 'other' } })],
    ['a guard that is not on', wish('guard', { guard: { name: 'g', strictness: 0.5 } })],
    ['a version before, where there is none', wish('rollback', { target: { model: 'check' } })],
    ['nobody', wish('quarantine')],
    ['a quarantine of a model', wish('quarantine', { target: { model: 'm' } })],
    ['a throttle of everybody', wish('throttle', { perMinute: 1 })],
    ['a throttle without a number', wish('throttle', { target: ANN })],
    ['a pause for one principal', wish('pause', { target: { model: 'm', principal: 'ann' } })],
    ['an end in the past', wish('quarantine', { target: ANN, until: 1 })],
    ['a milder guard', wish('guard', { guard: { name: 'g', strictness: 2 } })],
    ['a detail of a quarantine', wish('quarantine', { target: ANN, detail: 'label' })],
    ['no address', wish('quarantine', { target: { address: 'somewhere' } })],
    ['something unknown', { ...wish('quarantine', { target: ANN }), open: true } as OrderWish],
  ])('for %s are refused, and nothing is written', async (_, wrong) => {
    const world = await opened();
    await expect(world.containment.order(wrong, 'bob')).rejects.toMatchObject({ code: 'option/invalid' });
    expect(world.events).toEqual([]);
    expect(await world.containment.list({})).toEqual([]);
  });

  it('of whatever text come back as they were', async () => {
    const world = await opened();
    const odd = 'a\0b\n=1+1<script>\u202e💧';
    const order = await world.containment.order(
      wish('quarantine', { target: { principal: odd }, because: odd, case: 'C-2026-0007' }),
      odd,
    );
    expect(await world.containment.list({ case: 'C-2026-0007' })).toEqual([order]);
    expect(order.target.principal).toBe(odd);
    expect(await world.containment.lift(order.id, odd)).toMatchObject({ endedBy: odd });
    await expect(world.containment.lift('O-none', 'bob')).rejects.toMatchObject({ code: 'option/invalid' });
  });
});
