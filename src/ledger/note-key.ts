import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import { readCheckpoint } from './checkpoint-body.ts';

/**
 * How a key signs a note (C2SP signed-note, "Signature types"): `ed25519` signs the text alone; the other two sign a
 * checkpoint together with the time (C2SP tlog-cosignature). ML-DSA-44 is the one that a quantum computer does not break.
 */
export type NoteAlgorithm = 'ed25519' | 'ed25519-cosignature' | 'ml-dsa-44-cosignature';

const FORMS = {
  ed25519: { type: 0x01, timed: false, keyBytes: 32, signatureBytes: 64, key: 'ed25519' },
  'ed25519-cosignature': { type: 0x04, timed: true, keyBytes: 32, signatureBytes: 64, key: 'ed25519' },
  'ml-dsa-44-cosignature': {
    type: 0x06,
    timed: true,
    keyBytes: 1312,
    signatureBytes: 2420,
    key: 'ml-dsa-44',
  },
} as const satisfies Record<NoteAlgorithm, object>;

/** What stands before the raw key in a SubjectPublicKeyInfo (RFC 8410; RFC 9881). */
const SPKI_PREFIX = {
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
  'ml-dsa-44': Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
} as const;

/** A key that notes are verified with. */
export interface NoteKey {
  /** Whose key it is; for a log usually its origin. */
  readonly name: string;
  /** The first four bytes of a hash of all the rest, as eight hexadecimal digits. An aid to find keys, not a proof. */
  readonly id: string;
  readonly algorithm: NoteAlgorithm;
  readonly publicKey: KeyObject;
}

/** A key that notes are signed with. */
export interface NoteSigner extends NoteKey {
  readonly privateKey: KeyObject;
}

/**
 * A key of an algorithm for notes under `name`. Errors: `option/invalid` for a name with a space or a plus, or a key of
 * another kind than the algorithm wants.
 */
export function noteKey(name: string, algorithm: NoteAlgorithm, publicKey: KeyObject): NoteKey {
  checkKeyName(name);
  const { key } = FORMS[algorithm];
  if (publicKey.type !== 'public' || publicKey.asymmetricKeyType !== key)
    throw new GlacisError(
      'option/invalid',
      `key of ${name}: expected a public key of kind ${key}, got ${publicKey.type} ${publicKey.asymmetricKeyType ?? 'key'}`,
    );
  return Object.freeze({ name, id: keyId(name, algorithm, rawKey(publicKey)), algorithm, publicKey });
}

/** The signing form of {@link noteKey}. Errors: `option/invalid`. */
export function noteSigner(name: string, algorithm: NoteAlgorithm, privateKey: KeyObject): NoteSigner {
  if (privateKey.type !== 'private')
    throw new GlacisError(
      'option/invalid',
      `key of ${name}: expected a private key, got a ${privateKey.type} one`,
    );
  return Object.freeze({ ...noteKey(name, algorithm, createPublicKey(privateKey)), privateKey });
}

/** `name+id+base64(type ‖ key)`, the text in which verifiers are given keys (C2SP signed-note, "Verifier keys"). */
export function formatVerifierKey(key: NoteKey): string {
  const material = Buffer.concat([Uint8Array.of(FORMS[key.algorithm].type), rawKey(key.publicKey)]);
  return `${key.name}+${key.id}+${material.toString('base64')}`;
}

