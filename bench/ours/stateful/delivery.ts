import type { ClientWatch } from '../../../src/detect/clients/client-detector.ts';
import type { Observations } from '../../../src/detect/detector.ts';

/** How an attacker sends its queries. */
export interface Delivery {
  readonly name: string;
  /** Keys that take turns. */
  readonly keys: number;
  /** Calm queries that each key sends for one of the attack. */
  readonly decoys: number;
  /** The keys belong to clients that are declared as cameras. */
  readonly stream?: boolean;
}

/** The plain way. */
export const PLAIN: Delivery = { name: 'one key', keys: 1, decoys: 0 };

/**
 * Sends queries past a watch until it raises an alarm: gives how many queries of the attack had been sent (that one included) for each threshold, infinite where none was
 * raised. A score is an alarm above the threshold.
 */
export function caughtAfter(
  watch: ClientWatch,
  attack: Observations,
  calm: Observations,
  { keys, decoys, stream = false }: Delivery,
  thresholds: readonly number[],
): readonly number[] {
  const after = thresholds.map(() => Number.POSITIVE_INFINITY);
  let decoy = 0;
  for (let i = 0; i < attack.n; i++) {
    const asker = `attacker ${i % keys}`;
    const heard = (score: number) => {
      for (const [t, threshold] of thresholds.entries())
        if (score > threshold && after[t] === Number.POSITIVE_INFINITY) after[t] = i + 1;
    };
    for (let d = 0; d < decoys; d++) heard(watch.observe(asker, calm, decoy++ % calm.n, stream).score);
    heard(watch.observe(asker, attack, i, stream).score);
    if (after.every((n) => n < Number.POSITIVE_INFINITY)) break;
  }
  return after;
}
