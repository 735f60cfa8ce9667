import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBundle } from './bundle.ts';
import { type CertificateSpec, type Issued, issue } from './certificate.fixture.ts';
import { readCertificate, readCertificates } from './certificate.ts';
import { certificateSigner, checkCertificateSignature } from './certificate-method.ts';
import { derElements } from './der.ts';
import { keySigner } from './key-method.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const payload = Buffer.from('{}');
const AUTHORITY = { authority: true, keyUsage: 0x04 } as const;
const root = issue({ name: 'root', ...AUTHORITY });

/** Signs with `leaf`, sends `chain` along, and says whether `trusted` is enough at `at`. */
async function check(
  leaf: Issued,
  chain: readonly Issued[],
  { trusted = [root], at = NOW }: { trusted?: readonly Issued[]; at?: Date } = {},
) {
  const signer = certificateSigner(
    leaf.key,
    leaf.certificate,
    chain.map(({ certificate }) => certificate),
  );
  const bundle = parseBundle(Buffer.from(JSON.stringify(await signer.sign(payload))));
  const result = checkCertificateSignature(bundle, {
    trusted: trusted.map(({ certificate }) => certificate),
    at,
  });
  return result.fits ? 'fits' : result.reason;
}

const leafOf = (issuer: Issued, spec: Partial<CertificateSpec> = {}) =>
  issue({ name: 'leaf', issuer, keyUsage: 0x80, ...spec });
const middleOf = (spec: Partial<CertificateSpec> = {}) =>
  issue({ name: 'middle', issuer: root, ...AUTHORITY, ...spec });

