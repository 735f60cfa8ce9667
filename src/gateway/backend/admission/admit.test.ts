import { generateKeyPairSync } from 'node:crypto';
import { link, mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { graph, model, node, value } from '../../../onnx/model.fixture.ts';
import type { Model } from '../../../onnx/model.ts';
import { float32Tensor } from '../../../onnx/tensor.ts';
import { serializeModel, writeModel } from '../../../onnx/write.ts';
import { revoke } from '../../../registry/promote.ts';
import { testRegistry } from '../../../registry/registry.fixture.ts';
import { formatTrust } from '../../../registry/trust.ts';
import { fingerprintOf } from '../../../supply/sign/ec-key.ts';
import { keySigner } from '../../../supply/sign/key-method.ts';
import { signModel } from '../../../supply/sign/sign-model.ts';
import type { VersionConfig } from '../config-schema.ts';
import { type AdmissionSurroundings, openAdmission } from './admit.ts';
import { holdModel } from './held-model.ts';
import { surroundingsIn } from './surroundings.fixture.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-admit-'));
  await writeFile(at('ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** `y = x + b`. */
const adding = (b: number): Model =>
  model(
    graph({
      inputs: [value('x', ['n', 300])],
      outputs: [value('y', ['n', 300])],
      nodes: [node('Add', ['x', 'b'], ['y'])],
      initializers: { b: float32Tensor([300], new Float32Array(300).fill(b)) },
    }),
  );
const bias = (network: Model): number =>
  new Float32Array(Uint8Array.from(network.graph.initializers.get('b')!.data).buffer)[0]!;

const admission = (rest: Partial<AdmissionSurroundings> = {}) => openAdmission(surroundingsIn(folder, rest));
const admit = (config: VersionConfig, rest: Partial<AdmissionSurroundings> = {}) =>
  admission(rest).admit({ model: 'net', version: '1', config });
const because = async (config: VersionConfig, rest: Partial<AdmissionSurroundings> = {}) => {
  const result = await admit(config, rest);
  if (result.admitted) throw new Error('expected a refusal');
  expect(result.event).toMatchObject({
    kind: 'event',
    event: 'model-refused',
    by: 'glacis',
    about: { because: result.because },
  });
  return result.because;
};
/** Writes a model with its weights beside it. */
const writeFolder = async (name: string, b: number): Promise<void> => {
  await mkdir(at(name), { recursive: true });
  await writeModel(join(at(name), 'net.onnx'), adding(b), { externalData: 100 });
};

describe('a model is admitted', () => {
  beforeEach(() => writeFile(at('net.onnx'), serializeModel(adding(1))));

  it('with its pinned digest, and the event says so', async () => {
    const { root, files } = await holdModel(at('net.onnx'), { most: 2 ** 20, ignore: [] });
    for (const digest of [root, `sha256:${files[0]!.digest}`]) {
      const result = await admit({ file: 'net.onnx', check: { digest } });
      if (!result.admitted) throw new Error(result.because);
      expect(result.digest).toBe(root);
      expect(result.event.about).toEqual({
        model: 'net',
        version: '1',
        digest: root,
        checks: [`digest: ${digest}`],
      });
      expect(bias(result.network)).toBe(1);
    }
    expect(await because({ file: 'net.onnx', check: { digest: `sha256:${'0'.repeat(64)}` } })).toMatch(
      /^digest: expected/,
    );
  });

  it.each([
    [{}],
    [{ shardSize: 100 }],
    [{ hashType: 'blake2b' as const }],
    [{ hashType: 'blake3' as const, shardSize: 64 }],
    [{ dialect: 'spec' as const }],
  ])('with a signature %j of a key that is trusted, and with no other', async (how) => {
    await writeFile(at('net.onnx.sig'), (await signModel(at('net.onnx'), keySigner(privateKey), how)).bundle);
    const check = { signature: { trust: ['ci.pub'] } };
    const result = await admit({ file: 'net.onnx', check });
    if (!result.admitted) throw new Error(result.because);
    expect(result.checks).toEqual([{ check: 'signature', by: `key sha256:${fingerprintOf(publicKey)}` }]);
    await writeFile(at('net.onnx'), serializeModel(adding(2)));
    expect(await because({ file: 'net.onnx', check })).toMatch(
      /is not what was signed|was not signed|was signed and is not there/,
    );
    await writeFile(at('net.onnx'), serializeModel(adding(1)));
    await writeFile(
      at('net.onnx.sig'),
      (await signModel(at('net.onnx'), keySigner(stranger.privateKey), how)).bundle,
    );
    expect(await because({ file: 'net.onnx', check })).toMatch(/^signature: /);
  });

  it('with the evidence that the policy asks for at a stage', async () => {
    await writeFile(
      at('policy.yaml'),
      `schema: glacis.policy/1
signers: { ci: { key: 'sha256:${fingerprintOf(publicKey)}' } }
defaults: { signers: [ci], fresh: 30 days }
models:
  - name: 'net*'
    stages:
      candidate: [{ require: signature }]
      production: [{ require: signature }, { require: scan }]
`,
    );
    await writeFile(at('net.onnx.sig'), (await signModel(at('net.onnx'), keySigner(privateKey))).bundle);
    const gate = (stage: string) => ({
      file: 'net.onnx',
      check: { gate: { policy: 'policy.yaml', stage, trust: ['ci.pub'] } },
    });
    const result = await admit(gate('candidate'));
    if (!result.admitted) throw new Error(result.because);
    expect(result.checks).toEqual([{ check: 'gate', by: 'candidate: ci' }]);
    expect(await because(gate('production'))).toMatch(/not let through to production: scan: /);
    expect(await because(gate('staging'))).toMatch(/stage: expected candidate or production/);
    expect(await because({ file: 'net.onnx', check: { gate: { stage: 'candidate' } } })).toMatch(
      /expected a policy/,
    );
    // Evidence for other bytes is none.
    await writeFile(at('net.onnx'), serializeModel(adding(2)));
    expect(await because(gate('candidate'))).toMatch(/signature/);
  });

  it('unchecked only where that is asked for, and then keeps to its digest', async () => {
    expect(await because({ file: 'net.onnx' })).toMatch(/nothing vouches for it/);
    const admitting = admission();
    const ask = () =>
      admitting.admit({ model: 'net', version: '1', config: { file: 'net.onnx', check: { asGiven: true } } });
    expect(await ask()).toMatchObject({ admitted: true, checks: [{ check: 'as-given' }] });
    await writeFile(at('net.onnx'), serializeModel(adding(2)));
    expect(await ask()).toMatchObject({ admitted: false, because: expect.stringMatching(/restart/) });
  });

  it('only while it is not revoked, and not on a list that cannot be read', async () => {
    const { root } = await holdModel(at('net.onnx'), { most: 2 ** 20, ignore: [] });
    const config = { file: 'net.onnx', check: { digest: root } };
    expect(await because(config, { revoked: () => 'revoked' })).toMatch(/revoked/);
    await writeFile(at('revoked'), '# none\n');
    const result = await admit(config, { revoked: () => 'revoked' });
    if (!result.admitted) throw new Error(result.because);
    expect(await result.recheck()).toEqual({});
    await writeFile(at('revoked'), `# withdrawn\n${root} backdoor found\n`);
    expect(await result.recheck()).toEqual({ stop: `${root} is revoked: backdoor found` });
    expect(await because(config, { revoked: () => 'revoked' })).toMatch(/backdoor found/);
    await writeFile(at('revoked'), 'sha256:abc\n');
    expect((await result.recheck()).stop).toMatch(/revoked:1: expected a digest/);
  });

  it('not beyond the memory', async () => {
    expect(await because({ file: 'net.onnx', check: { asGiven: true } }, { room: () => 100 })).toMatch(
      /at most 100 bytes/,
    );
  });

  it('not where it is no model or not there', async () => {
    await writeFile(at('text'), 'hello');
    expect(await because({ file: 'text', check: { asGiven: true } })).toMatch(/ONNX/);
    expect(await because({ file: 'nothing', check: { asGiven: true } })).toMatch(/nothing/);
  });
});

describe('abuse group 27: what is loaded is what was checked', () => {
  it('a file that is swapped while it is read, or after, changes nothing', async () => {
    await writeFile(at('net.onnx'), serializeModel(adding(1)));
    await writeFile(at('evil.onnx'), serializeModel(adding(666)));
    await writeFile(at('net.onnx.sig'), (await signModel(at('net.onnx'), keySigner(privateKey))).bundle);
    let swaps = 0;
    // Whoever can write the file swaps it, back and forth, as fast as can be.
    const stop = new AbortController();
    const swapping = (async () => {
      while (!stop.signal.aborted) {
        const b = swaps++ % 2 === 0 ? 666 : 1;
        await writeFile(at('next'), serializeModel(adding(b)));
        await rename(at('next'), at('net.onnx'));
      }
    })();
    const ends = new Set<string>();
    for (let i = 0; i < 2000 && ends.size < 2; i++) {
      const result = await admit({ file: 'net.onnx', check: { signature: { trust: ['ci.pub'] } } });
      ends.add(result.admitted ? 'admitted' : 'refused');
      if (result.admitted) expect(bias(result.network)).toBe(1);
    }
    stop.abort();
    await swapping;
    expect([...ends].sort()).toEqual(['admitted', 'refused']);
  });

  it('a file that is written over after its check leaves the admitted model as it was', async () => {
    await writeFolder('net', 1);
    const { root } = await holdModel(at('net'), { most: 2 ** 20, ignore: [] });
    const result = await admit({ file: 'net', check: { digest: root } });
    if (!result.admitted) throw new Error(result.because);
    const weights = (await import('node:fs')).readdirSync(at('net')).find((name) => name !== 'net.onnx')!;
    const handle = await open(join(at('net'), weights), 'r+');
    await handle.write(new Uint8Array(1200).fill(7));
    await handle.close();
    expect(bias(result.network)).toBe(1);
  });

  it('weights beside a single file are nothing that its digest speaks of', async () => {
    await writeFolder('net', 1);
    expect(await because({ file: 'net/net.onnx', check: { asGiven: true } })).toMatch(
      /give the folder that holds both/,
    );
  });

  it.each([
    '../outside.bin',
    '/etc/hostname',
    'a/../../outside.bin',
    '..\\outside.bin',
    'https://example.com/w',
  ])('external data at %s does not exist', async (location) => {
    await mkdir(at('net'));
    await writeFile(at('outside.bin'), new Uint8Array(1200));
    const b = {
      dtype: 'float32' as const,
      dims: [300],
      data: new Uint8Array(0),
      external: { location, offset: 0, length: 1200 },
    };
    const { graph: g, ...rest } = adding(1);
    const network = { ...rest, graph: { ...g, initializers: new Map([['b', b]]) } };
    await writeFile(at('net/net.onnx'), serializeModel(network as Model));
    expect(await because({ file: 'net', check: { asGiven: true } })).toMatch(/external data/);
  });

  it('a file that a signature leaves out cannot carry weights', async () => {
    await writeFolder('net', 1);
    const weights = (await import('node:fs')).readdirSync(at('net')).find((name) => name !== 'net.onnx')!;
    const { bundle } = await signModel(at('net'), keySigner(privateKey), { ignorePaths: [weights] });
    await writeFile(at('net.sig'), bundle);
    expect(await because({ file: 'net', check: { signature: { trust: ['ci.pub'] } } })).toMatch(
      /external data/,
    );
  });

  it.each<[string, () => Promise<void>]>([
    ['symbolic link', () => symlink(at('elsewhere'), at('net/weights.bin'))],
    ['hard link', () => link(at('elsewhere'), at('net/weights.bin'))],
    ['link to a folder', () => symlink(folder, at('net/more'))],
  ])('a %s in its folder is refused', async (_, make) => {
    await writeFolder('net', 1);
    await writeFile(at('elsewhere'), 'secret');
    await make();
    expect(await because({ file: 'net', check: { asGiven: true } })).toMatch(/link/);
  });

  it('tensors that claim to be huge are refused before anything is allocated', async () => {
    const huge = { dtype: 'float32' as const, dims: [2 ** 40], data: new Uint8Array(4) };
    const { graph: g, ...rest } = adding(1);
    await writeFile(
      at('net.onnx'),
      serializeModel({ ...rest, graph: { ...g, initializers: new Map([['b', huge]]) } } as Model),
    );
    expect(await because({ file: 'net.onnx', check: { asGiven: true } })).toMatch(/model/);
  });

  it('signatures in the folder are no part of the model, and everything else is', async () => {
    await writeFolder('net', 1);
    const { bundle } = await signModel(at('net'), keySigner(privateKey), { ignorePaths: ['model.sig'] });
    await writeFile(at('net/model.sig'), bundle);
    const check = { signature: { bundle: 'net/model.sig', trust: ['ci.pub'] } };
    expect(await admit({ file: 'net', check })).toMatchObject({ admitted: true });
    await writeFile(at('net/extra.txt'), 'x');
    expect(await because({ file: 'net', check })).toMatch(/extra.txt was not signed/);
  });
});

describe('a model from a registry', () => {
  it('is admitted by its promoted alias, followed by revocation and freshness', async () => {
    const made = await testRegistry({ freshness: 3600 });
    try {
      const bytes = Buffer.from(serializeModel(adding(3)));
      const files = { 'net.onnx': bytes as unknown as string };
      await made.push('1', files);
      const trust = await made.memory.trust();
      await writeFile(at('trust.json'), formatTrust(trust!));
      const config: VersionConfig = {
        registry: { location: join(made.folder, 'registry'), model: 'net:production', trust: 'trust.json' },
      };
      const rest = { now: () => made.now().getTime() };
      expect(await because(config, rest)).toMatch(/nothing was/);
      await made.change({ version: '1' }, 'alice');
      const result = await admit(config, rest);
      if (!result.admitted) throw new Error(result.because);
      expect(bias(result.network)).toBe(3);
      expect(result.checks).toEqual([
        { check: 'registry', by: expect.stringMatching(/^net:production: promotion by alice/) },
      ]);
      expect(await result.recheck()).toEqual({ moved: false });
      // By its number it was pushed by somebody, and approved by nobody.
      const pushed: VersionConfig = { registry: { ...config.registry!, model: 'net@1' } };
      expect(await because(pushed, rest)).toMatch(/nothing vouches/);
      expect(await admit({ ...pushed, check: { digest: result.digest } }, rest)).toMatchObject({
        admitted: true,
      });
      // The alias moves on; what is served may be served on, until it is revoked.
      await made.push('2', { 'net.onnx': Buffer.from(serializeModel(adding(4))) as unknown as string });
      await made.change({ version: '2' }, 'alice');
      expect(await result.recheck()).toEqual({ moved: true });
      const next = await admit(config, rest);
      expect(next.admitted && bias(next.network)).toBe(4);
      const request = { model: 'net', digest: result.digest, reason: 'backdoor' };
      await revoke(await made.open(), request, { keeper: made.keeper, keys: made.people.bob! });
      expect(await result.recheck()).toEqual({ stop: 'net: revoked by bob: backdoor' });
      expect(next.admitted && (await next.recheck())).toEqual({ moved: false });
      expect(await because(pushed, rest)).toMatch(/revoked/);
      // Nobody has vouched for the state of the registry for too long.
      made.wait(7200);
      expect((await result.recheck()).stop).toMatch(/expected a state signed in the last/);
      expect(await because(config, rest)).toMatch(/expected a state signed in the last/);
    } finally {
      await rm(made.folder, { recursive: true, force: true });
    }
  });
});

vi.setConfig({ testTimeout: 60_000 });

describe('a model from a frozen registry', () => {
  it('is what its alias led to when that was ordered, whatever is promoted afterwards', async () => {
    const made = await testRegistry();
    try {
      const files = (b: number) => ({
        'net.onnx': Buffer.from(serializeModel(adding(b))) as unknown as string,
      });
      await made.push('1', files(3));
      await made.change({ version: '1' }, 'alice');
      const since = made.now().getTime();
      made.wait(60);
      await made.push('2', files(4));
      await made.change({ version: '2' }, 'alice');
      await writeFile(at('trust.json'), formatTrust((await made.open()).trust));
      const registry = {
        location: join(made.folder, 'registry'),
        model: 'net:production',
        trust: 'trust.json',
      };
      const now = () => made.now().getTime();
      const opened = async (model: string, rest: Partial<AdmissionSurroundings> = {}) => {
        const result = await admit({ registry: { ...registry, model } }, { now, ...rest });
        if (!result.admitted) throw new Error(result.because);
        return result;
      };
      const free = await opened('net:production');
      expect(bias(free.network)).toBe(4);
      const freeze = { order: 'O-1', since, because: 'incident', served: {} };
      let frozen: typeof freeze | undefined = freeze;
      const held = await opened('net:production', { frozen: () => frozen });
      expect(bias(held.network)).toBe(3);
      expect(await held.recheck()).toEqual({ moved: false });
      await expect(opened('net@2', { frozen: () => frozen })).rejects.toThrow(/O-1: incident/);
      // By the digests of then, whatever times an approver signed.
      const served = { net: [free.digest] };
      expect(bias((await opened('net:production', { frozen: () => ({ ...freeze, served }) })).network)).toBe(
        4,
      );
      const none = { net: [`sha256:${'0'.repeat(64)}`] };
      await expect(opened('net:production', { frozen: () => ({ ...freeze, served: none }) })).rejects.toThrow(
        /nothing is promoted/,
      );
      frozen = undefined;
      expect(await held.recheck()).toEqual({ moved: true });
    } finally {
      await rm(made.folder, { recursive: true, force: true });
    }
  });
});
