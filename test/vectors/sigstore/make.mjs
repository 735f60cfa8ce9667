/**
 * Makes the Sigstore signatures in this folder, with an authority and logs that exist only here. Run it with the working folder where
 * `npm install @sigstore/sign @sigstore/mock @sigstore/protobuf-specs` was run: node …/make.mjs
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'x.js'));
const { DSSEBundleBuilder, FulcioSigner, RekorWitness } = require('@sigstore/sign');
const { bundleToJSON } = require('@sigstore/bundle');
const {
  initializeCA,
  initializeCTLog,
  initializeTLog,
  fulcioHandler,
  rekorHandler,
} = require('@sigstore/mock');
const nock = require('nock');

const [FULCIO, REKOR] = ['https://fulcio.test', 'https://rekor.test'];
const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const start = new Date('2020-01-01T00:00:00Z');
const ctlog = await initializeCTLog(pair());
const ca = await initializeCA(pair(), ctlog);
const tlog = await initializeTLog(REKOR, pair());

const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const bytesOf = (view) => Buffer.from(view.buffer ?? view);
const log = (url, publicKey, id) => ({
  baseUrl: url,
  hashAlgorithm: 'SHA2_256',
  publicKey: {
    rawBytes: base64(publicKey),
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    validFor: { start: start.toISOString() },
  },
  logId: { keyId: base64(id) },
});
writeFileSync(
  join(import.meta.dirname, 'trusted-root.json'),
  `${JSON.stringify(
    {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(REKOR, tlog.publicKey, createHash('sha256').update(tlog.publicKey).digest())],
      certificateAuthorities: [
        {
          subject: { organization: 'sigstore.test', commonName: 'sigstore' },
          uri: FULCIO,
          certChain: { certificates: [{ rawBytes: base64(bytesOf(ca.rootCertificate)) }] },
          validFor: { start: start.toISOString() },
        },
      ],
      ctlogs: [log('https://ctfe.test', ctlog.publicKey, bytesOf(ctlog.logID))],
      timestampAuthorities: [],
    },
    null,
    2,
  )}\n`,
);

const part = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');
const token = `${part({ alg: 'none' })}.${part({ sub: 'signer@example.org', email: 'signer@example.org', email_verified: true, iss: 'https://issuer.example.org' })}.x`;
const digest = createHash('sha256').update('weights\n').digest('hex');
const root = createHash('sha256').update(digest, 'hex').digest('hex');
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'model', digest: { sha256: root } }],
  predicateType: 'https://model_signing/signature/v1.0',
  predicate: {
    resources: [{ name: 'weights.bin', digest, algorithm: 'sha256' }],
    serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false },
  },
};
for (const [base, { path, fn }] of [
  [FULCIO, fulcioHandler(ca, { strict: true })],
  [REKOR, rekorHandler(tlog, { strict: true })],
])
  nock(base)
    .post(path)
    .reply(async (_, body) => {
      const { statusCode, response, contentType } = await fn(
        typeof body === 'string' ? body : JSON.stringify(body),
      );
      return [statusCode, response, { 'Content-Type': contentType ?? 'text/plain' }];
    });
const builder = new DSSEBundleBuilder({
  signer: new FulcioSigner({ fulcioBaseURL: FULCIO, identityProvider: { getToken: async () => token } }),
  witnesses: [new RekorWitness({ rekorBaseURL: REKOR, entryType: 'intoto' })],
});
const bundle = await builder.create({
  data: Buffer.from(JSON.stringify(statement)),
  type: 'application/vnd.in-toto+json',
});
writeFileSync(join(import.meta.dirname, 'model.sig'), `${JSON.stringify(bundleToJSON(bundle), null, 2)}\n`);