describe('a signature with a certificate', () => {
  it('fits when the certificate leads to a trusted root, directly or through others', async () => {
    const middle = middleOf();
    expect(await check(leafOf(root), [])).toBe('fits');
    expect(await check(leafOf(middle), [middle])).toBe('fits');
    expect(await check(leafOf(middle, { keyUsage: 0, codeSigning: true }), [middle])).toBe('fits');
    expect(await check(leafOf(root, { curve: 'P-521' }), [])).toBe('fits');
  });

  it('fits when the verifier has the intermediate, or trusts the signing certificate itself', async () => {
    const middle = middleOf();
    expect(await check(leafOf(middle), [], { trusted: [root, middle] })).toBe('fits');
    const own = issue({ name: 'own', keyUsage: 0x80 });
    expect(await check(own, [], { trusted: [own] })).toBe('fits');
  });

  it('is refused without a path to a trusted root, even when the signature brings a root along', async () => {
    const other = issue({ name: 'other root', ...AUTHORITY });
    expect(await check(leafOf(other), [other])).toMatch(/no trusted root signed it/);
    expect(await check(leafOf(middleOf()), [])).toMatch(/no trusted root signed it/);
  });

  it('is refused when the issuer has the right name and the wrong key', async () => {
    const twin = issue({ name: 'root', ...AUTHORITY });
    expect(await check(leafOf(twin), [])).toMatch(/its signature is not that of CN=root/);
  });

  it('is refused after the end and before the start of any validity, and --at judges at another time', async () => {
    const old = leafOf(root, { to: '2026-06-01T00:00:00' });
    expect(await check(old, [])).toMatch(/expired on 2026-06-01T00:00:00.000Z.*--at/);
    expect(await check(old, [], { at: new Date('2026-05-01') })).toBe('fits');
    const middle = middleOf({ to: '2026-06-01T00:00:00' });
    expect(await check(leafOf(middle), [middle])).toMatch(/CN=middle: it expired/);
    // A clock that was set back.
    expect(await check(leafOf(root), [], { at: new Date('2020-01-01') })).toMatch(/not valid before.*clock/);
  });

  it('is refused below what is no authority, may not sign certificates, or allows no more below it', async () => {
    const notCa = middleOf({ authority: false });
    expect(await check(leafOf(notCa), [notCa])).toMatch(/CN=middle: it is no authority/);
    const noSign = middleOf({ keyUsage: 0x80 });
    expect(await check(leafOf(noSign), [noSign])).toMatch(/may not sign certificates/);
    const short = middleOf({ pathLength: 0 });
    const second = issue({ name: 'second', issuer: short, ...AUTHORITY });
    expect(await check(leafOf(second), [second, short])).toMatch(
      /allows 0 authorities below it, and there are 1/,
    );
    expect(await check(leafOf(short), [short])).toBe('fits');
  });

  it('is refused with extensions that nobody judged, and with name constraints', async () => {
    expect(await check(leafOf(root, { critical: [0x2a, 3, 4] }), [])).toMatch(/not judged here: 1\.2\.3\.4/);
    const constrained = middleOf({ critical: [0x55, 0x1d, 30] });
    expect(await check(leafOf(constrained), [constrained])).toMatch(/not judged here: 2\.5\.29\.30/);
  });

  it('is refused when a certificate is signed with a broken hash', async () => {
    expect(await check(leafOf(root, { hash: 'sha1' }), [])).toMatch(/broken hash/);
  });

  it('is refused when it was made with a key method, or the leaf is not for signing', async () => {
    const bundle = parseBundle(Buffer.from(JSON.stringify(await keySigner(root.key).sign(payload))));
    expect(checkCertificateSignature(bundle, { trusted: [root.certificate], at: NOW })).toEqual({
      fits: false,
      reason: 'it was signed with a key, not with a certificate',
    });
    await expect(check(leafOf(root, { keyUsage: 0x20 }), [])).rejects.toThrow(/for digital signatures/);
    const usable = leafOf(root);
    const json = await certificateSigner(usable.key, usable.certificate, []).sign(payload);
    const swapped = JSON.parse(JSON.stringify(json));
    swapped.verificationMaterial.x509CertificateChain.certificates[0].rawBytes = leafOf(root, {
      keyUsage: 0x20,
    }).certificate.x509.raw.toString('base64');
    const refused = checkCertificateSignature(parseBundle(Buffer.from(JSON.stringify(swapped))), {
      trusted: [root.certificate],
      at: NOW,
    });
    expect(refused).toMatchObject({ fits: false, reason: expect.stringMatching(/for digital signatures/) });
  });

  it('is refused when another certificate of the same root stands in for the signer’s', async () => {
    const leaf = leafOf(root);
    const swapped = JSON.parse(
      JSON.stringify(await certificateSigner(leaf.key, leaf.certificate, []).sign(payload)),
    );
    swapped.verificationMaterial.x509CertificateChain.certificates[0].rawBytes =
      leafOf(root).certificate.x509.raw.toString('base64');
    const bundle = parseBundle(Buffer.from(JSON.stringify(swapped)));
    expect(checkCertificateSignature(bundle, { trusted: [root.certificate], at: NOW })).toEqual({
      fits: false,
      reason: 'the signature does not fit the statement under its certificate',
    });
  });

  it('stops at a bounded number of checks, however many paths the chain has', async () => {
    // Ten certificates of one key, each signed by it, make 10! paths of which none leads to a root.
    const first = issue({ name: 'a', ...AUTHORITY });
    const others = Array.from({ length: 9 }, () => issue({ name: 'a', sameKeyAs: first, ...AUTHORITY }));
    expect(await check(leafOf(first), [first, ...others])).toMatch(/more than 64 signatures to check/);
  });
});

describe('wrong keys and certificates', () => {
  it('of another pair, another kind or no root at all are errors', async () => {
    const other = leafOf(root);
    expect(() => certificateSigner(root.key, other.certificate, [])).toThrow(/one of another key/);
    await expect(check(leafOf(root), [], { trusted: [other] })).rejects.toThrow(/a root .* got none/);
    const sameName = issue({ name: 'x', issuer: { ...root, name: 'x' }, ...AUTHORITY });
    await expect(check(leafOf(root), [], { trusted: [sameName] })).rejects.toThrow(/a root .* got none/);
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(() => certificateSigner(privateKey, other.certificate, [])).toThrow(
      expect.objectContaining({ code: 'key/unusable' }),
    );
    expect(() => readCertificates(Buffer.from('nothing'), 'x')).toThrow(/got none/);
    expect(readCertificates(Buffer.from(root.pem + other.pem), 'x').length).toBe(2);
  });

  it('of any bytes are read or refused, and never throw anything else', () => {
    const der = Buffer.from(root.certificate.x509.raw);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, value) => {
        const bent = Buffer.from(der);
        bent[at] = value;
        try {
          readCertificate(bent, 'x');
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'key/unusable' });
        }
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void derElements(bytes)));
  });
});
