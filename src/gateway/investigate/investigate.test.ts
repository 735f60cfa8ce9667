import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { PROOFS } from '../../incident/evidence/bundle-files.ts';
import type { EvidenceParts } from '../../incident/evidence/pack-evidence.ts';
import { readStoredZip } from '../../incident/evidence/stored-zip.ts';
import { verifyEvidence } from '../../incident/evidence/verify-evidence.ts';
import { type EvidenceSetting, writeEvidence } from '../../incident/evidence/write-evidence.ts';
import type { ImpactSummary } from '../../incident/impact/impact.ts';
import { rowsInMemory } from '../../incident/impact/rows-in-memory.ts';
import type { ImpactSearch, KeptStep } from '../../incident/impact/run-impact.ts';
import type { PastDecision, PastScope } from '../../incident/past.ts';
import { openLog } from '../../ledger/index.ts';
import { testRegistry } from '../../registry/registry.fixture.ts';
import { formatTrust } from '../../registry/trust.ts';
import { openWrappingKey } from '../../supply/vault/wrapping-key.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import { readServe } from '../config/read-serve.ts';
import { subjectNames } from '../record/live/subject-names.ts';
import { logFolder, parseTrustFile } from '../record/log-folder.ts';
import { type OpenRecorder, openRecorder } from '../record/open-recorder.ts';
import { decision, recordConfig } from '../record/record.fixture.ts';
import { subjectKeys } from '../record/subject-keys.ts';
import { Refused } from '../refusal.ts';
import type { ServedModel } from '../served-model.ts';
import { askServed } from './ask-served.ts';
import { evidenceInRegistry } from './evidence-in-registry.ts';
import { keptInputs } from './kept-inputs.ts';
import { modelsWithData } from './models-with-data.ts';
import { modelsOfFeed } from './open-investigations.ts';
import { pastOfLog } from './past-of-log.ts';
import { replayKept } from './replay-kept.ts';
import { searchThreads } from './search-thread.ts';
import type { GuardTrial } from './try-guard.ts';

let folder = '';
let recorder: OpenRecorder | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-investigate-'));
});
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
  await rm(folder, { recursive: true, force: true });
});

const START = 1_700_000_000_000;
const signal = new AbortController().signal;
const opened = async (given: object = {}) => {
  const log = await openRecorder(recordConfig(given), { folder });
  recorder = log;
  const trust = parseTrustFile(Buffer.from(JSON.stringify(log.trust)), 'trust');
  return { log, reader: () => openLog(log.source, trust) };
};
const keysIn = async () =>
  subjectKeys(
    logFolder(folder).subjects,
    await openWrappingKey(`file:${logFolder(folder).wrappingKey}`, {}),
    { kept: 0 },
  );
const namesIn = () => subjectNames(keysIn, logFolder(folder).subjects);
async function all(
  past: ReturnType<typeof pastOfLog>,
  scope: PastScope,
): Promise<{ found: PastDecision[]; pages: number }> {
  const found: PastDecision[] = [];
  for (let cursor = 0, pages = 1; ; pages++) {
    const page = await past.page(scope, cursor, signal);
    found.push(...page.decisions);
    cursor = page.cursor;
    if (page.isEnd) return { found, pages };
  }
}

