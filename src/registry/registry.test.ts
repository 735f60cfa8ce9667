import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { folderStore } from '../ledger/log-store.ts';
import { openWriter } from '../ledger/log-writer.ts';
import { localKey } from '../supply/vault/wrapping-key.ts';
import { blobOf, once as chunk } from './blob-store.ts';
import { signEnvelope } from './envelope.ts';
import { formatEvent } from './event.ts';
import { memoryOf } from './memory.ts';
import { publicKeyText } from './party-key.ts';
import { openPlace } from './place.ts';
import { changeRoles, revoke } from './promote.ts';
import { pull, resolveReference } from './pull.ts';
import { MOST_EVIDENCE_BYTES, push } from './push.ts';
import { type TestRegistry, testRegistry } from './registry.fixture.ts';
import { commit, eventHead, openRegistry, requireFresh } from './registry.ts';
import { rotate } from './sealed-blobs.ts';
import { currentOf } from './state.ts';
import { verifyRegistry } from './verify-registry.ts';

let test: TestRegistry;
afterEach(() => rm(test.folder, { recursive: true, force: true }));

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );
const failed = async (options = { deep: true }) =>
  (await verifyRegistry(await test.open(), test.blobs, options))
    .filter(({ ok }) => !ok)
    .map(({ what }) => what);
const pulled = async (version: string, out = 'out') => {
  const registry = await test.open();
  const target = join(test.folder, out);
  await pull(
    registry,
    test.blobs,
    resolveReference(registry.state, { model: 'net', version }).version,
    target,
  );
  return target;
};

