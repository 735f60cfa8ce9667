import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { derNode, issue } from '../certificate.fixture.ts';
import { derElements } from '../der.ts';
import { preAuthEncoding } from '../dsse.ts';
import { type Answer, type Json, type Route, testIssuer } from './issuer.fixture.ts';
import type { SigstoreServices } from './services.ts';

/** Issuer, authority and log on this machine. */
export interface LoopbackSigstore extends SigstoreServices {
  readonly issuer: string;
  /** What verifiers trust, as JSON. */
  readonly trustedRoot: Json;
  /** Where signers go, as JSON. */
  readonly signingConfig: Json;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** A token that the issuer signs. */
  token(claims?: Json): string;
  /** Bends the answers of paths that end so. */
  bend(path: string, change: (answer: Answer) => Answer): void;
  close(): Promise<void>;
}

/** Who vouched, in Fulcio's certificates: 1.3.6.1.4.1.57264.1.1, a text as it is, and .8, a text in DER. */
const [ISSUER, ISSUER_2] = [1, 8].map((last) => [0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, last]) as [
  number[],
  number[],
];
const [SUBJECT_KEY, AUTHORITY_KEY] = [
  [0x55, 0x1d, 14],
  [0x55, 0x1d, 35],
] as const;
const LOG = 'rekor.test';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
const sha256 = (...parts: readonly (string | Uint8Array)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const number = (value: number, bytes: number) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
};

/** The public key of a certificate signing request in PEM (RFC 2986). */
function keyInRequest(pem: string): KeyObject {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  const [request] = derElements(der)!;
  const [info] = derElements(request!.content)!;
  const key = derElements(info!.content)![2]!;
  return createPublicKey({ key: derNode(0x30, key.content), format: 'der', type: 'spki' });
}

/**
 * Starts what signing with Sigstore needs, as the published services answer: an OpenID Connect issuer with PKCE, an authority that checks token and proof and gives
 * certificates with a timestamp of their log, and a transparency log of one entry at a time. `secret` is what the program must know.
 */
