import { GlacisError } from '../../../core/error.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';

/** A store in memory that can be made to fail. */
export function memoryKeyStore(): KeyStore & {
  readonly rows: Map<string, KeyRecord>;
  fails: boolean;
  loads: number;
} {
  const rows = new Map<string, KeyRecord>();
  const out = new Set<string>();
  let changes = 0;
  const change = (id: string, over: Partial<KeyRecord>) => {
    rows.set(id, { ...rows.get(id)!, ...over });
    changes++;
  };
  const store = {
    rows,
    fails: false,
    loads: 0,
    async load() {
      check();
      store.loads++;
      return { keys: [...rows.values()], damaged: [], shutOut: [...out] };
    },
    async version() {
      check();
      return String(changes);
    },
    async add(record: KeyRecord) {
      check();
      rows.set(record.id, record);
      changes++;
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
      changes++;
    },
  };
  const check = () => {
    if (store.fails) throw new GlacisError('store/unavailable', 'store: expected an answer, got none');
  };
  return store;
}
