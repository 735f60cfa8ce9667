import { fromBase64, hexOf, joined, sha256, uint64, utf8 } from './bytes.ts';
import { type Note, readCheckpoint } from './receipt.ts';

/** A key that checkpoints are checked with (C2SP signed-note and tlog-cosignature). */
export interface NoteKey {
  readonly name: string;
  readonly id: string;
  readonly form: (typeof FORMS)[number];
  readonly raw: Uint8Array<ArrayBuffer>;
}

const FORMS = [
  { type: 1, title: 'Ed25519', algorithm: 'Ed25519', timed: false, keyBytes: 32, signatureBytes: 64 },
  { type: 4, title: 'Ed25519', algorithm: 'Ed25519', timed: true, keyBytes: 32, signatureBytes: 64 },
  { type: 6, title: 'ML-DSA-44', algorithm: 'ML-DSA-44', timed: true, keyBytes: 1312, signatureBytes: 2420 },
] as const;

/** What a signature is worth: `unchecked` where this browser does not know the algorithm. */
export type SignatureState = 'good' | 'bad' | 'missing' | 'unchecked';

/** Reads a verifier key, `NAME+ID+KEY`. Throws an `Error` that says what was expected. */
export async function parseKey(text: string): Promise<NoteKey> {
  const [, name = '', id = '', base64 = ''] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const material = fromBase64(base64);
  const form = FORMS.find(({ type }) => type === material?.[0]);
  if (name === '' || material === undefined || form === undefined)
    throw new Error('expected a key of the form NAME+ID+KEY that signs checkpoints');
  const raw = material.slice(1);
  const own = hexOf(await sha256(utf8(`${name}\n`), Uint8Array.of(form.type), raw)).slice(0, 8);
  if (raw.length !== form.keyBytes || own !== id)
    throw new Error('expected a key with the id that belongs to it');
  return { name, id, form, raw };
}

/** What the key's signature on the note is worth. Of several under its name and id, one that is wrong condemns the note, as for `glacis log`. */
export async function signatureOf(
  key: NoteKey,
  note: Note,
): Promise<{ readonly state: SignatureState; readonly at?: number | undefined }> {
  const mine = note.signatures.filter(({ name, id }) => name === key.name && id === key.id);
  if (mine.length === 0) return { state: 'missing' };
  let found: { readonly state: SignatureState; readonly at?: number | undefined } = { state: 'good' };
  for (const { bytes } of mine) {
    const each = await verified(key, note, bytes);
    if (each.state !== 'good') return each;
    found = each;
  }
  return found;
}

async function verified(
  { form, name, raw }: NoteKey,
  note: Note,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ readonly state: SignatureState; readonly at?: number | undefined }> {
  const start = form.timed ? 8 : 0;
  if (bytes.length !== start + form.signatureBytes) return { state: 'bad' };
  const stated = form.timed ? new DataView(bytes.buffer).getBigUint64(0) : 0n;
  if (stated > BigInt(Number.MAX_SAFE_INTEGER)) return { state: 'bad' };
  const at = Number(stated);
  const message = messageOf(form.type, name, note, at);
  if (message === undefined) return { state: 'bad' };
  let key: CryptoKey;
  try {
    key = await importKey(form.algorithm, raw);
  } catch {
    return { state: 'unchecked' };
  }
  try {
    const isGood = await crypto.subtle.verify({ name: form.algorithm }, key, bytes.slice(start), message);
    return { state: isGood ? 'good' : 'bad', ...(form.timed && { at }) };
  } catch {
    return { state: 'bad' };
  }
}

/** Fails where the browser does not know the algorithm, or the key is none. */
function importKey(algorithm: string, raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  // Newer algorithms call their bare form by another name.
  const format = algorithm === 'Ed25519' ? 'raw' : ('raw-public' as 'raw');
  return crypto.subtle.importKey(format, raw, { name: algorithm }, false, ['verify']);
}

/** The bytes that are signed; `undefined` where a checkpoint is needed and the text is none. */
function messageOf(type: number, name: string, note: Note, at: number): Uint8Array<ArrayBuffer> | undefined {
  const text = utf8(note.text);
  if (type === 1) return text;
  const body = readCheckpoint(note.text);
  if (body === undefined) return undefined;
  if (type === 4) return joined(utf8(`cosignature/v1\ntime ${at}\n`), text);
  const [who, origin] = [utf8(name), utf8(body.origin)];
  if (who.length > 255 || origin.length > 255) return undefined;
  return joined(
    utf8('subtree/v1\n\0'),
    Uint8Array.of(who.length),
    who,
    uint64(at),
    Uint8Array.of(origin.length),
    origin,
    uint64(0),
    uint64(body.size),
    body.root,
  );
}
