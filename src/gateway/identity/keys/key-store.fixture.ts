import { GlacisError } from '../../../core/error.ts';
import type { KeyRecord } from './key-record.ts';
import { type KeySnapshot, type KeyStore, versionOfKeys } from './key-store.ts';

/** A store in memory that can be made to fail. */
export function memoryKeyStore(): KeyStore & {
  readonly rows: Map<string, KeyRecord>;
  fails: boolean;
  isOut(principal: string): boolean;
  /** How often all were read, and what changed. */
  loads: number;
  changes: number;
} {
  const rows = new Map<string, KeyRecord>();
  const out = new Set<string>();
  let acts = 0;
  const change = (id: string, over: Partial<KeyRecord>) => {
    rows.set(id, { ...rows.get(id)!, ...over });
  };
  const store = {
    rows,
    fails: false,
    isOut: (principal: string) => out.has(principal),
    loads: 0,
    changes: 0,
    async load(_most: number): Promise<KeySnapshot> {
      check();
      store.loads++;
      return { keys: [...rows.values()], damaged: [], shutOut: [...out] };
    },
    async changed(since: number, _most: number): Promise<KeySnapshot> {
      check();
      store.changes++;
      const made = (id: string | undefined) => id !== undefined && (rows.get(id)?.created ?? -1) >= since;
      const keys = [...rows.values()].filter(
        ({ created, revoked, replacedBy }) =>
          created >= since || (revoked ?? -1) >= since || made(replacedBy),
      );
      return { keys, damaged: [], shutOut: [...out] };
    },
    async version() {
      check();
      const sum = (of: (record: KeyRecord) => number | undefined) =>
        [...rows.values()].reduce((all, record) => all + BigInt(of(record) ?? 0), 0n);
      const keys = versionOfKeys({
        count: rows.size,
        created: sum(({ created }) => created),
        expires: sum(({ expires }) => expires),
        revoked: sum(({ revoked }) => revoked),
      });
      return { keys, principals: String(acts) };
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
