import { GlacisError } from '../../../core/error.ts';
import type { KeyRecord } from './key-record.ts';
import { type KeySnapshot, type KeyStore, partOf, versionOfKeys } from './key-store.ts';
import { countKey, type KeySums, noKeys } from './key-sums.ts';

/** A store in memory that can be made to fail. */
export function memoryKeyStore(): KeyStore & {
  readonly rows: Map<string, KeyRecord>;
  fails: boolean;
  isOut(principal: string): boolean;
  /** How often all were read, and what changed, and those of some parts. */
  loads: number;
  changes: number;
  partial: number;
  /** Keys that were given so far. */
  given: number;
} {
  const rows = new Map<string, KeyRecord>();
  const out = new Set<string>();
  let acts = 0;
  const change = (id: string, over: Partial<KeyRecord>) => {
    rows.set(id, { ...rows.get(id)!, ...over });
  };
  const snapshot = (wanted: (record: KeyRecord) => boolean): KeySnapshot => {
    const keys = [...rows.values()].filter(wanted);
    store.given += keys.length;
    return { keys, damaged: [], shutOut: [...out] };
  };
  const store = {
    rows,
    fails: false,
    isOut: (principal: string) => out.has(principal),
    loads: 0,
    changes: 0,
    partial: 0,
    given: 0,
    async load(_most: number): Promise<KeySnapshot> {
      check();
      store.loads++;
      return snapshot(() => true);
    },
    async changed(since: number, _most: number): Promise<KeySnapshot> {
      check();
      store.changes++;
      const made = (id: string | undefined) => id !== undefined && (rows.get(id)?.created ?? -1) >= since;
      return snapshot(
        ({ created, revoked, replacedBy }) =>
          created >= since || (revoked ?? -1) >= since || made(replacedBy),
      );
    },
    async parts() {
      check();
      const parts = new Map<string, KeySums>();
      for (const record of rows.values()) {
        const sums = parts.get(partOf(record.id)) ?? noKeys();
        parts.set(partOf(record.id), sums);
        countKey(sums, record, 1);
      }
      return new Map([...parts].map(([part, sums]) => [part, versionOfKeys(sums)]));
    },
    async keysIn(parts: readonly string[], _most: number) {
      check();
      store.partial++;
      return snapshot(({ id }) => parts.includes(partOf(id)));
    },
    async version() {
      check();
      const sums = noKeys();
      for (const record of rows.values()) countKey(sums, record, 1);
      return { keys: versionOfKeys(sums), principals: String(acts) };
    },
    async add(record: KeyRecord) {
      check();
      rows.set(record.id, record);
    },
    async replace(old: string, expires: number, record: KeyRecord) {
      check();
      change(old, { expires, replacedBy: record.id });
      rows.set(record.id, record);
    },
    async revoke(id: string, { at, by, because }: { at: number; by: string; because?: string | undefined }) {
      check();
      if (!rows.has(id) || rows.get(id)!.revoked !== undefined) return false;
      change(id, { revoked: at, revokedBy: by, revokedBecause: because });
      return true;
    },
    async used(times: readonly (readonly [string, number])[]) {
      check();
      for (const [id, lastUsed] of times) rows.set(id, { ...rows.get(id)!, lastUsed });
    },
    async shutOut(principal: string, _tenant: string, isOut: boolean) {
      check();
      if (isOut) out.add(principal);
      else out.delete(principal);
      acts++;
    },
  };
  const check = () => {
    if (store.fails) throw new GlacisError('store/unavailable', 'store: expected an answer, got none');
  };
  return store;
}
