import { access, readdir } from 'node:fs/promises';
import type { DecisionEntry, Who } from '../read-entry.ts';
import { openBytes } from '../sealed-bytes.ts';
import type { SubjectKeys } from '../subject-keys.ts';

/** Between two looks for keys that have come, in milliseconds. */
const LOOK_EVERY = 5000;

/** Opens who entries are about. What was erased stays closed. */
export interface SubjectNames {
  /** What the log calls somebody; undefined where there is no key. */
  pseudonym(subject: string): Promise<string | undefined>;
  whoOf(entry: DecisionEntry): Promise<Who | undefined>;
}

/** Reads keys as they are needed. Each is looked for on the disk before it is used: a key that was erased a moment ago opens nothing. `keys` remembers nothing that is gone. */
export function subjectNames(keys: () => Promise<SubjectKeys>, folder: string): SubjectNames {
  /** By pseudonym: the key, and the file that it is in. */
  const known = new Map<string, { readonly identity: Uint8Array; readonly file: string }>();
  const read = new Set<string>();
  let looked = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    if (performance.now() - looked < LOOK_EVERY) return;
    looked = performance.now();
    const opened = await keys();
    for (const start of await readdir(folder).catch(() => []))
      for (const name of await readdir(`${folder}/${start}`).catch(() => [])) {
        const file = `${folder}/${start}/${name}`;
        if (read.has(file)) continue;
        const key = await opened.inFile(start, name);
        if (key === undefined) continue;
        read.add(file);
        known.set(key.pseudonym, { identity: key.identity, file });
      }
  };
  return {
    async pseudonym(subject) {
      return (await (await keys()).find(subject))?.pseudonym;
    },
    async whoOf(entry) {
      if (typeof entry.who !== 'string') return entry.who;
      if (!known.has(entry.subject)) await look();
      const found = known.get(entry.subject);
      if (found === undefined) return undefined;
      try {
        await access(found.file);
      } catch {
        known.delete(entry.subject);
        read.delete(found.file);
        return undefined;
      }
      const id = Buffer.from(entry.decision.id, 'hex');
      const plain = openBytes(found.identity, id, 'who', Buffer.from(entry.who, 'base64'));
      return JSON.parse(plain.toString('utf8')) as Who;
    },
  };
}