describe('the past, from the log itself', () => {
  it('gives every decision of a scope once, in its order, and begins and ends where the time is', async () => {
    const { log, reader } = await opened();
    const wait: Promise<number>[] = [];
    // Three hours between two: an event in front of each tenth.
    for (let i = 0; i < 3000; i++) {
      if (i % 10 === 0)
        wait.push(log.record({ kind: 'event', at: START + i * 10_800_000, event: 'x', by: 'y', about: {} }));
      wait.push(log.record(decision(i, { at: START + i * 10_800_000, model: i % 2 === 0 ? 'a' : 'b' })));
    }
    const last = (await Promise.all(wait)).at(-1)!;
    await log.receipt(last);
    const past = pastOfLog({ reader, first: 0 });
    const { found, pages } = await all(past, {});
    expect(found.map(({ id }) => Number.parseInt(id, 16))).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    expect(pages).toBe(2);
    expect(found[7]).toMatchObject({
      entry: 8,
      principal: 'client-1',
      tenant: 'acme',
      address: '192.0.2.7',
      top: [[7, 0.998]],
    });
    const from = START + 2000 * 10_800_000;
    const some = await all(past, { from, to: from + 10 * 10_800_000, model: 'a' });
    expect(some.found.map(({ id }) => Number.parseInt(id, 16))).toEqual([2000, 2002, 2004, 2006, 2008, 2010]);
    expect(some.pages).toBe(1);
    const first = await past.page({ from }, 0, signal);
    expect(first.cursor).toBeGreaterThan(2000);
    const stop = new AbortController();
    stop.abort();
    await expect(past.page({}, 0, stop.signal)).rejects.toMatchObject({ code: 'run/cancelled' });
  });

  it('leaves who is sealed unnamed, except whom the scope names', async () => {
    const { log, reader } = await opened({ who: 'sealed' });
    for (let i = 0; i < 6; i++) await log.record(decision(i));
    await log.receipt(5);
    const past = pastOfLog({ reader, first: 0, names: namesIn() });
    const { found } = await all(past, {});
    expect(found.map(({ principal }) => principal)).toEqual(Array(6).fill(undefined));
    const named = (await all(past, { principal: 'client-1' })).found.filter(
      ({ principal }) => principal === 'client-1',
    );
    expect(named.map(({ entry }) => entry)).toEqual([1, 4]);
    expect(
      (await all(past, { principal: 'nobody-here' })).found.some(({ principal }) => principal !== undefined),
    ).toBe(false);
  });

  it('finds who is sealed by tenant, and by principal where calls are about somebody else, and names nothing that was not asked', async () => {
    const { log, reader } = await opened({ who: 'sealed', subject: { parameter: 'patient' } });
    for (let i = 0; i < 6; i++)
      await log.record(decision(i, { tenant: i < 4 ? 'acme' : 'other' }), {
        ...{ input: [], output: [], subject: `patient-${i}` },
      });
    await log.receipt(5);
    const past = pastOfLog({ reader, first: 0, names: namesIn() });
    const entriesOf = async (scope: PastScope) =>
      (await all(past, scope)).found.map(({ entry, principal, tenant }) => [entry, principal, tenant]);
    expect(await entriesOf({ tenant: 'acme' })).toEqual([0, 1, 2, 3].map((i) => [i, undefined, 'acme']));
    expect(await entriesOf({ principal: 'client-1' })).toEqual([1, 4].map((i) => [i, 'client-1', undefined]));
    expect(await entriesOf({ principal: 'client-1', tenant: 'other' })).toEqual([[4, 'client-1', 'other']]);
    expect(await entriesOf({ tenant: 'nowhere' })).toEqual([]);
    await log.erase('patient-1', 'dpo');
    expect(await entriesOf({ tenant: 'acme' })).toHaveLength(3);
  });
});

/** Says class 2 of everything, of one float input `[n, 3]`. */
const GOOD = {
  name: 'm',
  version: '1',
  digest: 'sha256:good',
  metadata: {
    name: 'm',
    platform: '',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
    outputs: [],
  },
  classifier: { input: 'x', sampleDims: [3], output: 'y', classes: 3, gives: 'probabilities' },
  run: async ([x], { n }) => {
    const data = new Float32Array(3 * n);
    for (let i = 0; i < n; i++) data.set([0, 0, (x!.data as Float32Array)[3 * i]!], 3 * i);
    return { outputs: [{ name: 'y', datatype: 'FP32', shape: [n, 3], data }] };
  },
} as const satisfies ServedModel;

describe('a replay on a good version', () => {
  it('opens kept inputs, and knows nothing of those that were not kept, do not fit or were erased', async () => {
    const { log, reader } = await opened({ payloads: { keep: 'input' } });
    const inputOf = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
    const put = (i: number, input: Uint8Array | undefined, n = 1) =>
      log.record(decision(i, { n, principal: `p${i}` }), input && { input: [input], output: [] });
    await put(0, inputOf(0.5, 0, 0));
    await put(1, inputOf(0.25, 0, 0, 0.75, 0, 0), 2);
    await put(2, undefined);
    await put(3, inputOf(1, 2));
    await put(4, inputOf(0.125, 0, 0));
    await log.receipt(4);
    const find = async () => (await all(pastOfLog({ reader, first: 0 }), {})).found;
    const { payloads } = logFolder(folder);
    const replay = replayKept(
      keptInputs({ reader, payloads, names: namesIn() }),
      askServed(() => GOOD),
    );
    const before = await replay.run(await find(), signal);
    expect(before).toEqual([
      [[2, 0.5]],
      [
        [2, 0.25],
        [2, 0.75],
      ],
      undefined,
      undefined,
      [[2, 0.125]],
    ]);
    await log.erase('p4', 'dpo');
    const after = await replay.run((await find()).slice(0, 5), signal);
    expect(after[4]).toBeUndefined();
    expect(after[0]).toEqual([[2, 0.5]]);
  });
});