describe('a registry', () => {
  it('gives back what was pushed, says who pushed it, and verifies', async () => {
    test = await testRegistry();
    const { version } = await test.push('1', { 'model.onnx': 'weights', 'config.json': '{}' });
    expect(version).toMatchObject({ by: ['paul'], files: 2, size: 9, at: '2026-01-01T00:00:00.000Z' });
    const out = await pulled('1');
    expect(await readFile(join(out, 'model.onnx'), 'utf8')).toBe('weights');
    await test.change({ version: '1' }, 'alice');
    const { state } = await test.open();
    expect(resolveReference(state, { model: 'net', alias: 'production' }).change?.by).toEqual(['alice']);
    expect(await failed()).toEqual([]);
  });

  it('takes the same push again without a word, and refuses another model under the same version', async () => {
    test = await testRegistry();
    await test.push('1', { a: 'x' });
    expect((await test.push('1', { a: 'x' })).known).toBe(true);
    expect((await test.open()).state.entries).toBe(2);
    expect(await code(test.push('1', { a: 'y' }))).toBe('registry/refused');
  });

  it('takes no file whose name other systems read as another path', async () => {
    test = await testRegistry();
    await expect(test.push('1', { 'a\\b': 'x' })).rejects.toMatchObject({ code: 'manifest/refused' });
    expect((await test.open()).state.entries).toBe(1);
  });

  it('takes no evidence that is larger than any statement', async () => {
    test = await testRegistry();
    await test.push('1', { a: 'x' });
    const file = join(test.folder, 'evidence.json');
    await writeFile(file, '');
    await truncate(file, MOST_EVIDENCE_BYTES + 1);
    expect(await code(test.change({ version: '1', evidence: [file] }, 'alice'))).toBe('option/invalid');
    await truncate(file, MOST_EVIDENCE_BYTES);
    expect(await code(test.change({ version: '1', evidence: [file] }, 'alice'))).toBe('nothing was thrown');
  });

  it('adds nothing behind an entry that the one who signed did not see', async () => {
    test = await testRegistry();
    await test.push('1', { a: 'x' });
    const log = test.place.log;
    expect(await log.tryAppend(1, Buffer.from('{}'), test.keeper)).toBeUndefined();
    expect((await test.open()).checkpoint.size).toBe(2);
  });

  it('says that it could not be verified where storage fails or somebody cancels, and not that it is damaged', async () => {
    test = await testRegistry();
    await test.push('1', { a: 'x' });
    const registry = await test.open();
    for (const reason of ['registry/storage', 'run/cancelled'] as const) {
      const blobs = {
        ...test.blobs,
        // biome-ignore lint/correctness/useYield: it fails before there is anything to give.
        async *getManifest(): AsyncGenerator<Uint8Array> {
          throw new GlacisError(reason, 'no answer');
        },
      };
      expect(await code(verifyRegistry(registry, blobs, { deep: true }))).toBe(reason);
    }
  });

  it('goes on with a push that was cut off, and shows nothing of it before', async () => {
    test = await testRegistry();
    const puts: string[] = [];
    let broken = true;
    const blobs = {
      ...test.blobs,
      put: async (...[blob, ...rest]: Parameters<typeof test.blobs.put>) => {
        if (broken && puts.length === 1) throw new Error('killed');
        puts.push(blob.digest);
        return test.blobs.put(blob, ...rest);
      },
    };
    const path = join(test.folder, 'm');
    await mkdir(path);
    for (const name of ['a', 'b', 'c']) await writeFile(join(path, name), name);
    const request = {
      model: 'net',
      version: '1',
      path,
      evidence: [],
      keeper: test.keeper,
      keys: test.people.paul!,
    };
    await expect(push(await test.open(), blobs, request)).rejects.toThrow('killed');
    expect((await test.open()).state.versions.size).toBe(0);
    broken = false;
    await push(await test.open(), blobs, request);
    expect(new Set(puts).size).toBe(puts.length);
    expect(await failed()).toEqual([]);
  });

  it('is whole after a push was killed at any moment, and has every version that was acknowledged', async () => {
    const fixture = new URL('./registry.fixture.ts', import.meta.url).href;
    const program = `
      import { testRegistry } from ${JSON.stringify(fixture)};
      const test = await testRegistry();
      console.log(test.folder);
      for (let n = 0; ; n++) {
        await test.push('v' + n, { a: 'x'.repeat(1000 * n), b: 'same' });
        console.log('v' + n);
      }`;
    for (const delay of [0, 7, 30]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => {
        text += bytes;
        if (text.includes('v1\n')) setTimeout(() => child.kill('SIGKILL'), delay);
      });
      await once(child, 'close');
      const [folder = '', ...acknowledged] = text.split('\n').slice(0, -1);
      const place = openPlace(join(folder, 'registry'));
      const memory = memoryOf(join(folder, 'home'), place.where);
      const registry = await openRegistry({ place, memory, now: () => new Date() });
      const versions = [...registry.state.versions.values()].map(({ version }) => version);
      expect(versions).toEqual(expect.arrayContaining(acknowledged));
      const checks = await verifyRegistry(registry, place.blobs, { deep: true });
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      await rm(folder, { recursive: true });
    }
    test = await testRegistry();
  });

  it('does not store a file that changes while it is pushed', async () => {
    test = await testRegistry();
    const wrong = blobOf(Buffer.from('something else'));
    const { store } = await import('./blob-store.ts');
    expect(await code(store(test.blobs, wrong, () => chunk(Buffer.from('changed'))))).toBe(
      'registry/damaged',
    );
    expect(await test.blobs.has(wrong)).toBe(false);
    expect(await readdir(join(test.place.where, '.incoming'))).toEqual([]);
  });

  it('serves two processes that push at the same time', async () => {
    test = await testRegistry();
    await Promise.all(['1', '2', '3', '4'].map((version) => test.push(version, { model: version })));
    expect((await test.open()).state.versions.size).toBe(4);
    expect(await failed()).toEqual([]);
  });

  it('pulls into a new folder only, and leaves nothing behind when it fails', async () => {
    test = await testRegistry();
    const { version } = await test.push('1', { a: 'x' });
    await mkdir(join(test.folder, 'out'));
    expect(await code(pulled('1'))).toBe('output/unwritable');
    const { digest } = blobOf(Buffer.from('x'));
    await writeFile(join(test.place.where, 'blobs/sha256', digest.slice(7)), 'y');
    expect(await code(pulled('1', 'other'))).toBe('registry/damaged');
    expect((await readdir(test.folder)).filter((name) => name.includes('other'))).toEqual([]);
    expect(version.size).toBe(1);
    expect(await failed()).toEqual(['version net@1']);
  });
});

