import type { Talk } from './question.ts';
import type { Victim } from './sample-attack.ts';

/**
 * The choice of an example by another measure than the nearest in the ball's norm: with a margin to spare, or by a distance of the attack's
 * own. Points are asked about as probes then, and only the chosen one is put forward at the end.
 */
export interface OwnChoice {
  /** What questions about points say of them. */
  readonly probe: boolean;
  /** Takes a point that may be chosen; the least `cost` wins. */
  see(point: Float32Array, cost: number): void;
  /** Puts the chosen point forward. */
  putForward(): Talk;
}

/** {@link OwnChoice} where `isWanted`; otherwise the nearest point counts by itself, and nothing here does anything. */
export function ownChoice({ size, answers }: Victim, isWanted: boolean): OwnChoice {
  const chosen = new Float32Array(isWanted ? size : 0);
  let least = Number.POSITIVE_INFINITY;
  return {
    probe: isWanted,
    see(point, cost) {
      if (!(isWanted && cost < least)) return;
      least = cost;
      chosen.set(point);
    },
    *putForward() {
      if (least < Number.POSITIVE_INFINITY) yield* answers(chosen);
    },
  };
}
