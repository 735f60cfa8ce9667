import { ATTACK_MONITORS } from '../../../src/monitor/attack/registry.ts';
import type { Sighting } from '../../../src/monitor/sighting.ts';
import { DIGIT } from '../stateful/pictures.ts';
import { sightingOf } from './traffic.ts';
import { watchWith } from './watched.ts';

/** Queries of an attack with the model's logits. */
export interface Queries {
  readonly n: number;
  readonly x: Float32Array;
  readonly scores: Float32Array;
}

/** What came of an attack against the monitors alone. */
export interface Caught {
  /** Queries of the attack when the first alarm named one of its keys, and when all keys had been named. */
  readonly first: number | undefined;
  readonly all: number | undefined;
  /** By which monitors. */
  readonly by: readonly string[];
  /** Calm clients that were named as well. */
  readonly innocent: number;
}

/** One of these calls of others goes between the attack's. */
const EVERY = 3;

/**
 * Sends an attack's queries past the monitors of attacks, one query a call, from `keys` keys in turn, each with `decoys` calm queries before every one of the attack's; every third call is a calm client's. A key that was
 * named is cut off, and the attack goes on with the others.
 */
export function caughtAfter(
  calibration: Readonly<Record<string, unknown>>,
  attack: Queries,
  around: readonly Sighting[],
  { keys, decoys, name }: { readonly keys: number; readonly decoys: number; readonly name: string },
): Caught {
  const names = new Set(ATTACK_MONITORS.map(({ name: own }) => own));
  const { watch } = watchWith(calibration, (kind) => names.has(kind));
  const half = Math.floor(around.length / 2);
  watch.see(around.slice(0, half));
  let at = around[half]!.at;
  let [others, lures, sent] = [half, 0, 0];
  const keysNamed = new Set<string>();
  const by = new Set<string>();
  let innocent = 0;
  let first: number | undefined;
  const pass = (sighting: Sighting) => {
    for (const alarm of watch.see([sighting])) {
      for (const principal of alarm.principals) {
        if (!principal.startsWith('evil ')) innocent++;
        else if (!keysNamed.has(principal)) {
          keysNamed.add(principal);
          first ??= sent;
          by.add(alarm.monitor);
        }
      }
    }
  };
  for (let i = 0; i < attack.n && keysNamed.size < keys; i++) {
    let key = i % keys;
    while (keysNamed.has(`evil ${key}`)) key = (key + 1) % keys;
    const who = {
      principal: `evil ${key}`,
      tenant: 'evil',
      credential: `evil ${key}`,
      address: `203.0.113.${key % 250}`,
    };
    for (let d = 0; d < decoys && !keysNamed.has(who.principal); d++) {
      at += 150;
      const lure = around[(lures++ * 13) % half]!;
      pass({ ...lure, ...who, at, id: `${name} lure ${lures}` });
    }
    if (keysNamed.has(who.principal)) continue;
    at += 150;
    if (sent % EVERY === 0) pass({ ...around[others++ % around.length]!, at, id: `${name} other ${others}` });
    sent++;
    pass(
      sightingOf(
        { ...who, at, id: `${name} ${i}` },
        attack.x.subarray(i * DIGIT, (i + 1) * DIGIT),
        attack.scores.subarray(i * 10, (i + 1) * 10),
      ),
    );
  }
  return { first, all: keysNamed.size === keys ? sent : undefined, by: [...by], innocent };
}