describe('approval', () => {
  it('takes effect with k of n, whether they sign together or one after the other', async () => {
    test = await testRegistry({ threshold: 2 });
    await test.push('1', { a: '1' });
    await test.push('2', { a: '2' });
    const first = await test.change({ version: '1' }, 'alice');
    expect(first.pending).toMatchObject({ approvals: ['alice'], needed: 2 });
    expect(
      await code(
        Promise.resolve().then(async () =>
          resolveReference((await test.open()).state, { model: 'net', alias: 'production' }),
        ),
      ),
    ).toBe('registry/refused');
    expect((await test.change({ version: '1' }, 'alice')).pending?.approvals).toEqual(['alice']);
    expect((await test.change({ version: '1' }, 'bob')).pending).toBeUndefined();
    expect(currentOf((await test.open()).state, 'net', 'production')?.by).toEqual(['alice', 'bob']);
    expect((await test.change({ version: '2' }, 'bob+carol')).pending).toBeUndefined();
    expect(await failed()).toEqual([]);
  });

  it('does not come from publishers or strangers', async () => {
    test = await testRegistry();
    await test.push('1', { a: '1' });
    expect(await code(test.change({ version: '1' }, 'paul'))).toBe('registry/refused');
    expect(await code(test.change({ version: '1' }, 'mallory'))).toBe('registry/refused');
    expect(await code(test.push('2', { a: '2' }, 'mallory'))).toBe('registry/refused');
  });

  it('needs every key of who has several: a broken algorithm is not enough', async () => {
    test = await testRegistry({ quantumSafe: true });
    await test.push('1', { a: '1' });
    const registry = await test.open();
    const { keeper, people, blobs } = test;
    const { changeAlias } = await import('./promote.ts');
    const request = {
      model: 'net',
      version: '1',
      alias: 'production',
      evidence: [],
      kind: 'promotion' as const,
    };
    expect(await code(changeAlias(registry, blobs, request, { keeper, keys: [people.alice![0]!] }))).toBe(
      'registry/refused',
    );
    expect((await test.change({ version: '1' }, 'alice')).pending).toBeUndefined();
  });

  it('given before another change does not take effect after it', async () => {
    test = await testRegistry({ threshold: 2 });
    for (const version of ['1', '2', '3']) await test.push(version, { a: version });
    await test.change({ version: '1' }, 'alice+bob');
    const stale = (await test.change({ version: '2' }, 'alice')).pending!;
    await test.change({ version: '3' }, 'alice+bob');
    const registry = await test.open();
    expect(registry.state.pending.size).toBe(0);
    expect(await code(commit(registry, test.keeper, test.people.bob!, () => stale.payload))).toBe(
      'registry/refused',
    );
  });

  it('of who was removed does not count, not even what was signed before', async () => {
    test = await testRegistry({ threshold: 2 });
    await test.push('1', { a: '1' });
    await test.change({ version: '1' }, 'alice');
    const registry = await test.open();
    const { approvers } = registry.state.roles;
    const roles = { ...registry.state.roles, approvers: approvers.filter(({ name }) => name !== 'alice') };
    const keys = ['bob', 'carol'].flatMap((name) => test.people[name]!);
    expect(
      (await changeRoles(registry, { roles, reason: 'left' }, { keeper: test.keeper, keys })).pending,
    ).toBeUndefined();
    expect((await test.change({ version: '1' }, 'bob')).pending?.approvals).toEqual(['bob']);
    expect(await code(test.change({ version: '1' }, 'alice'))).toBe('registry/refused');
  });

  it('binds the evidence, which is kept', async () => {
    test = await testRegistry({ threshold: 2 });
    await test.push('1', { a: '1' });
    const file = join(test.folder, 'assessment.json');
    await writeFile(file, '{"robust":0.9}');
    await test.change({ version: '1', evidence: [file] }, 'alice');
    await writeFile(file, '{"robust":0.1}');
    expect((await test.change({ version: '1', evidence: [file] }, 'bob')).pending?.approvals).toEqual([
      'bob',
    ]);
    expect((await test.change({ version: '1' }, 'carol')).pending).toBeUndefined();
    const { evidence } = currentOf((await test.open()).state, 'net', 'production')!;
    await rm(join(test.place.where, 'blobs/sha256', evidence[0]!.digest.slice(7)));
    expect(await failed()).toEqual(['evidence of net:production (entry 4, 1)']);
  });
});

