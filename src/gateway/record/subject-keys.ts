import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { hmac } from '../../core/hmac.ts';
import { syncFolder } from '../../ledger/journal-store.ts';
import type { WrappingKey } from '../../supply/vault/wrapping-key.ts';
import { readIfThere, writePrivate } from './log-folder.ts';

/** What a subject's key is used for; each use has a key of its own, derived from it. */
export interface SubjectKey {
  /** What the log calls the subject: 32 hexadecimal digits that say nothing once the key is gone. */
  readonly pseudonym: string;
  readonly salts: Uint8Array;
  readonly payloads: Uint8Array;
  readonly identity: Uint8Array;
}

/** The keys of subjects: one file each, wrapped; whoever removes the file makes all that rests on it meaningless. */
export interface SubjectKeys {
  /** The key of a subject if it is at hand without waiting. */
  ready(subject: string): SubjectKey | undefined;
  /** The key of a subject; made and flushed where there is none yet. Errors: `output/unwritable`, `vault/key`, `vault/unreadable`. */
  keyOf(subject: string): Promise<SubjectKey>;
  /** The key of a subject that has one. */
  find(subject: string): Promise<SubjectKey | undefined>;
  /** Every key that is there. Whose they are is not stored. Errors: `vault/key`, `vault/unreadable`. */
  all(): AsyncGenerator<SubjectKey>;
  /** The key in a file, by the two parts of its name; undefined for another file. */
  inFile(start: string, file: string): Promise<SubjectKey | undefined>;
  /** Destroys a subject's key; gives its pseudonym, or undefined where there was none. */
  erase(subject: string): Promise<string | undefined>;
}

const shape = z.strictObject({
  schema: z.literal('glacis.subject-key/1'),
  keyId: z.string().max(200),
  wrapped: z.base64().max(8192),
});

/** Keys in memory at most. */
const KEPT = 4096;

/** The keys of subjects in a folder, `kept` of them in memory. The files' names are hashes, so that a listing shows no names. */
export function subjectKeys(
  folder: string,
  wrapping: WrappingKey,
  { kept: most = KEPT }: { readonly kept?: number } = {},
): SubjectKeys {
  /** By subject; a name that is long, which a caller can choose, counts by its hash. */
  const kept = new Map<string, SubjectKey>();
  const shortOf = (subject: string) => (subject.length <= 256 ? subject : nameOf(subject));
  const keep = (subject: string, key: SubjectKey): SubjectKey => {
    kept.delete(shortOf(subject));
    kept.set(shortOf(subject), key);
    for (const oldest of kept.keys()) {
      if (kept.size <= most) break;
      kept.delete(oldest);
    }
    return key;
  };
  const nameOf = (subject: string) =>
    createHash('sha256').update('glacis subject v1\0').update(subject).digest('hex');
  const pathOf = (name: string) => join(folder, name.slice(0, 2), `${name.slice(2)}.json`);
  const contextOf = (name: string) => Buffer.from(`glacis subject ${name}`);
  const read = async (name: string): Promise<SubjectKey | undefined> => {
    const bytes = await readIfThere(pathOf(name));
    if (bytes === undefined) return undefined;
    let record: z.infer<typeof shape>;
    try {
      record = shape.parse(JSON.parse(bytes.toString('utf8')));
    } catch (cause) {
      throw new GlacisError('vault/unreadable', `${pathOf(name)}: expected the key of a subject`, { cause });
    }
    if (record.keyId !== wrapping.id)
      throw new GlacisError(
        'vault/key',
        `${pathOf(name)}: expected the wrapping key ${record.keyId}, got ${wrapping.id}`,
      );
    return derived(await wrapping.unwrap(Buffer.from(record.wrapped, 'base64'), contextOf(name)));
  };
  const make = async (subject: string): Promise<SubjectKey> => {
    const name = nameOf(subject);
    const path = pathOf(name);
    const key = randomBytes(32);
    const wrapped = await wrapping.wrap(key, contextOf(name));
    const record = {
      schema: 'glacis.subject-key/1',
      keyId: wrapping.id,
      wrapped: Buffer.from(wrapped).toString('base64'),
    };
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writePrivate(path, Buffer.from(`${JSON.stringify(record)}\n`));
      for (const at of [dirname(path), folder, dirname(folder)]) await syncFolder(at);
    } catch (thrown) {
      throw asGlacisError(thrown, 'output/unwritable', path);
    }
    return derived(key);
  };
  const inFile = async (start: string, file: string): Promise<SubjectKey | undefined> => {
    const [, rest] = /^([0-9a-f]{62})\.json$/.exec(file) ?? [];
    return rest === undefined ? undefined : read(`${start}${rest}`);
  };
  return {
    inFile,
    ready(subject) {
      const key = kept.get(shortOf(subject));
      return key && keep(subject, key);
    },
    async keyOf(subject) {
      return (
        kept.get(shortOf(subject)) ?? keep(subject, (await read(nameOf(subject))) ?? (await make(subject)))
      );
    },
    async find(subject) {
      const key = kept.get(shortOf(subject)) ?? (await read(nameOf(subject)));
      return key && keep(subject, key);
    },
    async *all() {
      for (const start of await readdir(folder).catch(() => []))
        for (const file of await readdir(join(folder, start)).catch(() => [])) {
          const key = await inFile(start, file);
          if (key) yield key;
        }
    },
    async erase(subject) {
      const path = pathOf(nameOf(subject));
      const key = kept.get(shortOf(subject)) ?? (await read(nameOf(subject)).catch(() => undefined));
      kept.delete(shortOf(subject));
      const bytes = await readIfThere(path);
      if (bytes === undefined) return undefined;
      try {
        // Written over first: on a plain disk nothing of the wrapped key stays. Flash and copies are another matter.
        const handle = await open(path, 'r+');
        try {
          await handle.write(Buffer.alloc(bytes.length), 0, bytes.length, 0);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rm(path);
        await syncFolder(dirname(path));
      } catch (thrown) {
        throw asGlacisError(thrown, 'output/unwritable', path);
      }
      return key?.pseudonym ?? 'unknown';
    },
  };
}

function derived(key: Uint8Array): SubjectKey {
  const of = (use: string) => hmac(key, `glacis subject ${use} v1`);
  return {
    pseudonym: of('name').toString('hex', 0, 16),
    salts: of('salts'),
    payloads: of('payloads'),
    identity: of('identity'),
  };
}
