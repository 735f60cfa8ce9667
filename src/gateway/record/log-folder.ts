import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import { formatVerifierKey, type LogTrust, type NoteSigner, parseVerifierKey } from '../../ledger/index.ts';
import { logSigners, newLogKey } from '../../registry/log-key.ts';

/** Where everything about the log of decisions lies. */
export interface LogFolder {
  /** The log itself: what may be served and copied to anybody. */
  readonly log: string;
  readonly keyFile: string;
  readonly trustFile: string;
  /** The newest checkpoint that this place remembers. */
  readonly seenFile: string;
  readonly rotations: string;
  readonly wrappingKey: string;
  readonly subjects: string;
  readonly payloads: string;
  readonly index: string;
  /** Which entries were moved into archives. */
  readonly archived: string;
}

/** The places below one folder. */
export function logFolder(folder: string): LogFolder {
  return {
    log: join(folder, 'log'),
    keyFile: join(folder, 'log-key.pem'),
    trustFile: join(folder, 'log.trust.json'),
    seenFile: join(folder, 'log.seen'),
    rotations: join(folder, 'rotations'),
    wrappingKey: join(folder, 'wrapping.key'),
    subjects: join(folder, 'subjects'),
    payloads: join(folder, 'payloads'),
    index: join(folder, 'index.db'),
    archived: join(folder, 'archived.json'),
  };
}

const trustShape = z.strictObject({
  schema: z.literal('glacis.log.trust/1'),
  origin: z.string().min(1).max(200),
  keys: z.array(z.string().max(8192)).min(1).max(8),
  witnesses: z.array(z.string().max(8192)).max(64).optional(),
  quorum: z.int().min(0).max(64).optional(),
});

/** Whom to believe about a log, as it lies beside it and should lie with whoever checks it. Nothing in it is secret. */
export type LogTrustFile = z.infer<typeof trustShape>;

/** The trust file of a log with these keys. */
export function trustOf(origin: string, signers: readonly NoteSigner[]): LogTrustFile {
  return { schema: 'glacis.log.trust/1', origin, keys: signers.map(formatVerifierKey) };
}

/** Reads a trust file; `bytes` may be anybody's. Errors: `ledger/unreadable`. */
export function parseTrustFile(bytes: Uint8Array, where: string): LogTrust {
  try {
    if (bytes.length > 1 << 20) throw new Error('expected at most 1 MiB');
    const { origin, keys, witnesses, quorum } = trustShape.parse(
      JSON.parse(Buffer.from(bytes).toString('utf8')),
    );
    return {
      origin,
      keys: keys.map(parseVerifierKey),
      witnesses: (witnesses ?? []).map(parseVerifierKey),
      ...(quorum !== undefined && { quorum }),
    };
  } catch (cause) {
    throw new GlacisError(
      'ledger/unreadable',
      `${where}: expected the trust file of a log (log.trust.json)`,
      { cause },
    );
  }
}

/** The bytes of a file; undefined where there is none. Errors: `output/unwritable`. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return undefined;
    throw asGlacisError(thrown, 'output/unwritable', path);
  });
}

/** Writes a file that only its owner may read. */
export async function writePrivate(path: string, bytes: Uint8Array): Promise<void> {
  await writeAtomically(path, (write) => write(bytes), { mode: 0o600 });
}

/**
 * The log's signers: from a file that the operator names, which must be there, or from the one in the folder, which is made at the first
 * start. Errors: `key/unusable`, `output/unwritable`.
 */
export async function signersFrom(
  places: LogFolder,
  origin: string,
  keyFile: string | undefined,
): Promise<readonly NoteSigner[]> {
  const path = keyFile ?? places.keyFile;
  let pem = await readIfThere(path);
  if (pem === undefined) {
    if (keyFile !== undefined)
      throw new GlacisError(
        'key/unusable',
        `${keyFile}: expected the log's private keys, but there is no file`,
      );
    if ((await readIfThere(places.trustFile)) !== undefined)
      throw new GlacisError(
        'key/unusable',
        `${path}: expected the log's private keys, which were there before; put them back, or start a new log in another folder`,
      );
    pem = Buffer.from(newLogKey());
    await writePrivate(path, pem);
  }
  return logSigners(pem, origin, path);
}

/** The name of the wrapping key: the operator's, or that of a file in the folder, which is made at the first start. */
export async function wrappingKeyName(places: LogFolder, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  if ((await readIfThere(places.wrappingKey)) === undefined)
    await writePrivate(places.wrappingKey, Buffer.from(`${randomBytes(32).toString('hex')}\n`));
  return `file:${places.wrappingKey}`;
}