export async function loopbackSigstore({
  secret,
}: {
  readonly secret?: string;
} = {}): Promise<LoopbackSigstore> {
  const keys = { certificates: pair(), log: pair() };
  const draft = issue({ name: 'authority', authority: true });
  const keyId = sha256(spki(draft.certificate.x509.publicKey)).subarray(0, 20);
  const authority = issue({
    name: 'authority',
    authority: true,
    keyUsage: 0x04,
    sameKeyAs: draft,
    extensions: [[SUBJECT_KEY, derNode(0x04, keyId)]],
  });
  const asked: string[] = [];
  const bends = new Map<string, (answer: Answer) => Answer>();
  let origin = '';

  const issuer = testIssuer(() => origin, secret);
  const routes: Readonly<Record<string, Route>> = {
    ...issuer.routes,
    '/api/v2/signingCert': (_, body, request) => {
      const { credentials, publicKeyRequest, certificateSigningRequest } = JSON.parse(body);
      const shown = credentials?.oidcIdentityToken ?? request.headers.authorization?.replace('Bearer ', '');
      const claims = issuer.claimsIn(shown);
      if (!claims) return { status: 401, body: { code: 16, message: `the token ${shown} is not known` } };
      const { iss, sub, email } = claims as Readonly<Record<string, string>>;
      const who = (email ?? sub)!;
      const publicKey = publicKeyRequest
        ? createPublicKey(publicKeyRequest.publicKey.content)
        : keyInRequest(Buffer.from(certificateSigningRequest, 'base64').toString());
      const proof = Buffer.from(publicKeyRequest?.proofOfPossession ?? '', 'base64');
      if (publicKeyRequest && !verify('sha256', Buffer.from(who), publicKey, proof))
        return { status: 400, body: { code: 3, message: 'the proof of possession does not hold' } };
      const chain = { certificates: [certificate(publicKey, iss!, who), authority.pem] };
      return { status: 201, body: { signedCertificateEmbeddedSct: { chain } } };
    },
    '/api/v1/log/entries': (_, body) => entry(JSON.parse(body).spec.proposedContent),
  };

  function certificate(publicKey: KeyObject, iss: string, who: string): string {
    const now = Date.now();
    const leaf = issue({
      name: 'leaf',
      issuer: authority,
      publicKey,
      from: new Date(now - 60_000).toISOString(),
      to: new Date(now + 600_000).toISOString(),
      keyUsage: 0x80,
      codeSigning: true,
      alternativeNames: [who.includes('@') ? [0x81, who] : [0x86, who]],
      extensions: [
        [ISSUER, Buffer.from(iss)],
        [ISSUER_2, derNode(0x0c, Buffer.from(iss))],
        [AUTHORITY_KEY, derNode(0x30, derNode(0x80, keyId))],
      ],
      timestamps(tbs) {
        const time = number(now, 8);
        const issuerKey = sha256(spki(authority.certificate.x509.publicKey));
        const signed = Buffer.concat([
          number(0, 2),
          time,
          number(1, 2),
          issuerKey,
          number(tbs.length, 3),
          tbs,
          number(0, 2),
        ]);
        const signature = sign('sha256', signed, keys.certificates.privateKey);
        const timestamp = Buffer.concat([
          number(0, 1),
          sha256(spki(keys.certificates.publicKey)),
          time,
          number(0, 2),
          Buffer.of(4, 3),
          number(signature.length, 2),
          signature,
        ]);
        return derNode(0x04, number(timestamp.length + 2, 2), number(timestamp.length, 2), timestamp);
      },
    });
    return leaf.pem;
  }

  function entry({
    envelope,
    verifiers,
  }: {
    readonly envelope: string;
    readonly verifiers: readonly string[];
  }): Answer {
    const { payload, payloadType, signatures } = JSON.parse(envelope);
    const bytes = Buffer.from(payload, 'base64');
    const signer = new X509Certificate(Buffer.from(verifiers[0]!, 'base64'));
    if (
      !verify(
        'sha256',
        preAuthEncoding(payloadType, bytes),
        signer.publicKey,
        Buffer.from(signatures[0].sig, 'base64'),
      )
    )
      return { status: 400, body: { code: 400, message: 'the signature does not fit' } };
    const hash = (of: string | Uint8Array) => ({ algorithm: 'sha256', value: sha256(of).toString('hex') });
    const content = {
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        envelopeHash: hash(envelope),
        payloadHash: hash(bytes),
        signatures: [{ signature: signatures[0].sig, verifier: verifiers[0] }],
      },
    };
    const body = Buffer.from(JSON.stringify(content));
    const id = sha256(spki(keys.log.publicKey));
    const root = sha256(Buffer.of(0), body);
    const note = `${LOG} - 1\n1\n${root.toString('base64')}\n`;
    const noteSignature = Buffer.concat([
      id.subarray(0, 4),
      sign('sha256', Buffer.from(note), keys.log.privateKey),
    ]);
    // In the order of their names, as canonical JSON has it.
    const promised = {
      body: body.toString('base64'),
      integratedTime: Math.floor(Date.now() / 1000),
      logID: id.toString('hex'),
      logIndex: 7,
    };
    return {
      status: 201,
      body: {
        [randomUUID()]: {
          ...promised,
          verification: {
            signedEntryTimestamp: sign(
              'sha256',
              Buffer.from(JSON.stringify(promised)),
              keys.log.privateKey,
            ).toString('base64'),
            inclusionProof: {
              checkpoint: `${note}\n\u2014 ${LOG} ${noteSignature.toString('base64')}\n`,
              hashes: [],
              logIndex: 0,
              rootHash: root.toString('hex'),
              treeSize: 1,
            },
          },
        },
      },
    };
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, origin);
    asked.push(url.pathname);
    let body = '';
    for await (const part of request) body += part;
    const found = routes[url.pathname]?.(url.searchParams, body, request) ?? { status: 404 };
    const bend = [...bends].find(([path]) => url.pathname.endsWith(path))?.[1];
    const { status, headers, body: content = '' } = bend ? bend(found) : found;
    const text = typeof content === 'string';
    response.writeHead(status, { 'content-type': text ? 'text/plain' : 'application/json', ...headers });
    response.end(text ? content : JSON.stringify(content));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const service = (url: string) => ({
    url,
    majorApiVersion: 1,
    validFor: { start: '2020-01-01T00:00:00.000Z' },
    operator: 'example.org',
  });
  const logOf = (url: string, key: KeyObject) => ({
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: spki(key).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: '2020-01-01T00:00:00.000Z' },
    },
    logId: { keyId: sha256(spki(key)).toString('base64') },
  });
  return {
    fulcio: origin,
    rekor: origin,
    issuer: `${origin}/oidc`,
    asked,
    token: issuer.token,
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(`https://${LOG}`, keys.log.publicKey)],
      certificateAuthorities: [
        {
          subject: { organization: 'example', commonName: 'authority' },
          uri: origin,
          certChain: { certificates: [{ rawBytes: authority.certificate.x509.raw.toString('base64') }] },
          validFor: { start: '2020-01-01T00:00:00.000Z' },
        },
      ],
      ctlogs: [logOf('https://ctfe.test', keys.certificates.publicKey)],
      timestampAuthorities: [],
    },
    signingConfig: {
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [service(origin)],
      oidcUrls: [service(`${origin}/oidc`)],
      rekorTlogUrls: [service(origin)],
      tsaUrls: [],
      rekorTlogConfig: { selector: 'ANY' },
      tsaConfig: { selector: 'ANY' },
    },
    bend: (path, change) => void bends.set(path, change),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
