import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Bundle, parseBundle } from '../bundle.ts';
import { folderWith, write } from '../model-folder.fixture.ts';
import { verifyModel } from '../verify-model.ts';
import { type SigstoreTrust, sigstoreCheck } from './check.ts';

const VECTORS = join(import.meta.dirname, '../../../../test/vectors');
const at = (name: string) => readFileSync(join(VECTORS, name));
const trustedRoot = at('sigstore/trusted-root.json');
const TRUST: SigstoreTrust = {
  trustedRoot,
  identity: 'signer@example.org',
  identityProvider: 'https://issuer.example.org',
};
type Json = ReturnType<typeof JSON.parse>;
const read = (): Json => JSON.parse(at('sigstore/model.sig').toString());
const bundleOf = (json: Json) => parseBundle(Buffer.from(JSON.stringify(json)));
const check = async (bundle: Bundle, trust: Partial<SigstoreTrust> = {}) =>
  (await sigstoreCheck({ ...TRUST, ...trust }))(bundle);
const reason = async (bundle: Bundle, trust: Partial<SigstoreTrust> = {}) => {
  const result = await check(bundle, trust);
  return result.fits ? 'fits' : result.reason;
};
const changedRoot = (change: (root: Json) => void) => {
  const root: Json = JSON.parse(trustedRoot.toString());
  change(root);
  return { trustedRoot: Buffer.from(JSON.stringify(root)) };
};

describe('a signature with Sigstore', () => {
  it('verifies without network, with identity, provider and the time in the log', async () => {
    const model = folderWith({ 'weights.bin': 'weights\n' });
    const verify = await sigstoreCheck(TRUST);
    expect(await verifyModel(model, bundleOf(read()), verify)).toMatchObject({
      verdict: 'verified',
      signedBy: {
        method: 'sigstore',
        identity: 'signer@example.org',
        identityProvider: 'https://issuer.example.org',
        signedAt: expect.stringMatching(/^2026-/),
      },
    });
    write(model, { 'weights.bin': 'other\n' });
    expect(await verifyModel(model, bundleOf(read()), verify)).toMatchObject({ verdict: 'refused' });
  });

  it('takes the trusted root out of a client configuration, too', async () => {
    const trust = Buffer.from(
      JSON.stringify({ trustedRoot: JSON.parse(trustedRoot.toString()), signingConfig: {} }),
    );
    expect(await reason(bundleOf(read()), { trustedRoot: trust })).toBe('fits');
  });

  it('is refused for another identity or provider, and neither is a pattern', async () => {
    expect(await reason(bundleOf(read()), { identity: 'other@example.org' })).toMatch(
      /signed by signer@example.org/,
    );
    expect(await reason(bundleOf(read()), { identity: '.*' })).toMatch(/not by \.\*/);
    expect(await reason(bundleOf(read()), { identity: 'signer@example' })).toMatch(/not by/);
    expect(await reason(bundleOf(read()), { identityProvider: 'https://other.example.org' })).toMatch(
      /vouched/,
    );
  });

  it('is refused when authority, certificate log or transparency log are not trusted', async () => {
    for (const part of ['certificateAuthorities', 'ctlogs', 'tlogs'] as const)
      expect(
        await reason(
          bundleOf(read()),
          changedRoot((root) => (root[part] = [])),
        ),
        part,
      ).toMatch(/proof does not hold/);
  });

  it('is refused without an entry in the log, or with one that was bent', async () => {
    const none = read();
    none.verificationMaterial.tlogEntries = [];
    expect(await reason(bundleOf(none))).toMatch(/proof does not hold/);
    for (const field of ['integratedTime', 'canonicalizedBody', 'inclusionPromise'] as const) {
      const bent = read();
      const [entry] = bent.verificationMaterial.tlogEntries;
      if (field === 'integratedTime') entry.integratedTime = String(Number(entry.integratedTime) + 60);
      else if (field === 'canonicalizedBody') entry.canonicalizedBody = Buffer.from('{}').toString('base64');
      else entry.inclusionPromise.signedEntryTimestamp = Buffer.from('x').toString('base64');
      expect(await reason(bundleOf(bent)), field).toMatch(/proof does not hold/);
    }
  });

  it('is refused when the statement or the signature was bent, or the method is another', async () => {
    const bent = read();
    bent.dsseEnvelope.payload = Buffer.from('{}').toString('base64');
    expect(await reason(bundleOf(bent))).toMatch(/proof does not hold/);
    expect(await reason(parseBundle(at('signing/v1.1.1-key.sig')))).toBe(
      'it was signed with a key, not with Sigstore',
    );
    expect(await reason(parseBundle(at('signing/v1.1.1-certificate.sig')))).toMatch(
      /signed with a certificate/,
    );
  });

  it('needs a trusted root that can be read', async () => {
    for (const wrong of ['', '{}', '[]', '{"certificateAuthorities":[1]}'])
      await expect(check(bundleOf(read()), { trustedRoot: Buffer.from(wrong) })).rejects.toMatchObject({
        code: 'key/unusable',
      });
  });
});
