import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { openDigestCache } from './digest-cache.ts';
import { hashSteps } from './hash-piece.ts';
import { hashPieces } from './hash-pieces.ts';
import { hasherMaker } from './hash-type.ts';
import { ignorePathFrom } from './ignored.ts';
import { rootDigest } from './manifest.ts';
import { folderWith } from './model-folder.fixture.ts';
import { readManifest } from './read-manifest.ts';
import { byCodePoints, nameProblem, parseShardName } from './resource-name.ts';
import { walkModel } from './walk.ts';

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const names = async (path: string, options = {}) =>
  (await readManifest(path, options)).manifest.resources.map(({ name }) => name);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: GlacisError) => error.code,
  );

describe('a manifest', () => {
  it('holds each file with its digest, and a root digest over the raw digests', async () => {
    const folder = folderWith({ b: 'two', 'a/c': 'three', empty: '' });
    const { manifest, bytes } = await readManifest(folder);
    expect(manifest.resources).toEqual([
      { name: 'a/c', algorithm: 'sha256', digest: sha256('three') },
      { name: 'b', algorithm: 'sha256', digest: sha256('two') },
      { name: 'empty', algorithm: 'sha256', digest: sha256('') },
    ]);
    expect(bytes).toBe(8);
    const raw = Buffer.concat(manifest.resources.map(({ digest }) => Buffer.from(digest, 'hex')));
    expect(rootDigest(manifest.resources)).toBe(sha256(raw));
  });

  it('is sorted by code points and not by path steps', async () => {
    const folder = folderWith({ 'a/b': '', 'a-1': '', 'a.b': '', a0: '', '\u{1f600}': '', '\uffee': '' });
    expect(await names(folder)).toEqual(['a-1', 'a.b', 'a/b', 'a0', '\uffee', '\u{1f600}']);
    expect(byCodePoints('\uffee', '\u{1f600}')).toBeLessThan(0);
  });

  it('leaves out what git left at the root, exact paths, and nothing of the same name elsewhere', async () => {
    const folder = folderWith({
      '.git/config': '',
      '.gitignore': '',
      'sub/.git/config': '',
      'cache/x': '',
      'sub/cache/x': '',
      caches: '',
      m: '',
    });
    expect(await names(folder, { ignorePaths: ['cache'] })).toEqual([
      'caches',
      'm',
      'sub/.git/config',
      'sub/cache/x',
    ]);
    expect(await names(folder, { ignoreGitPaths: false })).toContain('.git/config');
  });

  it('names a model of one file "." as the published tools do, or by its name as the specification says', async () => {
    const path = join(folderWith({ 'm.onnx': 'x' }), 'm.onnx');
    expect(await names(path)).toEqual(['.']);
    expect(await names(path, { dialect: 'spec' })).toEqual(['m.onnx']);
  });

  it('cuts files into shards; an empty file has none, and a name may hold colons', async () => {
    const folder = folderWith({ 'a:b': '0123456789', none: '' });
    const { resources, serialization } = (await readManifest(folder, { shardSize: 4 })).manifest;
    expect(resources).toEqual([
      { name: 'a:b:0:4', algorithm: 'sha256-sharded-4', digest: sha256('0123') },
      { name: 'a:b:4:8', algorithm: 'sha256-sharded-4', digest: sha256('4567') },
      { name: 'a:b:8:10', algorithm: 'sha256-sharded-4', digest: sha256('89') },
    ]);
    expect(serialization).toMatchObject({ method: 'shards', shardSize: 4 });
    expect(parseShardName('a:b:4:8')).toEqual({ path: 'a:b', start: 4, end: 8 });
    for (const wrong of ['a', 'a:1', 'a:2:1', 'a:-1:2', ':1:2', 'a:0:99999999999999999'])
      expect(parseShardName(wrong)).toBeUndefined();
  });

  it('is refused for an empty model, and for one with nothing but ignored files', async () => {
    expect(await codeOf(readManifest(folderWith()))).toBe('manifest/refused');
    expect(await codeOf(readManifest(folderWith({ '.git/x': '' })))).toBe('manifest/refused');
  });

  it('is refused for names that are not UTF-8 and for pipes, and says which', async () => {
    const folder = folderWith({ a: '' });
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]), '');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(readManifest(folder)).rejects.toThrow(/bad\ufffd \(its name is not valid UTF-8\)/);
    await expect(readManifest(folder)).rejects.toThrow(/pipe \(it is neither a file nor a folder\)/);
  });

  it('cannot be made of what is not there', async () => {
    expect(await codeOf(readManifest(join(folderWith(), 'none')))).toBe('model/unreadable');
  });
});

