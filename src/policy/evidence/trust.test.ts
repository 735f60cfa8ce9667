import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../../supply/sign/bundle.ts';
import { issue } from '../../supply/sign/certificate.fixture.ts';
import { certificateSigner } from '../../supply/sign/certificate-method.ts';
import { fingerprintOf } from '../../supply/sign/ec-key.ts';
import { keySigner } from '../../supply/sign/key-method.ts';
import { signPostQuantum } from '../../supply/sign/post-quantum.ts';
import { checkBundle, type EnvelopeTrust, joinTrust, trustFrom } from './trust.ts';

const payload = Buffer.from('{}');
const bundled = (made: object) => parseBundle(Buffer.from(JSON.stringify(made)));
const pem = (key: { export(how: { type: 'spki'; format: 'pem' }): string | Buffer }) =>
  Buffer.from(key.export({ type: 'spki', format: 'pem' }));
const trusting = (...files: readonly Uint8Array[]): EnvelopeTrust => ({
  ...joinTrust(files.map((file, i) => trustFrom(file, `file ${i}`))),
  identities: [],
  at: new Date('2026-11-21T00:00:00Z'),
});
const reasonOf = async (...[bundle, trust]: Parameters<typeof checkBundle>) => {
  const check = await checkBundle(bundle, trust);
  return check.verified ? 'verified' : check.reason;
};

describe('a key', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const quantum = generateKeyPairSync('ml-dsa-65');
  const fingerprint = `sha256:${fingerprintOf(quantum.publicKey)}`;

  it('is found among several, and a post-quantum one is known as such', async () => {
    const both = trusting(pem(ec.publicKey), pem(quantum.publicKey));
    expect(await checkBundle(bundled(await keySigner(ec.privateKey).sign(payload)), both)).toEqual({
      verified: true,
      by: { method: 'key', key: `sha256:${fingerprintOf(ec.publicKey)}`, postQuantum: false },
    });
    expect(await checkBundle(bundled(signPostQuantum(quantum.privateKey, payload)), both)).toEqual({
      verified: true,
      by: { method: 'key', key: fingerprint, postQuantum: true },
    });
  });

  it('of another kind, or a signature of other bytes, does not do', async () => {
    const signed = signPostQuantum(quantum.privateKey, payload) as { dsseEnvelope: { payload: string } };
    expect(await reasonOf(bundled(signed), trusting(pem(ec.publicKey)))).toMatch(/names another key/);
    signed.dsseEnvelope.payload = Buffer.from('[]').toString('base64');
    expect(await reasonOf(bundled(signed), trusting(pem(quantum.publicKey)))).toMatch(/does not fit/);
  });

  it('that is private, or no key, is refused as trust', () => {
    const secret = Buffer.from(quantum.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(() => trustFrom(secret, 'k')).toThrow(expect.objectContaining({ code: 'key/unusable' }));
    expect(() => trustFrom(Buffer.from('hello'), 'k')).toThrow(
      expect.objectContaining({ code: 'key/unusable' }),
    );
  });
});

describe('a certificate', () => {
  const root = issue({ name: 'root', authority: true, keyUsage: 0x04 });
  const other = issue({ name: 'other', authority: true, keyUsage: 0x04 });
  const leaf = issue({ name: 'signer', issuer: root, keyUsage: 0x80 });
  const signer = certificateSigner(leaf.key, leaf.certificate, []);
  const digest = `sha256:${root.certificate.x509.fingerprint256.replaceAll(':', '').toLowerCase()}`;

  it('is named by the root that it leads to, whatever other roots are known', async () => {
    const bundle = bundled(await signer.sign(payload));
    for (const files of [[root.pem, other.pem], [other.pem, root.pem], [`${other.pem}\n${root.pem}`]])
      expect(await checkBundle(bundle, trusting(...files.map((file) => Buffer.from(file))))).toMatchObject({
        verified: true,
        by: { method: 'certificate', root: digest },
      });
    expect(await reasonOf(bundle, trusting(Buffer.from(other.pem)))).toMatch(/not trusted/);
    expect(await reasonOf(bundle, trusting())).toMatch(/no root certificate is known/);
  });

  it('must be valid at the time', async () => {
    const late = { ...trusting(Buffer.from(root.pem)), at: new Date('2100-01-01T00:00:00Z') };
    expect(await reasonOf(bundled(await signer.sign(payload)), late)).toMatch(/expired/);
  });
});

describe('a Sigstore identity', () => {
  const vector = (name: string) =>
    readFileSync(join(import.meta.dirname, '../../../test/vectors/sigstore', name));
  const bundle = parseBundle(vector('model.sig'));
  const identity = { identity: 'signer@example.org', issuer: 'https://issuer.example.org' };
  const trust = trusting(vector('trusted-root.json'));

  it('counts when the policy names it and its issuer, under a trusted root', async () => {
    const other = { ...identity, identity: 'other@example.org' };
    expect(await checkBundle(bundle, { ...trust, identities: [other, identity] })).toEqual({
      verified: true,
      by: { method: 'sigstore', identities: ['signer@example.org'], issuer: 'https://issuer.example.org' },
    });
    expect(await reasonOf(bundle, { ...trust, identities: [other] })).toMatch(
      /signed by signer@example\.org/,
    );
    expect(await reasonOf(bundle, trust)).toMatch(/names no identity/);
    expect(await reasonOf(bundle, { ...trust, sigstoreRoots: [], identities: [identity] })).toMatch(
      /no trusted root/,
    );
    const broken = { ...trust, sigstoreRoots: [Buffer.from('{}')], identities: [identity] };
    expect(await reasonOf(bundle, broken)).toMatch(/trusted root/);
  });
});