describe('rollback protection', () => {
  it('lets an old version come back by a signed rollback with a reason, and in no other way', async () => {
    test = await testRegistry();
    for (const version of ['1', '2']) await test.push(version, { a: version });
    await test.change({ version: '1' }, 'alice');
    await test.change({ version: '2' }, 'alice');
    await expect(test.change({ version: '1' }, 'alice')).rejects.toThrow('takes a rollback with a reason');
    expect(await code(test.change({ version: '1', kind: 'rollback' }, 'alice'))).toBe('registry/invalid');
    await test.change({ version: '1', kind: 'rollback', reason: 'v2 fails on cases' }, 'alice');
    expect(currentOf((await test.open()).state, 'net', 'production')).toMatchObject({
      kind: 'rollback',
      version: '1',
    });
    await expect(test.change({ version: '2', kind: 'rollback', reason: 'x' }, 'alice')).rejects.toThrow(
      'this is a promotion',
    );
    await test.change({ version: '2' }, 'alice');
    expect(await failed()).toEqual([]);
  });

  it('does not take an entry again that was signed before', async () => {
    test = await testRegistry();
    for (const version of ['1', '2']) await test.push(version, { a: version });
    await test.change({ version: '1' }, 'alice');
    const registry = await test.open();
    const old = await registry.log.entry(3);
    await test.change({ version: '2' }, 'alice');
    // Whoever has the log's key can put the old event into the log once more; it changes nothing, and shows.
    await using writer = await openWriter(folderStore(join(test.place.where, 'log')), test.keeper);
    await writer.append(old);
    await writer.close();
    expect(currentOf((await test.open()).state, 'net', 'production')?.version).toBe('2');
    expect(await failed()).toEqual(['events']);
  });

  it('notices an old copy of the whole registry', async () => {
    test = await testRegistry();
    await test.push('1', { a: '1' });
    await cp(test.place.where, join(test.folder, 'copy'), { recursive: true });
    await test.push('2', { a: '2' });
    await test.open();
    await rm(test.place.where, { recursive: true });
    await rename(join(test.folder, 'copy'), test.place.where);
    expect(await code(test.open())).toBe('ledger/forked');
  });

  it('notices another history of the same length', async () => {
    test = await testRegistry();
    await cp(test.place.where, join(test.folder, 'copy'), { recursive: true });
    await test.push('1', { a: '1' });
    await rm(test.place.where, { recursive: true });
    await rename(join(test.folder, 'copy'), test.place.where);
    const other = memoryOf(join(test.folder, 'other'), test.place.where);
    await other.rememberTrust((await test.memory.trust())!);
    const { place, now, keeper, people, blobs } = test;
    const registry = await openRegistry({ place, memory: other, now });
    const path = join(test.folder, 'model-1');
    await push(registry, blobs, {
      model: 'net',
      version: 'evil',
      path,
      evidence: [],
      keeper,
      keys: people.paul!,
    });
    expect(await code(test.open())).toBe('ledger/forked');
  });
});

describe('revocation', () => {
  it('takes a model out of use under every name, for good', async () => {
    test = await testRegistry();
    const { version } = await test.push('1', { a: '1' });
    await test.change({ version: '1' }, 'alice');
    const { keeper, people } = test;
    const request = { model: 'net', digest: version.digest, reason: 'backdoor' };
    expect(await code(revoke(await test.open(), request, { keeper, keys: people.paul! }))).toBe(
      'registry/refused',
    );
    await revoke(await test.open(), request, { keeper, keys: people.bob! });
    const { state } = await test.open();
    for (const reference of [
      { model: 'net', version: '1' },
      { model: 'net', alias: 'production' },
    ])
      expect(() => resolveReference(state, reference)).toThrow('backdoor');
    expect(await code(test.push('2', { a: '1' }))).toBe('registry/refused');
    expect(await code(test.change({ version: '1', alias: 'candidate' }, 'alice'))).toBe('registry/refused');
    expect(await failed()).toEqual(['alias net:production']);
  });
});

describe('freshness', () => {
  it('is asked of a state, given by a signature with the time, and not by a clock that was set back', async () => {
    test = await testRegistry({ freshness: 3600 });
    await test.push('1', { a: '1' });
    requireFresh(await test.open());
    test.wait(3601);
    expect(await code(test.open().then(requireFresh))).toBe('registry/stale');
    expect(await failed()).toEqual(['freshness']);
    await test.place.log.refresh(test.keeper);
    requireFresh(await test.open());
    test.wait(-1000);
    expect(await code(test.open().then(requireFresh))).toBe('registry/stale');
  });
});

