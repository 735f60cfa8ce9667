import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../supply/sign/ec-key.ts';
import { keySigner } from '../../supply/sign/key-method.ts';
import { signModel } from '../../supply/sign/sign-model.ts';
import { alternativeNames } from './certificate-names.ts';
import { openEvidence } from './open-evidence.ts';
import { MODEL_SIGNATURE } from './statement.ts';
import { type EnvelopeTrust, joinTrust, trustFrom } from './trust.ts';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const [ann, bob] = [pair(), pair()];
const material = trustFrom(Buffer.from(ann.publicKey.export({ type: 'spki', format: 'pem' })), 'ann.pub');
const trust: EnvelopeTrust = { ...material, identities: [], at: new Date('2026-11-21T00:00:00Z') };
let folder: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-evidence-'));
  model = join(folder, 'net');
  await mkdir(model);
  await writeFile(join(model, 'a.bin'), 'weights');
  await writeFile(join(model, 'b.bin'), 'more weights');
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with a statement, signed by `who`. */
async function signed(name: string, who: typeof ann, statement: unknown): Promise<string> {
  const file = join(folder, name);
  const bundle = await keySigner(who.privateKey).sign(Buffer.from(JSON.stringify(statement)));
  await writeFile(file, JSON.stringify(bundle));
  return file;
}
const about = (sha256: string) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'net', digest: { sha256 } }],
  predicateType: 'https://example.com/x',
  predicate: { a: 1 },
});
const opened = (paths: readonly string[], given = trust) => openEvidence(model, { paths, trust: given });

describe('evidence', () => {
  it('is a statement of who signed it, with the digests that it is about', async () => {
    const { statements } = await opened([await signed('s.json', ann, about('AB'.repeat(32)))]);
    expect(statements).toMatchObject([
      {
        file: join(folder, 's.json'),
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        check: { verified: true, by: { method: 'key', key: `sha256:${fingerprintOf(ann.publicKey)}` } },
        subjects: [`sha256:${'ab'.repeat(32)}`],
        predicateType: 'https://example.com/x',
        predicate: { a: 1 },
      },
    ]);
  });

  it('that is no file is none, and nobody waits for it', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { statements } = await opened([pipe]);
    expect(statements).toMatchObject([{ file: pipe, check: { verified: false } }]);
    await rm(pipe);
  });

  it('is believed again only as long as its key is, and as long as it is the same to the last byte', async () => {
    const file = await signed('again.json', ann, about('ab'.repeat(32)));
    const check = async (given = trust) => (await opened([file], given)).statements[0]!.check.verified;
    expect([await check(), await check()]).toEqual([true, true]);
    expect(await check({ ...trust, keys: [] })).toBe(false);
    expect(await check({ ...trust, keys: [bob.publicKey] })).toBe(false);
    expect(await check({ ...trust, keys: [bob.publicKey, ...trust.keys] })).toBe(true);
    const bundle = JSON.parse(await readFile(file, 'utf8'));
    bundle.dsseEnvelope.payload = Buffer.from(JSON.stringify(about('cd'.repeat(32)))).toString('base64');
    await writeFile(file, JSON.stringify(bundle));
    expect([await check(), await check()]).toEqual([false, false]);
  });

  it('of a key that is not known shows nothing of what it says', async () => {
    const file = await signed('b.json', bob, about('ab'.repeat(32)));
    expect((await opened([file])).statements).toMatchObject([
      {
        check: { verified: false, reason: expect.stringMatching(/another key/) },
        subjects: [],
        predicateType: '',
      },
    ]);
    const none = await opened([file], { ...trust, ...joinTrust([]) });
    expect(none.statements[0]!.check).toMatchObject({
      verified: false,
      reason: expect.stringMatching(/none of 0/),
    });
  });

  it('that was changed after it was signed is refused', async () => {
    const bundle = (await keySigner(ann.privateKey).sign(
      Buffer.from(JSON.stringify(about('ab'.repeat(32)))),
    )) as {
      dsseEnvelope: { payload: string };
    };
    bundle.dsseEnvelope.payload = Buffer.from(JSON.stringify(about('cd'.repeat(32)))).toString('base64');
    const file = join(folder, 'changed.json');
    await writeFile(file, JSON.stringify(bundle));
    expect((await opened([file])).statements[0]!.check.verified).toBe(false);
  });

  it.each([
    ['no bundle', '{"hello": 1}', /mediaType/],
    ['no JSON', 'PK', /JSON/],
    ['empty', '', /JSON/],
  ])('that is %s is seen and does not count', async (name, text, reason) => {
    const file = join(folder, `${name}.txt`);
    await writeFile(file, text);
    expect((await opened([file])).statements).toMatchObject([
      { check: { verified: false, reason: expect.stringMatching(reason) }, subjects: [] },
    ]);
  });

  it.each([
    ['another type', { ...about('ab'.repeat(32)), _type: 'https://in-toto.io/Statement/v2' }],
    ['no list of subjects', { ...about('ab'.repeat(32)), subject: {} }],
    ['no object', 'text'],
  ])('whose signed content has %s does not count', async (name, content) => {
    const { statements } = await opened([await signed(`${name}.json`, ann, content)]);
    expect(statements[0]!.check).toMatchObject({ verified: false, reason: expect.stringMatching(/in-toto/) });
  });

  it('is taken from every file of a folder, and a path that is not there is an error', async () => {
    const inside = join(folder, 'many');
    await mkdir(inside);
    await writeFile(join(inside, '1'), '');
    await writeFile(join(inside, '2'), '');
    expect((await opened([inside])).statements).toHaveLength(2);
    await expect(opened([join(folder, 'nowhere')])).rejects.toMatchObject({ code: 'option/invalid' });
  });
});

