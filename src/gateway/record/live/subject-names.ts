import { access, readdir } from 'node:fs/promises';
import type { DecisionEntry, Who } from '../read-entry.ts';
import { openBytes } from '../sealed-bytes.ts';
import type { SubjectKey, SubjectKeys } from '../subject-keys.ts';

/** Between two looks for keys that have come, in milliseconds. */
const LOOK_EVERY = 5000;

/** Opens who entries are about. What was erased stays closed. */
export interface SubjectNames {
  /** What the log calls somebody; undefined where there is no key. */
  pseudonym(subject: string): Promise<string | undefined>;
  /** The key of whom an entry is about; undefined where it was erased. `anew`: also one that came within the last seconds. */
  keyOf(entry: Pick<DecisionEntry, 'subject' | 'who'>, anew?: boolean): Promise<SubjectKey | undefined>;
  whoOf(entry: DecisionEntry): Promise<Who | undefined>;
}

/** Reads keys as they are needed. Each is looked for on the disk before it is used: a key that was erased a moment ago opens nothing. `keys` remembers nothing that is gone. */
export function subjectNames(keys: () => Promise<SubjectKeys>, folder: string): SubjectNames {
  /** By pseudonym: the key, and the file that it is in. */
  const known = new Map<string, { readonly key: SubjectKey; readonly file: string }>();
  const read = new Set<string>();
  let looked = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    looked = performance.now();
    const opened = await keys();
    for (const start of await readdir(folder).catch(() => []))
      for (const name of await readdir(`${folder}/${start}`).catch(() => [])) {
        const file = `${folder}/${start}/${name}`;
        if (read.has(file)) continue;
        const key = await opened.inFile(start, name);
        if (key === undefined) continue;
        read.add(file);
        known.set(key.pseudonym, { key, file });
      }
  };
  /** Looks for keys where it is time to, once for all who ask meanwhile; `anew`: in any case. */
  const lookIfTime = async (anew = false): Promise<void> => {
    if (anew) await looking;
    else if (looking === undefined && performance.now() - looked < LOOK_EVERY) return;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    await looking;
  };
  /** The key that the log calls so, as long as its file is there. */
  const atHand = async (subject: string): Promise<SubjectKey | undefined> => {
    const found = known.get(subject);
    if (found === undefined) return undefined;
    try {
      await access(found.file);
    } catch {
      known.delete(subject);
      read.delete(found.file);
      return undefined;
    }
    return found.key;
  };
  return {
    async pseudonym(subject) {
      return (await (await keys()).find(subject))?.pseudonym;
    },
    async keyOf({ subject, who }, anew = false) {
      // Mostly the subject is who asked: one file in place of all of them.
      const named = typeof who === 'string' ? undefined : who.principal;
      const own = named === undefined ? undefined : await (await keys()).find(named);
      if (own?.pseudonym === subject) return own;
      if (!known.has(subject)) await lookIfTime(anew);
      return atHand(subject);
    },
    async whoOf(entry) {
      if (typeof entry.who !== 'string') return entry.who;
      if (!known.has(entry.subject)) await lookIfTime();
      const key = await atHand(entry.subject);
      if (key === undefined) return undefined;
      const id = Buffer.from(entry.decision.id, 'hex');
      const plain = openBytes(key.identity, id, 'who', Buffer.from(entry.who, 'base64'));
      return JSON.parse(plain.toString('utf8')) as Who;
    },
  };
}
