import type { DamagedKey } from './key-store.ts';

/** What some keys amount to: `versionOfKeys` of it is what the store tells of the same ones. */
export interface KeySums {
  count: number;
  created: bigint;
  expires: bigint;
  revoked: bigint;
}

/** Sums of no keys. */
export function noKeys(): KeySums {
  return { count: 0, created: 0n, expires: 0n, revoked: 0n };
}

/** Counts a key that came (1) or went (−1). */
export function countKey(sums: KeySums, { created, expires, revoked }: DamagedKey, sign: 1 | -1): void {
  const times = BigInt(sign);
  sums.count += sign;
  sums.created += times * BigInt(created);
  if (expires !== undefined) sums.expires += times * BigInt(expires);
  if (revoked !== undefined) sums.revoked += times * BigInt(revoked);
}
