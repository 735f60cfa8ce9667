import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { type LogTrust, verifyProof } from '../../ledger/index.ts';
import { parseBundle } from '../../supply/sign/bundle.ts';
import { fingerprintOf, publicKeyFrom } from '../../supply/sign/ec-key.ts';
import { checkKeySignature } from '../../supply/sign/key-method.ts';
import { sha256 } from '../canonical.ts';
import {
  EVIDENCE_PREDICATE,
  eventEntry,
  MANIFEST,
  type Manifest,
  SEAL,
  SIGNATURE,
  SIGNER,
  sealShape,
} from './bundle-files.ts';
import { type Add, type Files, need, parsed } from './bundle-reading.ts';

/** Holds every file against the manifest. */
export function compareFiles(files: Files, manifest: Manifest, add: Add): void {
  const listed = new Set(manifest.files.map(({ path }) => path));
  for (const { path, bytes, sha256: wanted } of manifest.files) {
    const found = files.get(path);
    if (found === undefined) add(path, false, 'it is missing');
    else if (found.length !== bytes || sha256(found) !== wanted)
      add(path, false, 'it is not the file that the manifest lists');
    else add(path, true, `${bytes} bytes, as the manifest lists it`);
  }
  for (const path of files.keys())
    if (!listed.has(path) && ![MANIFEST, SEAL, SIGNATURE, SIGNER].includes(path))
      add(path, false, 'it was added: the manifest does not list it');
}

/** What the log says of a bundle: the manifest's key, and the digest of the signature. */
export interface Seal {
  readonly index: number;
  readonly key: string;
  readonly signature: string;
}

/** The log's word about the manifest. Errors: why it is none. */
export function checkSeal(
  files: Files,
  trust: LogTrust,
  { digest, of }: { readonly digest: string | undefined; readonly of: string | undefined },
): Seal {
  const { entry, proof } = sealShape.parse(parsed(files, SEAL));
  const bytes = Buffer.from(entry, 'base64');
  const { index } = verifyProof(proof, bytes, trust, SEAL);
  const { event, about } = eventEntry.parse(JSON.parse(bytes.toString('utf8'))).event;
  if (
    event !== 'case-bundle' ||
    about.bundle !== digest ||
    about.case !== of ||
    typeof about.key !== 'string'
  )
    throw new Error('the log names another manifest');
  // One way alone to write it: what is not read would be a place to hide something.
  if (
    files.get(SEAL)!.toString() !== Buffer.from(`${JSON.stringify({ entry, proof }, null, 2)}\n`).toString()
  )
    throw new Error('it is not written as it is meant to be');
  return { index, key: String(about.key), signature: String(about.signature) };
}

/** The signature of the manifest. Errors: why it does not hold. */
export function checkSignature(
  files: Files,
  {
    digest,
    of,
    named,
    keys,
  }: {
    readonly digest: string | undefined;
    readonly of: string | undefined;
    readonly named: Seal | undefined;
    readonly keys: readonly KeyObject[];
  },
): string {
  const key = publicKeyFrom(need(files, SIGNER), SIGNER);
  const fingerprint = fingerprintOf(key);
  if (
    String(key.export({ type: 'spki', format: 'pem' })) !== Buffer.from(files.get(SIGNER)!).toString('latin1')
  )
    throw new Error(`${SIGNER} holds more than a key`);
  if (fingerprint !== named?.key) throw new Error('it was made with another key than the log names');
  if (keys.length > 0 && !keys.some((each) => fingerprintOf(each) === fingerprint))
    throw new Error(`it was made with the key ${fingerprint}, which is none of those that are trusted`);
  const bytes = need(files, SIGNATURE);
  // The log names the signature itself: another one that fits, which ECDSA allows to be made, is none.
  if (sha256(bytes) !== named.signature) throw new Error('it is not the signature that the log names');
  const bundle = parseBundle(bytes);
  const check = checkKeySignature(bundle, key);
  if (!check.fits) throw new Error(check.reason);
  const statement = z
    .object({
      subject: z.tuple([z.object({ digest: z.object({ sha256: z.string() }) })]),
      predicateType: z.literal(EVIDENCE_PREDICATE),
      predicate: z.object({ case: z.string() }),
    })
    .parse(JSON.parse(Buffer.from(bundle.envelope.payload).toString('utf8')));
  if (`sha256:${statement.subject[0].digest.sha256}` !== digest || statement.predicate.case !== of)
    throw new Error('it is the signature of another manifest');
  return fingerprint;
}