/** A search that begins. */
const begun = (over: Partial<ImpactSummary>): ImpactSearch => ({
  state: {
    ...{ cursor: 0, rows: 0, tally: [] },
    summary: {
      ...{ id: 'a', state: 'running', scope: {}, log: 'l', by: 'ann', at: 0, progress: [0, 0], looked: 0 },
      ...{ affected: 0, replayed: 0, different: 0, unkept: 0, principals: [], others: 0, digests: [] },
      ...over,
    },
  },
  ...{ mostReplayed: 1e6, tolerance: 1, feedModels: [] },
});

describe('searches in a thread', () => {
  const threads = async (
    openAsk: Parameters<typeof searchThreads>[1]['openAsk'],
    sealed = false,
    openTrial: Parameters<typeof searchThreads>[1]['openTrial'] = () => {
      throw new Error('no guard');
    },
  ) => {
    const { origin, keys } = recorder!.trust;
    const wrappingKey = `file:${logFolder(folder).wrappingKey}`;
    return searchThreads({ folder, origin, keys, sealed, wrappingKey }, { openAsk, openTrial });
  };

  it('find, replay and count what this thread writes down, asks and is told', async () => {
    const { log } = await opened({ who: 'sealed', payloads: { keep: 'input' } });
    const wait: Promise<number>[] = [];
    for (let i = 0; i < 100; i++) {
      const input = i === 50 ? [] : [new Uint8Array(Float32Array.from([i / 100, 0, 0]).buffer)];
      const payload = i % 10 === 9 ? undefined : { input, output: [] };
      const top = [[i % 4 === 0 ? 1 : 2, 0.5]] as const;
      wait.push(log.record(decision(i, { top, model: i < 90 ? 'm' : 'x' }), payload));
    }
    await log.receipt((await Promise.all(wait)).at(-1)!);
    const { search, replayWhatIf } = await threads(() => askServed(() => GOOD), true);
    const steps: KeptStep[] = [];
    const kept = rowsInMemory(1000);
    const keep = (step: KeptStep) => {
      steps.push(step);
      return kept.keep(step);
    };
    const found = await search(begun({ scope: { model: 'm', principal: 'client-1' }, against: 'good' }), {
      ...{ keep, signal, stepped: () => {} },
    });
    // 1, 4, 7 … 88: thirty; three of them without inputs; every fourth said something else.
    expect(found).toMatchObject({
      ...{ state: 'done', looked: 90, affected: 30, replayed: 27, unkept: 3, different: 8 },
      principals: [{ principal: 'client-1', decisions: 30, different: 8 }],
    });
    expect(JSON.parse(steps.at(-1)!.summary)).toMatchObject({ affected: 30 });
    expect(kept.rows().map(({ different }) => different)).toEqual([
      ...Array(8).fill(true),
      ...Array(22).fill(false),
    ]);
    const change = { kind: 'rate', per: 'principal', requests: 1, every: 1e9 } as const;
    expect(await replayWhatIf('w', { model: 'm' }, change, { signal })).toMatchObject({ state: 'done' });
  });

  it('show a guard that was not on the inputs that were kept, whoever sealed them', async () => {
    const { log } = await opened({ who: 'sealed', payloads: { keep: 'input' } });
    const wait: Promise<number>[] = [];
    for (let i = 0; i < 40; i++) {
      const payload = { input: [new Uint8Array(Float32Array.from([i, 0, 0]).buffer)], output: [] };
      wait.push(log.record(decision(i, { model: i < 36 ? 'm' : 'x' }), i % 10 === 9 ? undefined : payload));
    }
    await log.receipt((await Promise.all(wait)).at(-1)!);
    const shown: [number, number][] = [];
    const openTrial = (guard: string): GuardTrial => {
      expect(guard).toBe('first');
      return {
        async look({ inputs, at, n, model }) {
          expect([n, model]).toEqual([1, 'm']);
          const score = new Float32Array(inputs[0]!.buffer)[0]!;
          shown.push([at - START, score]);
          return { score };
        },
        close: async () => void shown.push([-1, -1]),
      };
    };
    const { replayWhatIf } = await threads(() => askServed(() => GOOD), true, openTrial);
    const change = { kind: 'guard', guard: 'first', threshold: 29.5, action: 'refuse' } as const;
    const done = await replayWhatIf('w', { model: 'm' }, change, { signal });
    // 36 calls, of which 9, 19 and 29 were not kept; 30 to 35 are above.
    expect(done).toMatchObject({ state: 'done', looked: 33, lookedAgain: 33, unseen: 3 });
    expect(done.changed).toEqual([{ from: 'answered', to: 'unacceptable', calls: 6, samples: 6 }]);
    const kept = Array.from({ length: 36 }, (_, i) => i).filter((i) => i % 10 !== 9);
    expect(shown).toEqual([...kept.map((i) => [i, i]), [-1, -1]]);
  });

  it('pack evidence, which is signed and named in the log from here', async () => {
    const { log, reader } = await opened();
    for (let i = 0; i < 40; i++) await log.record(decision(i));
    await log.receipt(39);
    const { pack } = await threads(() => askServed(() => GOOD));
    const found = await pastOfLog({ reader, first: 0 }).page({}, 0, signal);
    const trustFile = JSON.stringify(log.trust);
    const parts: EvidenceParts = {
      view: {
        case: {
          ...{ id: 'C-2026-0001', title: 't', kind: 'attack', severity: 'high', state: 'open' },
          ...{ opened: 1, updated: 1, first: 1, last: 1, queries: 1, alarms: 0, revision: 0 },
          ...{ models: [], principals: [], atlas: [] },
        },
        ...{ events: [], alarms: [], orders: [], suggestions: [] },
      },
      ...{ impacts: [], decisions: found.decisions, models: [], trustFile },
    };
    let read = 0;
    const setting: EvidenceSetting = {
      log: {
        reader: () => {
          read++;
          return reader();
        },
        receipt: (index) => log.receipt(index),
      },
      record: (event) => log.record(event),
      ...{ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, pack },
      ...{ now: () => START, freshId: () => '9'.repeat(32) },
    };
    const { zip, digest } = await writeEvidence(parts, 'ann', setting);
    const verdict = verifyEvidence(zip, parseTrustFile(Buffer.from(trustFile), 'trust'));
    expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, case: 'C-2026-0001' });
    const lines = Buffer.from(readStoredZip(zip).files.get(PROOFS)!).toString().trim().split('\n');
    expect(lines).toHaveLength(40);
    expect(digest).toMatch(/^sha256:/);
    // Here nothing was read but the entry that names the bundle.
    expect(read).toBe(1);
    const full = new GlacisError('output/unwritable', 'log: the disk is full');
    const wish = { parts, by: 'ann', at: START };
    await expect(pack(wish, () => Promise.reject(full))).rejects.toEqual(full);
  });

  it('pass on what goes wrong on either side, and end when they are cancelled', async () => {
    const { log } = await opened({ payloads: { keep: 'input' } });
    const input = [new Uint8Array(Float32Array.from([0, 0, 0]).buffer)];
    await log.receipt(await log.record(decision(1), { input, output: [] }));
    const keep = rowsInMemory(9).keep;
    const watch = { keep, signal, stepped: () => {} };
    const { search } = await threads((_model, against) => {
      if (against === 'none') throw new GlacisError('option/invalid', 'no such version');
      return () => Promise.reject(new Refused('unavailable', 'busy'));
    });
    await expect(search(begun({ against: 'none' }), watch)).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(search(begun({ against: 'busy' }), watch)).rejects.toMatchObject({ code: 'run/failed' });
    const unwritable = new GlacisError('output/unwritable', 'the store: the disk is full');
    await expect(search(begun({}), { ...watch, keep: () => Promise.reject(unwritable) })).rejects.toEqual(
      unwritable,
    );
    const stop = new AbortController();
    const cancelled = search(begun({}), {
      ...watch,
      signal: stop.signal,
      keep: () => {
        stop.abort();
        return new Promise<number>(() => {});
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'run/cancelled' });
    await expect(search(begun({}), { ...watch, signal: stop.signal })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});

describe('what models rest on', () => {
  const HEX = 'cd'.repeat(32);
  it('is found in the evidence beside them, in the clear or in an envelope', async () => {
    await mkdir(join(folder, 'evidence'));
    const envelope = {
      dsseEnvelope: { payload: Buffer.from(JSON.stringify({ data: `sha256:${HEX}` })).toString('base64') },
    };
    await writeFile(join(folder, 'evidence', 'training.json'), JSON.stringify(envelope));
    await writeFile(join(folder, 'plain.json'), `{"digest":"${HEX}"}`);
    const gate = (...evidence: string[]) => ({ gate: { stage: 'production', evidence } });
    const models = {
      a: { file: 'a.onnx', check: gate('evidence') },
      b: { file: 'b.onnx', check: gate('plain.json') },
      c: { file: 'c.onnx', check: gate('missing.json') },
      d: { file: 'd.onnx', check: { asGiven: true } },
    };
    const { config } = readServe(JSON.stringify({ serve: { models } }));
    const status = Object.keys(models).map((model) => ({
      model,
      versions: [{ version: '1', digest: `sha256:${model}` }],
    }));
    const given = {
      config,
      status: status as unknown as readonly ModelStatus[],
      placeOf: (path: string) => join(folder, path),
      inRegistry: async () => [],
    };
    expect(await modelsWithData(`sha256:${HEX}`, given)).toEqual(['sha256:a', 'sha256:b']);
    expect(await modelsWithData('ef'.repeat(32), given)).toEqual([]);
    await expect(modelsWithData('../../etc/passwd', given)).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('is found in the record that training left, and in what a registry has about the version', async () => {
    const made = await testRegistry();
    try {
      const statement = join(folder, 'training.json');
      await writeFile(statement, `{"digest":"${HEX}"}`);
      const { digest } = (await made.push('1', { 'a.onnx': 'abc' })).version;
      const { digest: other } = (await made.push('2', { 'a.onnx': 'abd' })).version;
      await made.change({ version: '1', evidence: [statement] }, 'alice');
      await writeFile(join(folder, 'trust.json'), formatTrust((await made.memory.trust())!));
      await writeFile(join(folder, 'own.training.json'), `{"data":{"digest":"sha256:${HEX}"}}`);
      const registry = { location: join(made.folder, 'registry'), trust: 'trust.json' };
      const check = { asGiven: true };
      const models = {
        own: { file: 'own.onnx', check },
        first: { registry: { ...registry, model: 'net@1' }, check },
        second: { registry: { ...registry, model: 'net@2' }, check },
      };
      const { config } = readServe(JSON.stringify({ serve: { models } }));
      const status = Object.entries({ own: 'sha256:own', first: digest, second: other }).map(
        ([model, root]) => ({ model, versions: [{ version: '1', digest: root }] }),
      );
      const around = { folder, env: {}, home: join(folder, 'home'), now: () => made.now().getTime() };
      const found = await modelsWithData(`sha256:${HEX}`, {
        config,
        status: status as unknown as readonly ModelStatus[],
        placeOf: (path) => join(folder, path),
        inRegistry: (of, root) => evidenceInRegistry(of, root, around),
      });
      expect(found).toEqual(['sha256:own', digest]);
    } finally {
      await rm(made.folder, { recursive: true, force: true });
    }
  });

  it('says which models watch a feed', () => {
    const feed = (name: string) => ({ feeds: { feeds: [{ name, sequence: { parameter: 'seq' } }] } });
    const serve = {
      models: { a: { file: 'a', check: { asGiven: true } }, b: { file: 'b', check: { asGiven: true } } },
      guards: feed('lidar'),
      only: { b: { guards: feed('radar') } },
    };
    const { config } = readServe(JSON.stringify({ serve }));
    expect([modelsOfFeed(config, 'lidar'), modelsOfFeed(config, 'radar'), modelsOfFeed(config, 'x')]).toEqual(
      [['a'], ['b'], []],
    );
  });
});
