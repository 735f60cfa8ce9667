import { hash, randomBytes } from 'node:crypto';

/** A time for each name, in bounded memory. */
export interface BoundedTimes {
  /** The time of `name`, or 0. */
  get(name: string): number;
  /** Sets it; `now` tells which times have passed and may be forgotten. */
  set(name: string, time: number, now: number): void;
  /** Names held apart. */
  readonly size: number;
}

/** Entries that are looked at for each one that wants in when the table is full. */
const LOOKED_AT = 32;

/** Places that names share when all are taken. */
const SHARED = 65_536;

/**
 * Times that lie ahead, by name. A time that has passed may be forgotten; one that has not never is, whoever floods the table with names:
 * when it is full, further names share places, by a hash that nobody outside can foresee, and each place keeps the latest time. So a flood
 * makes newcomers wait longer and never lets anybody through.
 */
export function boundedTimes(most: number): BoundedTimes {
  const own = new Map<string, number>();
  const secret = randomBytes(16).toString('hex');
  let shared: Float64Array | undefined;
  let walk = own.entries();
  const placeOf = (name: string) => hash('sha256', `${secret}${name}`, 'buffer').readUInt32LE(0) % SHARED;
  /** Looks for passed times where it stopped before; true once there is room. */
  const makeRoom = (now: number): boolean => {
    for (let looked = 0; looked < LOOKED_AT && own.size >= most; looked++) {
      const next = walk.next();
      if (next.done) walk = own.entries();
      else if (next.value[1] <= now) own.delete(next.value[0]);
    }
    return own.size < most;
  };
  return {
    get(name) {
      const time = own.get(name);
      if (time !== undefined) return time;
      return shared === undefined ? 0 : shared[placeOf(name)]!;
    },
    set(name, time, now) {
      if (own.has(name) || makeRoom(now)) {
        own.set(name, time);
        return;
      }
      shared ??= new Float64Array(SHARED);
      const place = placeOf(name);
      shared[place] = Math.max(shared[place]!, time);
    },
    get size() {
      return own.size;
    },
  };
}
