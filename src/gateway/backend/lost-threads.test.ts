import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tensor } from '../../oip/tensor.ts';
import type { Model } from '../../onnx/model.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { linearModel } from '../../threat/small-model.fixture.ts';
import type { Refused } from '../refusal.ts';
import type { AdmissionResult } from './admission/admit.ts';
import type { BackendModel } from './backend-model.ts';
import { backendSchema } from './config-schema.ts';
import { openEmbedded } from './embedded.ts';
import { type EmbeddedRuntime, type RuntimeOptions, startEmbedded } from './embedded-runtime.ts';
import { loadVersion } from './load-version.ts';
import { type LostThread, lostText } from './lost-threads.ts';
import { memoryBound } from './memory-bound.ts';

/** Milliseconds that a run may take: they pass when a test lets them. */
const TIMEOUT = 60_000;
const NETWORK = linearModel([1, 0, 0, 1], [0, 0]);
const [SERVED, OTHER] = [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`];

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const SOURCE = { file: 'm.onnx', check: { asGiven: true } } as const;
const { models } = backendSchema.parse({
  models: { m: { ...SOURCE, batching: { timeoutMilliseconds: TIMEOUT } } },
});

/** An engine whose sessions answer, but where a feed begins with 13: then when they are told to. Its lanes are replaced without ending. */
function holding() {
  const engine = startEngine({ threads: 1 });
  const held: (() => void)[] = [];
  const ended: (() => void)[] = [];
  const replaced: number[] = [];
  const watched: Engine = {
    ...engine,
    async open(model, options) {
      const session = await engine.open(model, options);
      return {
        ...session,
        async run(feeds, how) {
          if (Object.values(feeds)[0]!.data[0] === 13) await new Promise<void>((end) => held.push(end));
          return session.run(feeds, how);
        },
      };
    },
    replaceLane(lane) {
      replaced.push(lane);
      return new Promise((end) => ended.push(end));
    },
  };
  return { engine: watched, held, ended, replaced };
}

function started(options: RuntimeOptions) {
  const lost: LostThread[] = [];
  const failures: string[] = [];
  const runtime = startEmbedded(memoryBound(2 ** 30), {
    threads: 1,
    ...options,
    lost: (thread) => void lost.push(thread),
    failed: (where, thrown) => void failures.push(`${where}: ${(thrown as Error).message}`),
  });
  return { runtime, lost, failures };
}

const open = (
  runtime: EmbeddedRuntime,
  name: string,
  again: () => Promise<Model> = async () => NETWORK,
): Promise<BackendModel> =>
  openEmbedded(NETWORK, runtime, {
    ...{ name, version: '1', digest: SERVED, classifier: {}, features: false },
    batching: { most: 16, wait: 0, longest: 20, timeout: TIMEOUT, queue: 64, share: 'auto' },
    mostElements: 1000,
    again,
  });
const ask = async (model: BackendModel, first: number): Promise<readonly number[] | string> => {
  const x: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(first, 7) };
  const by = { principal: 'mallory', decision: `d${first}` };
  const how = { n: 1, signal: new AbortController().signal, features: false, by };
  return model.run([x], how).then(
    ({ outputs }) => [...(outputs[0]!.data as Float32Array)],
    (thrown: Refused) => thrown.refusal,
  );
};
/** Asks until the model answers again. */
const askUntilBack = async (model: BackendModel) => {
  for (;;) {
    const said = await ask(model, 1);
    if (said !== 'unavailable') return said;
    await new Promise((later) => setImmediate(later));
  }
};
/** Turns of the event loop: no time passes in them. */
const turnsUntil = async (holds: () => boolean) => {
  while (!holds()) await new Promise((later) => setImmediate(later));
};

describe('a run that never ends', () => {
  it('costs its model a moment: a fresh thread takes the place of the lost one, for every model on it', async () => {
    const { engine, held, ended, replaced } = holding();
    const { runtime, lost, failures } = started({ engine });
    const [first, second] = [await open(runtime, 'a'), await open(runtime, 'b')];
    const before = runtime.memory.used;
    const never = ask(first, 13);
    await turnsUntil(() => held.length === 1);
    vi.advanceTimersByTime(TIMEOUT);
    expect(await never).toBe('late');
    expect(lost).toMatchObject([
      {
        model: 'a',
        version: '1',
        lost: 1,
        isReplaced: true,
        by: [{ principal: 'mallory', decision: 'd13' }],
      },
    ]);
    expect(replaced).toEqual([0]);
    expect(runtime.threads.count).toBe(1);
    // Until a model is back it refuses.
    for (const model of [first, second]) expect(await askUntilBack(model)).toEqual([1, 7]);
    expect(failures).toEqual([]);
    // What the lost thread holds is held until it ends; then there is room again.
    expect(runtime.memory.used).toBeGreaterThan(before);
    ended[0]!();
    held[0]!();
    await turnsUntil(() => runtime.threads.count === 0);
    expect(runtime.memory.used).toBe(before);
    await Promise.all([first.close(), second.close()]);
    await runtime.close();
  });

  it('is not replaced beyond the bound: the model refuses, and the rest of the server can still be closed', async () => {
    const { engine, held, replaced } = holding();
    const { runtime, lost } = started({ engine, mostLost: 1 });
    const model = await open(runtime, 'a');
    for (let round = 1; round <= 2; round++) {
      let never = ask(model, 13);
      // It may not be back yet.
      while (held.length < round) {
        await new Promise((later) => setImmediate(later));
        if ((await Promise.race([never, 'waits'])) === 'unavailable') never = ask(model, 13);
      }
      vi.advanceTimersByTime(TIMEOUT);
      expect(await never).toBe('late');
    }
    expect(lost.map(({ isReplaced }) => isReplaced)).toEqual([true, false]);
    expect(lostText(lost[1]!)).toMatch(/only a restart/);
    expect(replaced).toEqual([0]);
    expect(await ask(model, 1)).toBe('unavailable');
    expect(runtime.threads.count).toBe(2);
    // Nobody waits for runs that do not end.
    await model.close();
    for (const end of held) end();
    await runtime.close();
  });

  it('leaves a model out that cannot be opened once more, and says why', async () => {
    const { engine, held } = holding();
    const { runtime, failures } = started({ engine });
    const gone = await open(runtime, 'gone', () => Promise.reject(new Error('the file has changed')));
    const other = await open(runtime, 'other');
    const never = ask(gone, 13);
    await turnsUntil(() => held.length === 1);
    vi.advanceTimersByTime(TIMEOUT);
    expect(await never).toBe('late');
    await turnsUntil(() => failures.length === 1);
    expect(failures).toEqual(['gone 1 on a fresh thread: the file has changed']);
    expect(await ask(gone, 1)).toBe('unavailable');
    expect(await askUntilBack(other)).toEqual([1, 7]);
    held[0]!();
    await Promise.all([gone.close(), other.close()]);
    await runtime.close();
  });

  it.each([
    ['is another one now', { digest: OTHER }, `m: expected ${SERVED}, which is served, got ${OTHER}`],
    [
      'would not be admitted now',
      { admitted: false, code: 'registry/refused', because: 'revoked' },
      'revoked',
    ],
  ])('leaves a model out that %s', async (_, later, because) => {
    const { engine, held } = holding();
    const { runtime, failures } = started({ engine });
    const event = { kind: 'event', at: 0, event: 'model-admitted', by: 'glacis', about: {} } as const;
    const first = { admitted: true, network: NETWORK, digest: SERVED, checks: [], event };
    const answers: object[] = [first, { ...first, ...later }];
    const loaded = await loadVersion(
      { model: 'm', version: '1', config: models.m!, source: SOURCE },
      {
        ...{ runtime, folder: '', wantsFeatures: () => false, record: async () => {}, now: () => 0 },
        ...{ signal: new AbortController().signal, makeRoom: async () => {} },
        admission: { admit: async () => answers.shift() as AdmissionResult },
      },
    );
    if ('because' in loaded) throw new Error(loaded.because);
    const never = ask(loaded.backend, 13);
    await turnsUntil(() => held.length === 1);
    vi.advanceTimersByTime(TIMEOUT);
    expect(await never).toBe('late');
    await turnsUntil(() => failures.length === 1);
    expect(failures).toEqual([`m 1 on a fresh thread: ${because}`]);
    expect(await ask(loaded.backend, 1)).toBe('unavailable');
    held[0]!();
    await loaded.backend.close();
    await runtime.close();
  });
});
