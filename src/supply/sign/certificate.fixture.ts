import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Certificate, readCertificate } from './certificate.ts';

/** What a certificate for tests says; ordinary unless told. */
export interface CertificateSpec {
  readonly name: string;
  /** Who signs it; itself unless given. */
  readonly issuer?: Issued;
  readonly from?: string;
  readonly to?: string;
  readonly authority?: boolean;
  readonly pathLength?: number;
  /** The first byte of the key usage: 0x80 digital signature, 0x04 signing certificates. */
  readonly keyUsage?: number;
  readonly codeSigning?: boolean;
  /** Alternative names as they are encoded: 0x81 mail, 0x82 host, 0x86 URI, 0x87 address. */
  readonly alternativeNames?: readonly (readonly [tag: number, value: string | Uint8Array])[];
  /** An object identifier (its DER content) to mark as critical. */
  readonly critical?: readonly number[];
  readonly curve?: string;
  /** The key of another one; a new pair unless given. */
  readonly sameKeyAs?: Issued;
  /** More extensions: the object identifier (its DER content) and the value in DER. */
  readonly extensions?: readonly (readonly [oid: readonly number[], value: Uint8Array])[];
  /** Signed certificate timestamps (RFC 6962), over the certificate without them. */
  readonly timestamps?: (precertificate: Uint8Array) => Uint8Array;
  /** The public key, where its private one is elsewhere. */
  readonly publicKey?: KeyObject;
  /** The hash of its signature. */
  readonly hash?: 'sha1' | 'sha256';
}

/** A certificate with its private key. */
export interface Issued {
  readonly key: KeyObject;
  readonly name: string;
  readonly certificate: Certificate;
  readonly pem: string;
}

/** A DER element. */
export const derNode = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: readonly Uint8Array[]) => derNode(0x30, ...parts);
const oid = (...bytes: readonly number[]) => derNode(0x06, Buffer.from(bytes));
const boolean = (value: boolean) => derNode(0x01, Buffer.from([value ? 255 : 0]));
const nameOf = (text: string) =>
  sequence(derNode(0x31, sequence(oid(0x55, 4, 3), derNode(0x0c, Buffer.from(text)))));
/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, section 4.1.2.5). */
const time = (iso: string) => {
  const digits = `${iso.replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return digits < '2050' ? derNode(0x17, Buffer.from(digits.slice(2))) : derNode(0x18, Buffer.from(digits));
};
const extension = (id: Uint8Array, critical: boolean, value: Uint8Array) =>
  sequence(id, ...(critical ? [boolean(true)] : []), derNode(0x04, value));

/** 1.3.6.1.4.1.11129.2.4.2 */
const TIMESTAMPS = [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];

let serial = 1;

/** Makes a certificate as RFC 5280 has it, signed with ECDSA. */
export function issue(spec: CertificateSpec): Issued {
  const {
    name,
    issuer,
    authority = false,
    keyUsage,
    pathLength,
    codeSigning,
    critical,
    hash = 'sha256',
  } = spec;
  const privateKey =
    spec.sameKeyAs?.key ?? generateKeyPairSync('ec', { namedCurve: spec.curve ?? 'P-256' }).privateKey;
  const publicKey = spec.publicKey ?? createPublicKey(privateKey);
  const algorithm = sequence(
    hash === 'sha1' ? oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1) : oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2),
  );
  const extensions = [
    extension(
      oid(0x55, 0x1d, 19),
      true,
      sequence(
        ...(authority ? [boolean(true)] : []),
        ...(pathLength === undefined ? [] : [derNode(0x02, Buffer.from([pathLength]))]),
      ),
    ),
    ...(keyUsage === undefined
      ? []
      : [extension(oid(0x55, 0x1d, 15), true, derNode(0x03, Buffer.from([0, keyUsage])))]),
    ...(codeSigning ? [extension(oid(0x55, 0x1d, 37), false, sequence(oid(0x2b, 6, 1, 5, 5, 7, 3, 3)))] : []),
    ...(spec.alternativeNames
      ? [
          extension(
            oid(0x55, 0x1d, 17),
            false,
            sequence(
              ...spec.alternativeNames.map(([tag, value]) => derNode(tag, Buffer.from(value as string))),
            ),
          ),
        ]
      : []),
    ...(critical ? [extension(oid(...critical), true, sequence())] : []),
    ...(spec.extensions ?? []).map(([id, value]) => extension(oid(...id), false, value)),
  ];
  const head = [
    derNode(0xa0, derNode(0x02, Buffer.from([2]))),
    derNode(0x02, Buffer.from([serial++])),
    algorithm,
    nameOf(issuer?.name ?? name),
    sequence(time(spec.from ?? '2026-01-01T00:00:00'), time(spec.to ?? '2036-01-01T00:00:00')),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
  ];
  const withExtensions = (all: readonly Uint8Array[]) => sequence(...head, derNode(0xa3, sequence(...all)));
  const list = spec.timestamps?.(withExtensions(extensions));
  const tbs = withExtensions(
    list === undefined ? extensions : [...extensions, extension(oid(...TIMESTAMPS), false, list)],
  );
  const signature = sign(hash, tbs, issuer?.key ?? privateKey);
  const der = sequence(tbs, algorithm, derNode(0x03, Buffer.from([0]), signature));
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  return { key: privateKey, name, certificate: readCertificate(der, name), pem };
}