describe('trust', () => {
  it('is needed at the first use, and does not move to another registry', async () => {
    test = await testRegistry();
    const { place, now, folder } = test;
    const memory = memoryOf(join(folder, 'elsewhere'), place.where);
    expect(await code(openRegistry({ place, memory, now }))).toBe('registry/untrusted');
    const trust = (await test.memory.trust())!;
    await openRegistry({ place, memory, now, trust });
    await openRegistry({ place, memory, now });
    const other = await testRegistry();
    expect(await code(openRegistry({ place: other.place, memory, now }))).toBe('ledger/forked');
    const strange = (await other.memory.trust())!;
    expect(await code(openRegistry({ place: other.place, memory, now, trust: strange }))).toBe(
      'registry/untrusted',
    );
    expect(await code(openRegistry({ place, memory, now, trust: strange }))).toBe('registry/untrusted');
    const fresh = memoryOf(join(folder, 'third'), place.where);
    expect(await code(openRegistry({ place, memory: fresh, now, trust: strange }))).toBe(
      'registry/untrusted',
    );
    await rm(other.folder, { recursive: true });
  });

  it('is not shaken by who has the log key but no approver key', async () => {
    test = await testRegistry();
    await test.push('1', { a: '1' });
    const registry = await test.open();
    const [version] = registry.state.versions.values();
    const forged = formatEvent({
      ...eventHead(registry),
      kind: 'promotion',
      model: 'net',
      alias: 'production',
      version: '1',
      digest: version!.digest,
      manifest: version!.manifest,
      sequence: 1,
      evidence: [],
    });
    await using writer = await openWriter(folderStore(join(test.place.where, 'log')), test.keeper);
    await writer.append(signEnvelope(forged, test.people.mallory!));
    await writer.append(Buffer.from('rubbish'));
    await writer.append(await registry.log.entry(0));
    await writer.close();
    const { state } = await test.open();
    expect(currentOf(state, 'net', 'production')).toBeUndefined();
    expect(state.problems).toHaveLength(3);
    // Work goes on.
    await test.change({ version: '1' }, 'alice');
    expect(currentOf((await test.open()).state, 'net', 'production')?.version).toBe('1');
  });

  it('does not take an event of another registry', async () => {
    test = await testRegistry();
    const other = await testRegistry();
    const foreign = await other.open();
    const { approvers } = foreign.state.roles;
    const event = formatEvent({
      ...eventHead(foreign),
      kind: 'roles',
      roles: { ...foreign.state.roles, approvers },
      reason: 'x',
      sequence: 1,
    });
    const registry = await test.open();
    await expect(commit(registry, test.keeper, test.people.alice!, () => event)).rejects.toThrow(
      'of another',
    );
    await rm(other.folder, { recursive: true });
  });
});

describe('a manifest from outside', () => {
  const manifestFor = async (paths: readonly string[]) => {
    const { formatManifest, parseManifest } = await import('./model-manifest.ts');
    const blob = blobOf(Buffer.from('x'));
    const { manifest } = formatManifest(
      'net',
      '1',
      paths.map((path) => ({ path, plain: blob, stored: blob })),
    );
    return () => parseManifest(manifest, 'manifest');
  };
  it.each([
    '../x',
    '/etc/passwd',
    'a/../../x',
    'a//b',
    './a',
    'a\\b',
    'C:/x',
    'a:b',
    'con',
    'a/NUL.txt',
    'x.',
    'x ',
    'a\0b',
    '',
    'a\nb',
    'x'.repeat(1025),
    'a/',
    'x\ud800',
  ])('with the path %j is refused', async (path) => {
    expect(await manifestFor([path])).toThrow();
  });
  it('with two files at one place is refused, on systems that fold names too', async () => {
    for (const paths of [
      ['a', 'a'],
      ['Model.onnx', 'model.onnx'],
      ['\u00e9', 'e\u0301'],
      ['a', 'a/b'],
      ['a/b', 'A'],
    ])
      expect(await manifestFor(paths)).toThrow();
    expect(await manifestFor(['a/b', 'a/c', 'b'])).not.toThrow();
  });
  it('is not believed when its files do not lead to the digest that was signed', async () => {
    test = await testRegistry();
    const { version } = await test.push('1', { a: 'x', b: 'y' });
    const { formatManifest } = await import('./model-manifest.ts');
    const { filesOf } = await import('./pull.ts');
    const evil = blobOf(Buffer.from('evil'));
    const { manifest } = formatManifest('net', '1', [{ path: 'a', plain: evil, stored: evil }]);
    await test.blobs.putManifest(manifest);
    const swapped = { ...version, manifest: blobOf(manifest).digest, manifestSize: manifest.length };
    expect(await code(filesOf(test.blobs, swapped))).toBe('registry/damaged');
  });
});

