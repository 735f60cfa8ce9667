import { createHash } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';
import { base64At, type Fields, isObject, listAt, objectAt, textAt } from '../json-fields.ts';
import { askForObject } from './service-request.ts';

/** A signed statement, as the log takes it. */
export interface Entered {
  /** The DSSE envelope as JSON. */
  readonly envelope: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** The signer's certificate in PEM. */
  readonly certificate: string;
}

/**
 * Enters a signature in the transparency log and gives the entry as bundles hold it, with the log's promise and proof. Whether these hold is for
 * verifiers; here it is only seen to that the log entered this signature and not another. Source: `POST /api/v1/log/entries` of
 * sigstore/rekor, kind `dsse`. Errors: `signing/unavailable`, `run/cancelled`.
 */
export async function enterInLog(entered: Entered, rekor: string, signal?: AbortSignal): Promise<object> {
  const { envelope, certificate } = entered;
  const verifiers = [Buffer.from(certificate).toString('base64')];
  const answer = await askForObject({
    what: 'an entry of Rekor',
    url: `${rekor}/api/v1/log/entries`,
    json: { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent: { envelope, verifiers } } },
    secrets: [],
    signal,
  });
  const refuse = (problem: string) =>
    new GlacisError('signing/unavailable', `Rekor at ${rekor}: the entry's ${problem}`);
  const [entry] = Object.values(answer);
  if (!isObject(entry)) throw refuse('content: expected an object, got something else');
  const body = base64At(entry, 'body', refuse);
  const { kind, version } = kindOf(body, entered, refuse);
  const verification = objectAt(entry, 'verification', refuse);
  const proof = objectAt(verification, 'inclusionProof', refuse);
  return {
    logIndex: wholeAt(entry, 'logIndex', refuse),
    logId: { keyId: base64OfHex(entry, 'logID', refuse) },
    kindVersion: { kind, version },
    integratedTime: wholeAt(entry, 'integratedTime', refuse),
    inclusionPromise: { signedEntryTimestamp: textAt(verification, 'signedEntryTimestamp', refuse) },
    inclusionProof: {
      logIndex: wholeAt(proof, 'logIndex', refuse),
      rootHash: base64OfHex(proof, 'rootHash', refuse),
      treeSize: wholeAt(proof, 'treeSize', refuse),
      hashes: listAt(proof, 'hashes', refuse).map((hash) => base64OfHex({ hash }, 'hash', refuse)),
      checkpoint: { envelope: textAt(proof, 'checkpoint', refuse) },
    },
    canonicalizedBody: Buffer.from(body).toString('base64'),
  };
}

type Refuse = (problem: string) => GlacisError;

/** The kind of an entry's body, when it is about this signature over this payload. */
function kindOf(
  body: Uint8Array,
  { payload, signature }: Entered,
  refuse: Refuse,
): { readonly kind: string; readonly version: string } {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    json = undefined;
  }
  if (!isObject(json)) throw refuse('body: expected JSON, got something else');
  const spec = objectAt(json, 'spec', refuse);
  const digest = textAt(objectAt(spec, 'payloadHash', refuse), 'value', refuse);
  const [first, ...others] = listAt(spec, 'signatures', refuse);
  const found = isObject(first) ? base64At(first, 'signature', refuse) : new Uint8Array();
  const own = createHash('sha256').update(payload).digest('hex');
  if (others.length > 0 || digest !== own || !Buffer.from(found).equals(signature))
    throw refuse('body: expected the signature that was sent, got another');
  return { kind: textAt(json, 'kind', refuse), version: textAt(json, 'apiVersion', refuse) };
}

/** A whole number as the JSON of protocol buffers has it: a text, because it may have 64 bits. */
function wholeAt(json: Fields, name: string, refuse: Refuse): string {
  const value = json[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw refuse(`${name}: expected a whole number, got ${typeof value}`);
  return String(value);
}

function base64OfHex(json: Fields, name: string, refuse: Refuse): string {
  const text = textAt(json, name, refuse);
  if (!/^(?:[0-9a-fA-F]{2}){1,64}$/.test(text)) throw refuse(`${name}: expected hexadecimal digits`);
  return Buffer.from(text, 'hex').toString('base64');
}