describe('symbolic links', () => {
  it('are refused unless allowed, but not where they are ignored', async () => {
    const folder = folderWith({ a: 'x' });
    mkdirSync(join(folder, 'venv'));
    symlinkSync('/usr/bin/env', join(folder, 'venv/python'));
    expect(await names(folder, { ignorePaths: ['venv'] })).toEqual(['a']);
    await expect(readManifest(folder)).rejects.toThrow(/venv\/python \(it is a symbolic link/);
  });

  it('are hashed under their own name, with a warning for those that lead out', async () => {
    const outside = folderWith({ secret: 'out' });
    const folder = folderWith({ a: 'x', 'd/e': 'y' });
    symlinkSync('a', join(folder, 'link'));
    symlinkSync('d', join(folder, 'folder'));
    symlinkSync(join(outside, 'secret'), join(folder, 'out'));
    const { manifest, warnings } = await readManifest(folder, { allowSymlinks: true });
    expect(manifest.resources.map(({ name, digest }) => [name, digest])).toEqual([
      ['a', sha256('x')],
      ['d/e', sha256('y')],
      ['folder/e', sha256('y')],
      ['link', sha256('x')],
      ['out', sha256('out')],
    ]);
    expect(warnings).toEqual(['out: a link that leads out of the model']);
  });

  it('in a circle are noted and not followed', async () => {
    const folder = folderWith({ 'd/e': 'y' });
    symlinkSync('..', join(folder, 'd/up'));
    const { manifest, warnings } = await readManifest(folder, { allowSymlinks: true });
    expect(manifest.resources.map(({ name }) => name)).toEqual(['d/e']);
    expect(warnings).toEqual(['d/up: a link back to a folder above it; not followed']);
  });

  it('may lead to the model itself', async () => {
    const folder = folderWith({ 'real/a': 'x' });
    symlinkSync('real', join(folder, 'model'));
    expect(await names(join(folder, 'model'))).toEqual(['a']);
  });
});

describe('hashing', () => {
  it('gives the published digests of the empty input and of "abc"', async () => {
    const folder = folderWith({ a: 'abc' });
    const digest = async (hashType: 'sha256' | 'blake2b' | 'blake3', path: string) =>
      (await readManifest(path, { hashType })).manifest.resources[0]!.digest;
    expect(await digest('blake2b', folder)).toMatch(/^ba80a53f981c4d0d6a2797b69f12f6e9/); // RFC 7693, appendix A
    expect(await digest('blake3', folder)).toBe(
      '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
    );
    expect(await digest('blake3', folderWith({ none: '' }))).toBe(
      'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    );
  });

  it('in threads gives what hashing in one place gives, for every hash', async () => {
    const big = Buffer.alloc(17_000_011, randomBytes(4099));
    const folder = folderWith({ big, small: 'x', other: Buffer.alloc(300_000, 3) });
    for (const hashType of ['sha256', 'blake2b', 'blake3'] as const) {
      const { manifest } = await readManifest(folder, { hashType, threads: 2 });
      const make = await hasherMaker(hashType);
      const expected = ['big', 'other', 'small'].map((name) => {
        const hasher = make();
        hasher.update(readFileSync(join(folder, name)));
        return hasher.hex();
      });
      expect(manifest.resources.map(({ digest }) => digest)).toEqual(expected);
    }
  });

  it('notices a file that changed since it was listed, and one that changes while it is read', async () => {
    const folder = folderWith({ a: Buffer.alloc(600_000) });
    const { files } = await walkModel(folder, { ignored: () => false, allowSymlinks: false });
    const piece = { file: files[0]!, start: 0, end: 600_000 };
    const make = await hasherMaker('sha256');
    const steps = hashSteps(piece, make());
    steps.next();
    appendFileSync(join(folder, 'a'), 'more');
    expect(() => [...steps]).toThrow(expect.objectContaining({ code: 'manifest/changed' }));
    utimesSync(join(folder, 'a'), 1, 1);
    expect(await codeOf(hashPieces([piece], { type: 'sha256', threads: 1 }))).toBe('manifest/changed');
  });

  it('says which file cannot be read', async () => {
    const folder = folderWith({ a: 'x' });
    const { files } = await walkModel(folder, { ignored: () => false, allowSymlinks: false });
    rmSync(join(folder, 'a'));
    const hashing = hashPieces([{ file: files[0]!, start: 0, end: 1 }], { type: 'sha256', threads: 1 });
    await expect(hashing).rejects.toMatchObject({
      code: 'model/unreadable',
      message: expect.stringContaining(join(folder, 'a')),
    });
    symlinkSync('/etc/hostname', join(folder, 'a'));
    expect(
      await codeOf(hashPieces([{ file: files[0]!, start: 0, end: 1 }], { type: 'sha256', threads: 1 })),
    ).toBe('model/unreadable');
  });

  it('ends with the error of a thread, and when it is cancelled', async () => {
    const folder = folderWith({ a: Buffer.alloc(20_000_000), b: Buffer.alloc(20_000_000) });
    const { files } = await walkModel(folder, { ignored: () => false, allowSymlinks: false });
    const pieces = files.map((file) => ({ file, start: 0, end: 20_000_000 }));
    writeFileSync(join(folder, 'b'), 'short');
    expect(await codeOf(hashPieces(pieces, { type: 'sha256', threads: 2 }))).toBe('manifest/changed');
    for (const some of [pieces, pieces.slice(0, 1)]) {
      const controller = new AbortController();
      const under = hashPieces(some, { type: 'sha256', threads: 2, signal: controller.signal });
      controller.abort();
      expect(await codeOf(under)).toBe('run/cancelled');
    }
  });

  it('remembers digests of files that lie still, only where asked, and hashes again what changed', async () => {
    const folder = folderWith({ a: 'one' });
    const path = join(folderWith(), 'digests.json');
    const digestOf = async (now?: () => number) => {
      const { files } = await walkModel(folder, { ignored: () => false, allowSymlinks: false });
      const pieces = [{ file: files[0]!, start: 0, end: 3 }];
      return (await (await openDigestCache(path, now)).hash(pieces, { type: 'sha256', threads: 1 }))[0];
    };
    const later = () => Date.now() + 60_000;
    expect(await digestOf()).toBe(sha256('one'));
    expect(existsSync(path)).toBe(false);
    await digestOf(later);
    expect(statSync(path).mode & 0o077).toBe(0);
    writeFileSync(path, readFileSync(path, 'utf8').replace(sha256('one'), sha256('remembered')));
    expect(await digestOf()).toBe(sha256('remembered'));
    writeFileSync(join(folder, 'a'), 'eno');
    expect(await digestOf(later)).toBe(sha256('eno'));
    for (const other of [
      '{"schema":"glacis.digest-cache/1","digests":{"x":"not hex"}}',
      '{"schema":"glacis.digest-cache/2","digests":{}}',
      '{"schema":"glacis.digest-cache/1","digests":null}',
      '{"schema":"glacis.digest-cache/1","digests":7}',
      'null',
    ]) {
      writeFileSync(path, other);
      expect(await codeOf(readManifest(folder, { digestCache: path }))).toBe('data/unreadable');
    }
  });
});

it('a hash that was interrupted goes on with what its cache remembers', async () => {
  const folder = folderWith({ a: Buffer.alloc(7_000_000, 1), b: Buffer.alloc(7_000_000, 2) });
  const path = join(folderWith(), 'digests.json');
  const later = () => Date.now() + 60_000;
  const hash = async (signal?: AbortSignal, progress?: () => void) => {
    const { files } = await walkModel(folder, { ignored: () => false, allowSymlinks: false });
    const pieces = files.map((file) => ({ file, start: 0, end: 7_000_000 }));
    return (await openDigestCache(path, later)).hash(pieces, {
      type: 'sha256',
      threads: 1,
      signal,
      progress,
    });
  };
  const controller = new AbortController();
  let reports = 0;
  // Reports come every 4 MiB, so the second comes in the second file.
  expect(await codeOf(hash(controller.signal, () => void (++reports > 1 && controller.abort())))).toBe(
    'run/cancelled',
  );
  const kept = Object.values((JSON.parse(readFileSync(path, 'utf8')) as { digests: object }).digests);
  expect(kept).toHaveLength(1);
  const whole = await hash();
  expect(whole).toContain(kept[0]);
  expect(whole.toSorted()).toEqual([1, 2].map((value) => sha256(Buffer.alloc(7_000_000, value))).toSorted());
});

describe('names', () => {
  it('that lead out or are not in their shortest form are refused', () => {
    for (const wrong of ['', '/a', '../a', 'a/../b', './a', 'a//b', 'a/', 'C:/a', 'a\0b', '\ud800'])
      expect(nameProblem(wrong), wrong).toBeDefined();
    for (const good of ['a', 'a/b', '..a', 'a..', 'a:b', ' '])
      expect(nameProblem(good), good).toBeUndefined();
  });

  it('to ignore may be given from the working folder or from the model, without wildcards', async () => {
    const folder = folderWith({ 'cache/x': '' });
    expect(await ignorePathFrom(folder, join(folder, 'cache'))).toBe('cache');
    expect(await ignorePathFrom(folder, './cache/')).toBe('cache');
    expect(await ignorePathFrom('.', 'src/cli')).toBe('src/cli');
    for (const wrong of ['*.bin', '/etc', '../x', '.']) {
      const error = await ignorePathFrom(folder, wrong).catch((thrown: unknown) => thrown);
      expect(error, wrong).toBeInstanceOf(GlacisError);
    }
  });
});
