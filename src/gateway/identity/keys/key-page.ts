import type { KeyRecord } from './key-record.ts';

/** States of a key. */
export const KEY_STATES = ['active', 'ending', 'expired', 'revoked'] as const;

/** One of {@link KEY_STATES}. `ending`: another key has taken its place, and it holds on for a while. */
export type KeyState = (typeof KEY_STATES)[number];

/** Which keys are wanted. */
export interface KeyQuery {
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  /** Part of an id, a name, a principal, a tenant or a role, in any case. */
  readonly find?: string | undefined;
  readonly state?: KeyState | undefined;
  /** The id of the last key of the page before. */
  readonly before?: string | undefined;
  readonly most: number;
}

/** How a key stands at `now`. */
export function keyState({ revoked, expires, replacedBy }: KeyRecord, now: number): KeyState {
  if (revoked !== undefined) return 'revoked';
  if (expires !== undefined && expires <= now) return 'expired';
  return replacedBy === undefined ? 'active' : 'ending';
}

/** A page of keys, the newest first, and how many fit in all. Cost: one look at each key; no list of all is sorted. */
export function keyPage(
  keys: readonly KeyRecord[],
  { principal, tenant, find = '', state, before, most }: KeyQuery,
  now: number,
): { readonly rows: readonly KeyRecord[]; readonly next: string | undefined; readonly total: number } {
  const text = find.toLowerCase();
  const last = before === undefined ? undefined : keys.find(({ id }) => id === before);
  const page: KeyRecord[] = [];
  let total = 0;
  for (const key of keys) {
    if (principal !== undefined && key.principal !== principal) continue;
    if (tenant !== undefined && key.tenant !== tenant) continue;
    if (state !== undefined && keyState(key, now) !== state) continue;
    if (text !== '' && !textsOf(key).some((each) => each.toLowerCase().includes(text))) continue;
    total++;
    if (last !== undefined && !isBefore(last, key)) continue;
    // One more than wanted shows whether there is a next page.
    if (page.length > most && !isBefore(key, page.at(-1)!)) continue;
    let at = page.length;
    while (at > 0 && isBefore(key, page[at - 1]!)) at--;
    page.splice(at, 0, key);
    if (page.length > most + 1) page.pop();
  }
  const rows = page.slice(0, most);
  return { rows, next: page.length > most ? rows.at(-1)!.id : undefined, total };
}

/** Whether `a` comes before `b` in a list: the newer first, ids as they come where both are of the same time. */
function isBefore(a: KeyRecord, b: KeyRecord): boolean {
  return a.created === b.created ? a.id < b.id : a.created > b.created;
}

function textsOf({ id, name, principal, tenant, roles }: KeyRecord): readonly string[] {
  return [id, name ?? '', principal, tenant, ...roles];
}
