import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseBundle } from './bundle.ts';
import { issue } from './certificate.fixture.ts';
import { certificateSigner } from './certificate-method.ts';
import { checkKeySignature, keySigner } from './key-method.ts';
import { checkBoth, postQuantumKeyFrom, signPostQuantum } from './post-quantum.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pq = generateKeyPairSync('ml-dsa-65');
const payload = Buffer.from('{"a":1}');
const parse = (json: object) => parseBundle(Buffer.from(JSON.stringify(json)));

async function check(second: object | undefined, { key = pq.publicKey, required = true } = {}) {
  const bundle = second && parse(second);
  const both = checkBoth((b) => checkKeySignature(b, ec.publicKey), { key, required, bundle });
  return both(parse(await keySigner(ec.privateKey).sign(payload)));
}
const reason = async (...args: Parameters<typeof check>) => {
  const result = await check(...args);
  return result.fits ? 'fits' : result.reason;
};

describe('a second, post-quantum signature', () => {
  const second = signPostQuantum(pq.privateKey, payload) as { verificationMaterial: object };

  it('fits together with the first, and is named', async () => {
    const result = await check(second);
    expect(result).toMatchObject({
      fits: true,
      by: { postQuantumFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(await reason({ ...second, verificationMaterial: { publicKey: {} } })).toBe('fits');
  });

  it('is missed where it is required, and noted where not', async () => {
    expect(await reason(undefined)).toBe('there is no post-quantum signature');
    expect(await check(undefined, { required: false })).toMatchObject({
      fits: true,
      warnings: [expect.any(String)],
    });
  });

  it('does not fit under another key, over another statement, bent, or of another kind', async () => {
    const other = generateKeyPairSync('ml-dsa-65');
    expect(await reason(second, { key: other.publicKey, required: false })).toMatch(/names another key/);
    const anonymous = { ...second, verificationMaterial: { publicKey: {} } };
    expect(await reason(anonymous, { key: other.publicKey })).toMatch(/does not fit/);
    expect(await reason(signPostQuantum(pq.privateKey, Buffer.from('{"a":2}')))).toMatch(/another statement/);
    const { key, certificate } = issue({ name: 'x', keyUsage: 0x80 });
    expect(await reason(await certificateSigner(key, certificate, []).sign(payload))).toMatch(
      /not made with a key/,
    );
    expect(await reason(await keySigner(ec.privateKey).sign(payload))).toMatch(/names another key/);
  });

  it('does not stand in for the first', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const both = checkBoth((b) => checkKeySignature(b, other.publicKey), {
      key: pq.publicKey,
      required: true,
      bundle: parse(second),
    });
    expect(await both(parse(await keySigner(ec.privateKey).sign(payload)))).toMatchObject({ fits: false });
  });

  it('takes ML-DSA-65 keys in PEM and no other', () => {
    const pem = (key: KeyObject) =>
      Buffer.from(
        key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' } as never) as string,
      );
    expect(postQuantumKeyFrom(pem(pq.publicKey), 'public', 'k').equals(pq.publicKey)).toBe(true);
    expect(postQuantumKeyFrom(pem(pq.privateKey), 'private', 'k').type).toBe('private');
    expect(() => postQuantumKeyFrom(pem(pq.privateKey), 'public', 'k')).toThrow(/got a private one/);
    expect(() => postQuantumKeyFrom(pem(ec.publicKey), 'public', 'k')).toThrow(/got ec/);
    expect(() => postQuantumKeyFrom(Buffer.from('x'), 'public', 'k')).toThrow(/got something else/);
    const weaker = generateKeyPairSync('ml-dsa-44').publicKey;
    expect(() => postQuantumKeyFrom(pem(weaker), 'public', 'k')).toThrow(/got ml-dsa-44/);
  });
});