describe("a model's own signature", () => {
  const sign = async (path: string, name: string, options = {}) => {
    const { bundle, digest } = await signModel(path, keySigner(ann.privateKey), options);
    const file = join(folder, name);
    await writeFile(file, bundle);
    return { file, digest };
  };

  it('counts when the files are those that were signed, however they were hashed', async () => {
    for (const options of [{}, { hashType: 'blake2b' }, { shardSize: 5 }] as const) {
      const { file, digest } = await sign(model, 'model.sig', options);
      const { statements, model: found } = await opened([file]);
      expect(statements).toMatchObject([
        { check: { verified: true }, predicateType: MODEL_SIGNATURE, subjects: [digest], filesMatch: true },
      ]);
      expect(found).toMatchObject({ name: 'net', roots: { length: 1 } });
    }
  });

  it('does not count when a file is another', async () => {
    const { file } = await sign(model, 'before.sig');
    await writeFile(join(model, 'a.bin'), 'WEIGHTS');
    const { statements, model: found } = await opened([file]);
    await writeFile(join(model, 'a.bin'), 'weights');
    expect(statements[0]!.check).toMatchObject({
      verified: false,
      reason: expect.stringMatching(/1 changed/),
    });
    expect(statements[0]).not.toHaveProperty('filesMatch');
    expect(found.roots).toHaveLength(1);
  });

  it('does not count when files have changed their names, which the root digest does not hold', async () => {
    const { file, digest } = await sign(model, 'names.sig');
    const { rename } = await import('node:fs/promises');
    await rename(join(model, 'b.bin'), join(model, 'c.bin'));
    const { statements, model: found } = await opened([file]);
    await rename(join(model, 'c.bin'), join(model, 'b.bin'));
    expect(found.roots).toEqual([digest]);
    expect(statements[0]!.check.verified).toBe(false);
  });

  it('does not count when a file that was not signed lies in the model, even where evidence is looked for', async () => {
    const { bundle } = await signModel(model, keySigner(ann.privateKey));
    await writeFile(join(model, 'model.sig'), bundle);
    await writeFile(join(model, 'evil.pkl'), 'code');
    const { statements, model: found } = await opened([model]);
    await rm(join(model, 'evil.pkl'));
    const clean = await opened([model]);
    await rm(join(model, 'model.sig'));
    const signatureIn = ({ statements: all }: typeof clean) => all.find(({ file }) => file.endsWith('.sig'))!;
    expect(statements.find(({ file }) => file.endsWith('.sig'))!.check).toMatchObject({
      verified: false,
      reason: expect.stringMatching(/1 not signed/),
    });
    expect(signatureIn(clean).check.verified).toBe(true);
    expect(found.files).toHaveLength(3);
  });

  it('may lie inside the model, and a model may be one file', async () => {
    const bundle = await signModel(model, keySigner(ann.privateKey), { ignorePaths: ['model.sig'] });
    await writeFile(join(model, 'model.sig'), bundle.bundle);
    const inside = await opened([join(model, 'model.sig')]);
    await rm(join(model, 'model.sig'));
    expect(inside.statements[0]!.check.verified).toBe(true);
    const { file, digest } = await sign(join(model, 'a.bin'), 'one.sig');
    const one = await openEvidence(join(model, 'a.bin'), {
      paths: [file],
      trust,
      name: 'n',
    });
    expect(one.statements).toMatchObject([{ check: { verified: true }, subjects: [digest] }]);
    expect(one.model.name).toBe('n');
  });
});

describe('names of a certificate', () => {
  it('are its DNS names, addresses and URIs', () => {
    expect(
      alternativeNames('DNS:a.example, email:ann@example.com, URI:https://ci/1, IP Address:127.0.0.1'),
    ).toEqual(['a.example', 'ann@example.com', 'https://ci/1']);
    expect(alternativeNames(undefined)).toEqual([]);
  });

  it('cannot be smuggled in with quotes', () => {
    expect(alternativeNames('URI:"x, email:admin@example.com, y", DNS:b')).toEqual(['b']);
    expect(alternativeNames('URI:"x\\", email:admin@example.com, "y", DNS:b')).not.toContain(
      'admin@example.com',
    );
    expect(alternativeNames('URI:"x, email:admin@example.com')).toEqual([]);
  });
});
