import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/until.ts';
import { GlacisError } from '../../core/error.ts';
import type { Tensor } from '../../oip/tensor.ts';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { parsePolicy } from '../../policy/read-policy.ts';
import { testRegistry } from '../../registry/registry.fixture.ts';
import { formatTrust } from '../../registry/trust.ts';
import { fingerprintOf } from '../../supply/sign/ec-key.ts';
import { keySigner } from '../../supply/sign/key-method.ts';
import { signModel } from '../../supply/sign/sign-model.ts';
import type { Event } from '../decision.ts';
import type { Principal } from '../principal.ts';
import type { Refused } from '../refusal.ts';
import type { RunOptions } from '../served-model.ts';
import { holdModel } from './admission/held-model.ts';
import { backendSchema } from './config-schema.ts';
import { type BackendSurroundings, type Backends, openBackends } from './open-backends.ts';
import type { ShadowReport } from './shadow.ts';
import { testUpstream } from './upstream/upstream.fixture.ts';

let folder: string;
let events: Event[];
const open: Backends[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-backends-'));
  events = [];
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Writes a classifier that adds `b` to its input of three numbers, and gives its digest. */
async function write(file: string, b: number, size = 3): Promise<string> {
  const made = model(
    graph({
      inputs: [value('x', ['n', size])],
      outputs: [value('y', ['n', size])],
      nodes: [node('Add', ['x', 'b'], ['y'])],
      initializers: { b: float32Tensor([size], new Float32Array(size).fill(b)) },
    }),
  );
  await writeFile(join(folder, file), serializeModel(made));
  return (await holdModel(join(folder, file), { most: 2 ** 30, ignore: [] })).root;
}
const start = async (section: object, rest: Partial<BackendSurroundings> = {}) => {
  const opened = await openBackends(backendSchema.parse({ threads: 1, ...section }), {
    folder,
    env: {},
    home: folder,
    now: Date.now,
    record: async (event) => void events.push(event),
    wantsFeatures: () => false,
    grace: 200,
    failed: (where, thrown) => {
      throw new Error(where, { cause: thrown });
    },
    ...rest,
  });
  open.push(opened.backends);
  return opened;
};
const principal = (id = 'p'): Principal => ({ id, tenant: 't', credential: 'c', kind: 'key', roles: [] });
const how = (rest: Partial<RunOptions> = {}): RunOptions => ({
  n: 1,
  signal: new AbortController().signal,
  features: false,
  ...rest,
});
const x = (): Tensor => ({ name: 'x', datatype: 'FP32', shape: [1, 3], data: Float32Array.of(0, 0, 0) });
/** What the model adds, or why it does not. */
const ask = async (
  backends: Backends,
  name = 'net',
  version?: string,
  who = 'p',
): Promise<number | string> => {
  const found = backends.find(name, version, principal(who));
  if (!found) return 'unknown';
  return found.run([x()], how()).then(
    ({ outputs }) => (outputs[0]!.data as Float32Array)[0]!,
    (thrown: Refused) => thrown.refusal,
  );
};
const asGiven = { check: { asGiven: true } };
const wait = (milliseconds: number) => new Promise((later) => setTimeout(later, milliseconds));

describe('the models that are served', () => {
  it('are admitted by the policy in force when they are loaded, and looked at again where it has changed', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(folder, 'ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    for (const [i, file] of ['a.onnx', 'b.onnx'].entries()) {
      await write(file, i + 1);
      const { bundle } = await signModel(join(folder, file), keySigner(privateKey));
      await writeFile(join(folder, `${file}.sig`), bundle);
    }
    const asking = (requirements: string) =>
      parsePolicy(`schema: glacis.policy/1
signers: { ci: { key: 'sha256:${fingerprintOf(publicKey)}' } }
defaults: { signers: [ci], fresh: 30 days }
models: [{ name: '*', stages: { production: [${requirements}] } }]
`);
    const check = { gate: { stage: 'production', trust: ['ci.pub'] } };
    const sections = (names: readonly string[]) => ({
      models: Object.fromEntries(names.map((name) => [name, { file: `${name}.onnx`, check }])),
    });
    let policy = asking('{ require: signature }');
    const { backends, notLoaded } = await start(sections(['a']), { policy: () => policy });
    expect(notLoaded).toEqual([]);
    policy = asking('{ require: signature }, { require: scan }');
    const next = backendSchema.parse({ threads: 1, ...sections(['a', 'b']) });
    const refused = await backends.apply(next, 'ann');
    expect(refused.map(({ model, because }) => [model, /production: scan/.test(because)])).toEqual([
      ['a', true],
      ['b', true],
    ]);
    // What was in service stays as it was, and whoever reloaded was told.
    expect([await ask(backends, 'a'), await ask(backends, 'b')]).toEqual([1, 'unknown']);
    policy = asking('{ require: signature }');
    expect(await backends.apply(next, 'ann')).toEqual([]);
    expect([await ask(backends, 'a'), await ask(backends, 'b')]).toEqual([1, 2]);
  });

  it('are those that were admitted; the others are named with the reason, here and in the log', async () => {
    const digest = await write('a.onnx', 1);
    await write('b.onnx', 2);
    const { backends, notLoaded } = await start({
      models: {
        good: { file: 'a.onnx', check: { digest } },
        wrong: { file: 'b.onnx', check: { digest } },
        unchecked: { file: 'b.onnx' },
      },
    });
    expect(notLoaded.map(({ model, because }) => [model, because.slice(0, 15)])).toEqual([
      ['wrong', 'digest: expecte'],
      ['unchecked', 'nothing vouches'],
    ]);
    expect([
      await ask(backends, 'good'),
      await ask(backends, 'wrong'),
      await ask(backends, 'unchecked'),
    ]).toEqual([1, 'unknown', 'unknown']);
    expect(events.map(({ event, about }) => `${event} ${about.model}`)).toEqual([
      'model-admitted good',
      'model-in-service good',
      'model-refused wrong',
      'model-refused unchecked',
    ]);
  });

  it('have versions: the one that is named, or the one in service', async () => {
    await write('a.onnx', 1);
    await write('b.onnx', 2);
    const { backends } = await start({
      models: {
        net: {
          versions: { v1: { file: 'a.onnx', ...asGiven }, v2: { file: 'b.onnx', ...asGiven } },
          use: 'v1',
        },
      },
    });
    expect([await ask(backends), await ask(backends, 'net', 'v2'), await ask(backends, 'net', 'v3')]).toEqual(
      [1, 2, 'unknown'],
    );
  });

  it('are replaced and rolled back without a dropped request', async () => {
    await write('a.onnx', 1);
    await write('b.onnx', 2);
    const section = (file: string) => ({ models: { net: { file, ...asGiven } } });
    const { backends } = await start(section('a.onnx'));
    const seen = new Set<number | string>();
    let asking = true;
    const clients = Array.from({ length: 8 }, async (_, i) => {
      while (asking) {
        // Guards and budgets come between finding a model and running it.
        const found = backends.find('net', undefined, principal(`p${i}`))!;
        await wait(i % 3);
        seen.add(
          await found.run([x()], how()).then(
            ({ outputs }) => (outputs[0]!.data as Float32Array)[0]!,
            (thrown: Refused) => thrown.because,
          ),
        );
      }
    });
    await until(() => seen.has(1));
    expect(await backends.apply(backendSchema.parse({ threads: 1, ...section('b.onnx') }), 'ann')).toEqual(
      [],
    );
    expect(await ask(backends)).toBe(2);
    await until(() => seen.has(2));
    await backends.rollback('net', 'ann');
    expect(await ask(backends)).toBe(1);
    await backends.rollback('net', 'ann');
    expect(await ask(backends)).toBe(2);
    await wait(20);
    asking = false;
    await Promise.all(clients);
    expect([...seen].sort()).toEqual([1, 2]);
    expect(events.map(({ event, by }) => `${event} by ${by}`).slice(2)).toEqual([
      'model-admitted by glacis',
      'model-in-service by ann',
      'model-rolled-back by ann',
      'model-in-service by ann',
      'model-rolled-back by ann',
      'model-in-service by ann',
    ]);
  });

  it('stay as they were when their successor is refused', async () => {
    const digest = await write('a.onnx', 1);
    const section = { models: { net: { file: 'a.onnx', check: { digest } } } };
    const { backends } = await start(section);
    await write('b.onnx', 2);
    const next = backendSchema.parse({ threads: 1, models: { net: { file: 'b.onnx', check: { digest } } } });
    expect(await backends.apply(next)).toHaveLength(1);
    expect(await ask(backends)).toBe(1);
    await expect(backends.rollback('net', 'ann')).rejects.toMatchObject({ code: 'option/invalid' });
    expect(await backends.apply(backendSchema.parse({ threads: 1, models: {} }))).toEqual([]);
    expect(await ask(backends)).toBe('unknown');
  });

  it('are not loaded when their guards cannot be made', async () => {
    await write('a.onnx', 1);
    const prepare = () => {
      throw new GlacisError('option/invalid', 'guard: expected a calibration');
    };
    const { backends, notLoaded } = await start(
      { models: { net: { file: 'a.onnx', ...asGiven } } },
      { prepare },
    );
    expect(notLoaded).toEqual([{ model: 'net', version: '1', because: 'guard: expected a calibration' }]);
    expect(await ask(backends)).toBe('unknown');
    expect(events.map(({ event }) => event)).toEqual(['model-not-loaded']);
  });

  it('are not put into service when the log cannot say so', async () => {
    await write('a.onnx', 1);
    const record = async () => {
      throw new GlacisError('output/unwritable', 'log: disk full');
    };
    await expect(
      start({ models: { net: { file: 'a.onnx', ...asGiven } } }, { record }),
    ).rejects.toMatchObject({ code: 'output/unwritable' });
  });

  it('go to a share of the principals as a canary, always the same ones', async () => {
    await write('a.onnx', 1);
    await write('b.onnx', 2);
    const versions = { v1: { file: 'a.onnx', ...asGiven }, v2: { file: 'b.onnx', ...asGiven } };
    const { backends } = await start({
      models: { net: { versions, use: 'v1', canary: { version: 'v2', share: 0.25 } } },
    });
    const people = Array.from({ length: 400 }, (_, i) => `person ${i}`);
    const given = () => people.map((who) => backends.find('net', undefined, principal(who))!.version);
    const first = given();
    const share = first.filter((version) => version === 'v2').length / people.length;
    expect(share).toBeGreaterThan(0.17);
    expect(share).toBeLessThan(0.33);
    expect(given()).toEqual(first);
    await backends.setCanary('net', { version: 'v2', share: 0.5 }, 'ann');
    const more = given();
    // Who had it keeps it.
    expect(first.every((version, i) => version === 'v1' || more[i] === 'v2')).toBe(true);
    await backends.setCanary('net', undefined, 'ann');
    expect(new Set(given())).toEqual(new Set(['v1']));
    await expect(backends.setCanary('net', { version: 'v9', share: 1 }, 'ann')).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('are asked as shadows after the answer, which they neither delay nor change', async () => {
    await write('a.onnx', 1);
    await write('b.onnx', 2);
    const versions = { v1: { file: 'a.onnx', ...asGiven }, v2: { file: 'b.onnx', ...asGiven } };
    const reports: ShadowReport[] = [];
    const { backends } = await start(
      { models: { net: { versions, use: 'v1', shadow: { version: 'v2', share: 1 } } } },
      { onShadow: (report) => void reports.push(report) },
    );
    for (let i = 0; i < 3; i++) {
      expect(await ask(backends)).toBe(1);
      await until(() => reports.length > i);
    }
    expect(reports).toHaveLength(3);
    expect(reports[0]).toEqual({ model: 'net', version: 'v1', shadow: 'v2', n: 1, agreed: 1, difference: 1 });
    // One that fails is told of, and nothing more.
    const broken = await start(
      {
        models: {
          net: {
            versions: { v1: versions.v1, v2: { file: 'c.onnx', ...asGiven } },
            use: 'v1',
            shadow: { version: 'v2' },
          },
        },
      },
      { onShadow: (report) => void reports.push(report) },
    );
    expect(await ask(broken.backends)).toBe(1);
  });

  it('stop when they are revoked, and go on when that is taken back', async () => {
    const digest = await write('a.onnx', 1);
    await writeFile(join(folder, 'revoked'), '');
    const { backends } = await start({
      models: { net: { file: 'a.onnx', check: { digest } } },
      revoked: 'revoked',
    });
    expect(await ask(backends)).toBe(1);
    await writeFile(join(folder, 'revoked'), `${digest} poisoned\n`);
    await backends.recheck();
    expect(await ask(backends)).toBe('unavailable');
    expect(backends.status()[0]!.versions[0]!.stopped).toMatch(/poisoned/);
    await rm(join(folder, 'revoked'));
    await backends.recheck();
    expect(await ask(backends)).toBe('unavailable');
    await writeFile(join(folder, 'revoked'), '# all well\n');
    await backends.recheck();
    expect(await ask(backends)).toBe(1);
    expect(events.map(({ event }) => event)).toContain('model-stopped');
    expect(events.at(-1)!.event).toBe('model-resumed');
  });

  it('follow the alias of their registry, and stop when nobody vouches for it any more', async () => {
    const made = await testRegistry({ freshness: 3600 });
    for (const [version, b] of [
      ['1', 1],
      ['2', 2],
    ] as const) {
      await write('net.onnx', b);
      await made.push(version, {
        'net.onnx': (await readFile(join(folder, 'net.onnx'))) as unknown as string,
      });
    }
    await made.change({ version: '1' }, 'alice');
    await writeFile(join(folder, 'trust.json'), formatTrust((await made.memory.trust())!));
    const registry = {
      location: join(made.folder, 'registry'),
      model: 'net:production',
      trust: 'trust.json',
    };
    const { backends } = await start({ models: { net: { registry } } }, { now: () => made.now().getTime() });
    expect(await ask(backends)).toBe(1);
    await backends.recheck();
    expect(await ask(backends)).toBe(1);
    await made.change({ version: '2' }, 'alice');
    await backends.recheck();
    expect(await ask(backends)).toBe(2);
    await backends.rollback('net', 'ann');
    expect(await ask(backends)).toBe(1);
    // Who rolls back means it.
    await backends.recheck();
    expect(await ask(backends)).toBe(1);
    made.wait(7200);
    await backends.recheck();
    expect(await ask(backends)).toBe('unavailable');
    await expect(backends.rollback('net', 'ann')).rejects.toMatchObject({ code: 'registry/refused' });
    await rm(made.folder, { recursive: true });
  });

  it('leave nothing of their bytes in this thread', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const settle = async () => {
      for (let i = 0; i < 4; i++) {
        collect();
        await wait(20);
      }
      return process.memoryUsage().arrayBuffers;
    };
    const megabytes = 8;
    // Three numbers in, and a large matrix beside them.
    const weights = float32Tensor([megabytes * 2 ** 18], new Float32Array(megabytes * 2 ** 18));
    const large = model(
      graph({
        inputs: [value('x', ['n', 3])],
        outputs: [value('y', ['n', 3])],
        nodes: [node('ReduceMax', ['w'], ['m']), node('Add', ['x', 'm'], ['y'])],
        initializers: { w: weights },
      }),
    );
    await writeFile(join(folder, 'large.onnx'), serializeModel(large));
    const before = await settle();
    const { backends } = await start(
      { models: { net: { file: 'large.onnx', ...asGiven } } },
      { wantsFeatures: () => true },
    );
    expect(backends.memory().used).toBe(megabytes * 2 ** 20);
    // What this test itself holds was there before.
    expect((await settle()) - before).toBeLessThan((megabytes / 4) * 2 ** 20);
    expect(weights.data.length).toBe(megabytes * 2 ** 20);
    expect(backends.status()).toHaveLength(1);
  });

  it('do not take more memory than they may together; what is kept for a rollback gives way', async () => {
    const size = 5000;
    for (const [i, file] of ['a', 'b', 'c'].entries()) await write(`${file}.onnx`, i, size);
    // 20 kB of weights, and once more while they are handed over.
    const section = (models: object) => ({ memory: 70_000, models });
    const of = (file: string) => ({ file, ...asGiven });
    const { backends, notLoaded } = await start(
      section({ a: of('a.onnx'), b: of('b.onnx'), c: of('c.onnx') }),
    );
    expect(notLoaded.map(({ model }) => model)).toEqual(['c']);
    expect(notLoaded[0]!.because).toMatch(/bytes/);
    expect(backends.memory()).toEqual({ used: 40_000, limit: 70_000 });
    // `a` changes: its old version stays for a rollback until `b` needs the room.
    const next = (models: object) => backends.apply(backendSchema.parse({ threads: 1, ...section(models) }));
    expect(await next({ a: of('a.onnx') })).toEqual([]);
    await until(() => backends.memory().used === 20_000);
    expect(await next({ a: of('c.onnx') })).toEqual([]);
    expect(backends.memory().used).toBe(40_000);
    expect(await next({ a: of('c.onnx'), b: of('b.onnx') })).toEqual([]);
    expect(backends.memory().used).toBe(40_000);
    await expect(backends.rollback('a', 'ann')).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('on other servers are tried again until they are there', async () => {
    const upstream = await testUpstream();
    await upstream.close();
    const digest = `sha256:${'2'.repeat(64)}`;
    const { backends, notLoaded } = await start({
      models: { far: { upstream: { url: upstream.url, digest } } },
    });
    expect(notLoaded).toHaveLength(1);
    expect(await ask(backends, 'far')).toBe('unknown');
    const again = await testUpstream({ port: upstream.port });
    await backends.recheck();
    expect(await ask(backends, 'far')).toBe(0);
    expect(backends.find('far', undefined, principal())!.digest).toBe(digest);
    await backends.close();
    await again.close();
  });
});

describe('the configuration of models', () => {
  it.each<[string, object]>([
    ['two sources', { file: 'a', registry: { location: 'r', model: 'm:a' } }],
    ['no source', {}],
    ['a check that is empty', { file: 'a', check: {} }],
    [
      'a check beside "as given"',
      { file: 'a', check: { asGiven: true, digest: `sha256:${'0'.repeat(64)}` } },
    ],
    ['a canary that is no version', { file: 'a', canary: { version: '9' } }],
    ['a key that nobody knows', { file: 'a', chekc: {} }],
    ['a batch without end', { file: 'a', batching: { most: 1e9 } }],
    ['an upstream without a digest', { upstream: { url: 'http://h/v2/models/m' } }],
  ])('refuses %s', (_, net) => {
    expect(backendSchema.safeParse({ models: { net } }).success).toBe(false);
  });

  it('refuses names that could be a path, and reads sizes', () => {
    for (const name of ['../x', 'a/b', '', '.x', 'a b'])
      expect(backendSchema.safeParse({ models: { [name]: { file: 'a' } } }).success).toBe(false);
    expect(backendSchema.parse({ memory: '512 MiB' }).memory).toBe(2 ** 29);
    expect(backendSchema.parse({ memory: '512 MB' }).memory).toBe(512e6);
    expect(backendSchema.safeParse({ memory: '512 mb' }).success).toBe(false);
  });
});
