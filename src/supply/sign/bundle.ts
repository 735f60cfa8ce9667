import { GlacisError } from '../../core/error.ts';
import { type Envelope, IN_TOTO } from './dsse.ts';
import { base64At, isObject, listAt, objectAt, textAt } from './json-fields.ts';

/** The media type that OMS v1.0 signatures have. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A signature file past this size is refused; a manifest of a million shards stays below. */
export const MOST_BUNDLE_BYTES = 512 << 20;

/** What a bundle brings along to check its signature with; which of the three it is decides the method. */
export type Material =
  /** A key that the verifier has. */
  | {
      readonly method: 'key';
      /** Hexadecimal SHA-256 of the key's PEM. */
      readonly hint?: string;
      /** The PEM itself, in signatures before 1.1.0. Never trusted, only compared. */
      readonly publicKey?: Uint8Array;
    }
  /** Certificates in DER: the signer's first, then those above it. */
  | { readonly method: 'certificate'; readonly chain: readonly Uint8Array[] }
  /** A short-lived certificate with proof of its time. */
  | { readonly method: 'sigstore' };

/** One of the three ways to sign. */
export type Method = Material['method'];

/** A parsed bundle. Nothing in it is verified. */
export interface Bundle {
  readonly material: Material;
  readonly envelope: Envelope;
  /** The parsed JSON, for what reads the rest of it. */
  readonly json: unknown;
}

/**
 * Reads a Sigstore bundle with a DSSE envelope. Tolerated, because published tools write it: `tlogEntries` and `keyid` absent, empty or
 * null, a key as PEM in place of its fingerprint, unknown fields. Errors: `signature/unreadable`.
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > MOST_BUNDLE_BYTES)
    throw unreadable(`expected at most ${MOST_BUNDLE_BYTES} bytes, got ${bytes.length}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unreadable('expected a bundle in JSON, got something else', cause);
  }
  if (!isObject(json)) throw unreadable('expected a bundle, got another JSON value');
  const mediaType = textAt(json, 'mediaType', unreadable);
  if (mediaType !== BUNDLE_TYPE)
    throw unreadable(`mediaType: expected '${BUNDLE_TYPE}', got '${mediaType.slice(0, 80)}'`);
  return {
    material: materialOf(objectAt(json, 'verificationMaterial', unreadable)),
    envelope: envelopeOf(json),
    json,
  };
}

function materialOf(json: Readonly<Record<string, unknown>>): Material {
  const found = ['publicKey', 'x509CertificateChain', 'certificate'].filter((name) => json[name] != null);
  if (found.length !== 1)
    throw unreadable(
      `verificationMaterial: expected one of publicKey, x509CertificateChain and certificate, got ${found.join(' and ') || 'none'}`,
    );
  if (found[0] === 'certificate') return { method: 'sigstore' };
  if (found[0] === 'publicKey') {
    const key = objectAt(json, 'publicKey', unreadable);
    return {
      method: 'key',
      ...(key.hint ? { hint: textAt(key, 'hint', unreadable) } : {}),
      ...(key.rawBytes ? { publicKey: base64At(key, 'rawBytes', unreadable) } : {}),
    };
  }
  const entries = listAt(objectAt(json, 'x509CertificateChain', unreadable), 'certificates', unreadable);
  if (entries.length === 0 || entries.length > 16)
    throw unreadable(`x509CertificateChain: expected 1 to 16 certificates, got ${entries.length}`);
  const chain = entries.map((entry) => {
    if (!isObject(entry)) throw unreadable('x509CertificateChain: expected certificates, got another value');
    return base64At(entry, 'rawBytes', unreadable);
  });
  return { method: 'certificate', chain };
}

function envelopeOf(json: Readonly<Record<string, unknown>>): Envelope {
  const envelope = objectAt(json, 'dsseEnvelope', unreadable);
  const payloadType = textAt(envelope, 'payloadType', unreadable);
  if (payloadType !== IN_TOTO)
    throw unreadable(`payloadType: expected '${IN_TOTO}', got '${payloadType.slice(0, 80)}'`);
  const entries = listAt(envelope, 'signatures', unreadable);
  if (entries.length === 0 || entries.length > 16)
    throw unreadable(`signatures: expected 1 to 16, got ${entries.length}`);
  const signatures = entries.map((entry) => {
    if (!isObject(entry)) throw unreadable('signatures: expected objects, got another value');
    return base64At(entry, 'sig', unreadable);
  });
  return { payloadType, payload: base64At(envelope, 'payload', unreadable), signatures };
}

/**
 * The bundle with one signature over `payload`. `material` says whose it is, in `verificationMaterial`; `entries` are those of transparency logs.
 */
export function bundleOf(
  payload: Uint8Array,
  signature: Uint8Array,
  material: object,
  entries: readonly object[] = [],
): object {
  return {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { ...material, tlogEntries: entries },
    dsseEnvelope: envelopeJson(payload, signature),
  };
}

/** The DSSE envelope with one signature over `payload`, as JSON has it. */
export function envelopeJson(payload: Uint8Array, signature: Uint8Array): object {
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType: IN_TOTO,
    signatures: [{ sig: Buffer.from(signature).toString('base64'), keyid: '' }],
  };
}

function unreadable(problem: string, cause?: unknown): GlacisError {
  return new GlacisError('signature/unreadable', `signature: ${problem}`, { cause });
}