/** Reads what {@link formatVerifierKey} writes. Errors: `option/invalid` with what is wrong. */
export function parseVerifierKey(text: string): NoteKey {
  const fail = (what: string): never => {
    throw new GlacisError('option/invalid', `verifier key '${text.slice(0, 40)}': expected ${what}`);
  };
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? fail('NAME+ID+KEY');
  const [, name = '', id = '', base64 = ''] = match;
  checkKeyName(name);
  const material = fromBase64(base64) ?? fail('a key in base64');
  const algorithm =
    (Object.keys(FORMS) as NoteAlgorithm[]).find((a) => FORMS[a].type === material[0]) ??
    fail('a key of type 1 (Ed25519), 4 (Ed25519 cosignature) or 6 (ML-DSA-44 cosignature)');
  const form = FORMS[algorithm];
  const raw = material.subarray(1);
  if (raw.length !== form.keyBytes) fail(`${form.keyBytes} bytes of key, got ${raw.length}`);
  if (keyId(name, algorithm, raw) !== id) fail('an id that belongs to name and key');
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX[form.key], raw]),
    format: 'der',
    type: 'spki',
  });
  return noteKey(name, algorithm, publicKey);
}

/** What a key adds to a note: its signature, for the timed algorithms with `at` (seconds since 1970) in front. */
export function signText(signer: NoteSigner, text: Uint8Array, at: number): Uint8Array {
  const message = messageOf(signer, text, at);
  if (message === undefined)
    throw new GlacisError(
      'option/invalid',
      `note: expected a checkpoint, which is all that ${signer.algorithm} signs`,
    );
  const signature = sign(null, message, signer.privateKey);
  return FORMS[signer.algorithm].timed ? Buffer.concat([uint64(at), signature]) : signature;
}

/**
 * Whether `signature` is this key's over `text`; where it is, with the time that it states (seconds since 1970).
 * Both are attacker-controlled.
 */
export function verifyText(
  key: NoteKey,
  text: Uint8Array,
  signature: Uint8Array,
): false | { readonly at?: number } {
  const { timed, signatureBytes } = FORMS[key.algorithm];
  const start = timed ? 8 : 0;
  if (signature.length !== start + signatureBytes) return false;
  const stated = timed ? Buffer.from(signature.subarray(0, 8)).readBigUInt64BE() : 0n;
  if (stated > BigInt(Number.MAX_SAFE_INTEGER)) return false;
  const at = Number(stated);
  const message = messageOf(key, text, at);
  if (message === undefined || !verify(null, message, key.publicKey, signature.subarray(start))) return false;
  return timed ? { at } : {};
}

/** Standard base64 in its one canonical form; `undefined` for anything else. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** The bytes that are signed; `undefined` where a checkpoint is needed and the text is none. */
function messageOf(key: NoteKey, text: Uint8Array, at: number): Uint8Array | undefined {
  if (key.algorithm === 'ed25519') return text;
  const body = readCheckpoint(text);
  if (body === undefined) return undefined;
  if (key.algorithm === 'ed25519-cosignature')
    return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${at}\n`), text]);
  // The structure cosigned_message of tlog-cosignature; start is 0 because the whole tree is signed.
  const [name, origin] = [Buffer.from(key.name), Buffer.from(body.origin)];
  if (name.length > 255 || origin.length > 255) return undefined;
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0', 'latin1'),
    Uint8Array.of(name.length),
    name,
    uint64(at),
    Uint8Array.of(origin.length),
    origin,
    uint64(0),
    uint64(body.size),
    body.root,
  ]);
}

function checkKeyName(name: string): void {
  // U+0085 is a space for Go's verifiers and none for this pattern's \s.
  if (name === '' || /[\s\u0085+]/u.test(name) || !name.isWellFormed())
    throw new GlacisError(
      'option/invalid',
      `key name: expected text without spaces and plus signs, got '${name.slice(0, 80)}'`,
    );
}

function keyId(name: string, algorithm: NoteAlgorithm, raw: Uint8Array): string {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(FORMS[algorithm].type))
    .update(raw)
    .digest('hex')
    .slice(0, 8);
}

function rawKey(key: KeyObject): Buffer {
  const der = key.export({ type: 'spki', format: 'der' });
  const prefix = SPKI_PREFIX[key.asymmetricKeyType as 'ed25519' | 'ml-dsa-44'];
  return der.subarray(prefix.length);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