describe('hostile storage', () => {
  it('cannot make a reader follow links or read other bytes', async () => {
    test = await testRegistry();
    await test.push('1', { a: 'x' });
    const file = join(test.place.where, 'blobs/sha256', blobOf(Buffer.from('x')).digest.slice(7));
    await rm(file);
    await symlink('/etc/hostname', file);
    expect(await code(pulled('1'))).toBe('registry/damaged');
  });
});

describe('encryption at rest', () => {
  const key = localKey(Buffer.alloc(32, 1));
  const sealedPush = async (files: Readonly<Record<string, string>>, version = '1') => {
    const path = join(test.folder, `sealed-${version}`);
    await mkdir(path, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    return push(await test.open(), test.blobs, {
      model: 'net',
      version,
      path,
      evidence: [],
      keeper: test.keeper,
      keys: test.people.paul!,
      wrappingKey: key,
    });
  };

  it('stores no plain byte, gives the same digest, and needs the key to read', async () => {
    test = await testRegistry({ encrypted: true });
    expect(await code(test.push('1', { a: 'secret weights' }))).toBe('registry/refused');
    const { version } = await sealedPush({ a: 'secret weights', b: '' });
    const registry = await test.open();
    for (const name of await readdir(join(test.place.where, 'blobs/sha256')))
      expect(await readFile(join(test.place.where, 'blobs/sha256', name), 'latin1')).not.toContain(
        'secret weights',
      );
    const out = join(test.folder, 'out');
    expect(await code(pull(registry, test.blobs, version, out))).toBe('vault/key');
    await pull(registry, test.blobs, version, out, { key });
    expect(await readFile(join(out, 'a'), 'utf8')).toBe('secret weights');
    expect((await verifyRegistry(registry, test.blobs, { deep: true })).every(({ ok }) => ok)).toBe(true);
    expect(
      (await verifyRegistry(registry, test.blobs, { deep: true, key })).find(({ what }) =>
        what.startsWith('version'),
      )?.detail,
    ).toContain('2 opened');
  });

  it('seals equal files once, so that a push goes on where it was cut off', async () => {
    test = await testRegistry();
    await sealedPush({ a: 'weights' });
    const before = await readdir(join(test.place.where, 'blobs/sha256'));
    await sealedPush({ a: 'weights' }, '2');
    expect((await readdir(join(test.place.where, 'blobs/sha256'))).length).toBe(before.length + 2);
  });

  it('rotates the wrapping key without touching a blob', async () => {
    test = await testRegistry();
    const { version } = await sealedPush({ a: 'weights' });
    const before = await readdir(join(test.place.where, 'blobs/sha256'));
    const { filesOf } = await import('./pull.ts');
    const next = localKey(Buffer.alloc(32, 2));
    for (const entry of await filesOf(test.blobs, version))
      await rotate(test.place.records, key, next, entry);
    expect(await readdir(join(test.place.where, 'blobs/sha256'))).toEqual(before);
    const registry = await test.open();
    expect(await code(pull(registry, test.blobs, version, join(test.folder, 'o'), { key }))).toBe(
      'vault/key',
    );
    await pull(registry, test.blobs, version, join(test.folder, 'o'), { key: next });
  });

  it('notices a changed blob and a record that was exchanged', async () => {
    test = await testRegistry();
    const { version } = await sealedPush({ a: 'weights', b: 'others' });
    const { filesOf } = await import('./pull.ts');
    const entries = await filesOf(test.blobs, version);
    const record = ({ stored }: (typeof entries)[number]) =>
      join(test.place.where, 'keys/sealed', `${stored.digest.slice(7)}.json`);
    await cp(record(entries[0]!), record(entries[1]!));
    expect(await failed()).toEqual(['version net@1']);
  });
});

it('keys of people are read back as they were written', async () => {
  test = await testRegistry();
  const { publicKeyFromText } = await import('./party-key.ts');
  for (const keys of Object.values(test.people))
    for (const key of keys)
      expect(publicKeyText(publicKeyFromText(publicKeyText(key), 'x'))).toBe(publicKeyText(key));
});
