import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIndex } from '../registry/bundle/index-file.ts';
import { unpackBundle } from '../registry/bundle/read-bundle.ts';
import { parseTarHeader, TAR_END, tarHeader, tarPadding } from '../registry/bundle/tar.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { keySigner } from '../supply/sign/key-method.ts';
import { signModel } from '../supply/sign/sign-model.ts';
import { readArgs } from './args.ts';
import { command } from './bundle.ts';

let home = '';
let anchor = '';
const at = (name: string) => join(home, name);
const made: string[] = [];

async function run(...args: readonly string[]): Promise<{ readonly text: string; readonly exit: number }> {
  let text = '';
  const exit = await command.run({
    given: readArgs(args, command.options),
    args,
    signal: new AbortController().signal,
    terminal: {
      width: 100,
      print: (t) => (text += t),
      say: () => {},
      progress: () => {},
      clear: () => {},
      bold: (t) => t,
    },
  });
  return { text, exit };
}
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-bundle-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(at('ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await mkdir(at('net/deep'), { recursive: true });
  await writeFile(at('net/model.onnx'), 'weights');
  await writeFile(at('net/deep/labels.txt'), 'one two');
  await writeFile(at('net.sig'), (await signModel(at('net'), keySigner(privateKey))).bundle);
  await writeFile(
    at('glacis.yaml'),
    `schema: glacis.policy/1
signers: { ci: { key: 'sha256:${fingerprintOf(publicKey)}' } }
defaults: { signers: [ci], fresh: 30 days }
models: [{ name: net, stages: { production: [{ require: signature }] } }]
`,
  );
  anchor = (await make(at('net.bundle'))).split(' ')[0]!;
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function make(out: string, ...more: readonly string[]): Promise<string> {
  const evidence = more.includes('--evidence') ? [] : ['--evidence', at('net.sig')];
  const { text } = await run(
    'make',
    at('net'),
    '--policy',
    at('glacis.yaml'),
    '--trust',
    at('ci.pub'),
    '--out',
    out,
    ...evidence,
    ...more,
  );
  made.push(out);
  return text;
}

describe('glacis bundle', () => {
  it('packs a model that passes elsewhere, and unpacks it there', async () => {
    const out = at('unpacked');
    const { exit, text } = await run(
      'verify',
      at('net.bundle'),
      '--stage',
      'production',
      '--anchor',
      anchor,
      '--out',
      out,
    );
    expect(text).toContain('production');
    expect(exit).toBe(0);
    expect(await readFile(join(out, 'deep/labels.txt'), 'utf8')).toBe('one two');
    expect((await readdir(home)).filter((name) => name.startsWith('.glacis-bundle'))).toEqual([]);
  });

  it('is the same bytes for the same files, and an archive that tar can read', async () => {
    await make(at('again.bundle'));
    expect(await readFile(at('again.bundle'))).toEqual(await readFile(at('net.bundle')));
    const listed = execFileSync('tar', ['-tf', at('net.bundle')])
      .toString()
      .trim()
      .split('\n');
    expect(listed).toEqual([
      'glacis-bundle.json',
      'model/deep/labels.txt',
      'model/model.onnx',
      'evidence/net.sig',
      'policy/glacis.yaml',
      'trust/ci.pub',
    ]);
  });

  it('does not vouch for itself: without anchor or own policy and keys nothing is decided', async () => {
    const verify = ['verify', at('net.bundle'), '--stage', 'production'];
    expect(await code(run(...verify))).toBe('bundle/untrusted');
    expect(await code(run(...verify, '--policy', at('glacis.yaml')))).toBe('bundle/untrusted');
    expect(await code(run(...verify, '--anchor', `sha256:${'0'.repeat(64)}`))).toBe('bundle/untrusted');
    expect((await run(...verify, '--policy', at('glacis.yaml'), '--trust', at('ci.pub'))).exit).toBe(0);
  });

  it('of somebody with another key and a policy for it is not the one with this anchor', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(at('evil.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const evil = (await make(at('evil.bundle'), '--trust', at('evil.pub'))).split(' ')[0];
    expect(evil).not.toBe(anchor);
    expect(await code(run('verify', at('evil.bundle'), '--stage', 'production', '--anchor', anchor))).toBe(
      'bundle/untrusted',
    );
  });

  it('with another model is refused by the policy, and the model is not unpacked', async () => {
    await writeFile(at('net/model.onnx'), 'weights with a backdoor');
    await make(at('changed.bundle'));
    await writeFile(at('net/model.onnx'), 'weights');
    const out = at('never');
    const { exit } = await run(
      'verify',
      at('changed.bundle'),
      '--stage',
      'production',
      '--anchor',
      anchor,
      '--out',
      out,
    );
    expect(exit).toBe(1);
    expect(await readdir(home)).not.toContain('never');
  });

  it('is refused with any byte changed, cut off or added', async () => {
    const good = await readFile(at('net.bundle'));
    const tryOut = async (bytes: Uint8Array) => {
      await writeFile(at('bad.bundle'), bytes);
      const folder = await mkdtemp(join(home, 'un-'));
      return code(unpackBundle(at('bad.bundle'), folder));
    };
    expect(await tryOut(good)).toBe('nothing was thrown');
    expect(await tryOut(Buffer.concat([good, Buffer.alloc(512)]))).toBe('bundle/invalid');
    expect(await tryOut(good.subarray(0, -512))).toBe('bundle/invalid');
    expect(await tryOut(Buffer.alloc(0))).toBe('bundle/invalid');
    const renamed = Buffer.from(good);
    const place = renamed.indexOf('model/model.onnx', 512 + renamed.subarray(512).indexOf(0));
    renamed.set(tarHeader({ path: 'model/other.onnx', size: 7 }), place);
    expect(await tryOut(renamed)).toBe('bundle/invalid');
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (i, flip) => {
        const bytes = Buffer.from(good);
        bytes[i] = bytes[i]! ^ flip;
        // A change of the index that still is one (the model's name) is seen by the anchor or the policy.
        const index = i >= 512 && i < 512 + good.toString('latin1', 512).indexOf('\0');
        const got = await tryOut(bytes);
        expect(
          index
            ? ['bundle/invalid', 'registry/damaged', 'nothing was thrown', 'output/unwritable']
            : ['bundle/invalid', 'registry/damaged'],
        ).toContain(got);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the index of a bundle', () => {
  const file = (path: string, part = 'model') => ({
    part,
    path,
    size: 1,
    digest: `sha256:${'0'.repeat(64)}`,
  });
  const index = (...files: readonly object[]) =>
    Buffer.from(
      JSON.stringify({
        schema: 'glacis.bundle/1',
        name: 'n',
        single: false,
        files: [...files, file('policy/p', 'policy')],
      }),
    );
  it.each([
    [[file('model/../../x')]],
    [[file('/model/x')]],
    [[file('other/x')]],
    [[file('trust/x')]],
    [[file('model/a'), file('model/A')]],
    [[file('model/a'), file('model/a/b')]],
    [[file('model/con')]],
    [[file('model/a'), file('policy/q', 'policy')]],
    [[]],
  ])('with %j is refused', (files) => {
    expect(() => parseIndex(index(...files), 'x')).toThrow();
    expect(() => parseIndex(index(file('model/a'), file('trust/k', 'trust')), 'x')).not.toThrow();
  });
});

describe('headers of archives', () => {
  it('are read back as they were written, long paths and large files too', () => {
    for (const path of ['a', `${'d'.repeat(120)}/${'f'.repeat(90)}`, 'é'.repeat(50)])
      for (const size of [0, 511, 8 ** 11 - 1, 8 ** 11, 2 ** 50])
        expect(parseTarHeader(tarHeader({ path, size }), 'x')).toEqual({ path, size });
    const long = `${'d'.repeat(120)}/${'f'.repeat(90)}`;
    const listed = execFileSync('tar', ['-t'], {
      input: Buffer.concat([tarHeader({ path: long, size: 0 }), TAR_END]),
    });
    expect(listed.toString().trim()).toBe(long);
    expect(() => tarHeader({ path: 'x'.repeat(101), size: 0 })).toThrow('255 bytes');
    expect(parseTarHeader(TAR_END.subarray(0, 512), 'x')).toBeUndefined();
    expect([0, 1, 512, 513].map((n) => tarPadding(n).length)).toEqual([0, 511, 0, 511]);
  });
  it('of links, folders and devices are refused', () => {
    for (const type of ['1', '2', '3', '5', 'L', 'x']) {
      const header = Buffer.from(tarHeader({ path: 'a', size: 0 }));
      header.write(type, 156);
      expect(() => parseTarHeader(header, 'x')).toThrow('plain file');
    }
  });
});
