import { asGlacisError } from '../../../core/error.ts';
import { Refused } from '../../refusal.ts';
import type { IssuerKey, TokenAlgorithm } from './key-set.ts';

/** How long keys are good for. Milliseconds. */
export interface KeySourceLimits {
  /** After this the issuer is asked again. */
  readonly fresh: number;
  /** How much longer the old keys hold while the issuer does not answer. */
  readonly grace: number;
  /** Least time between two questions, whoever asks for whatever. */
  readonly cooldown: number;
}

/** A key in use. */
export interface LiveKey extends IssuerKey {
  /** False once the issuer no longer lists it. */
  readonly isLive: boolean;
}

/** The keys of one issuer. */
export interface KeySource {
  /**
   * The key for a token, looked up by its `kid` among the keys that the issuer listed; a `kid` that is not there has the issuer asked again, at most once in a
   * cooldown. Undefined where there is none. Errors: `Refused` `unavailable` where the issuer's keys are not known, or older than the grace.
   */
  find(kid: string | undefined, algorithm: TokenAlgorithm): Promise<LiveKey | undefined>;
  /** Whether the keys may still be relied on; asks the issuer again, without waiting, when they are no longer fresh. */
  isUsable(): boolean;
  /** How often the issuer was asked. */
  readonly asked: number;
}

/** What a source needs. */
export interface KeySourceSurroundings {
  /** Asks the issuer. */
  readonly load: () => Promise<readonly IssuerKey[]>;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  /** For messages. */
  readonly name: string;
}

/** Keeps the keys of an issuer. Nothing is asked before the first token. */
export function openKeySource(
  { fresh, grace, cooldown }: KeySourceLimits,
  { load, clock, failed, name }: KeySourceSurroundings,
): KeySource {
  let keys: readonly (LiveKey & { isLive: boolean })[] = [];
  let loaded = Number.NEGATIVE_INFINITY;
  let tried = Number.NEGATIVE_INFINITY;
  let asked = 0;
  let pending: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    tried = clock();
    asked++;
    try {
      const listed = await load();
      const known = new Map(keys.map((key) => [key.print, key]));
      const next = listed.map((key) => {
        const before = known.get(key.print);
        return before !== undefined && before.kid === key.kid ? before : { ...key, isLive: true };
      });
      for (const key of keys) key.isLive = next.includes(key);
      keys = next;
      loaded = clock();
    } catch (thrown) {
      failed(`issuer ${name}`, asGlacisError(thrown, 'endpoint/unavailable', name));
    } finally {
      pending = undefined;
    }
  };
  /** Undefined while the issuer may not be asked again. */
  const again = (): Promise<void> | undefined => {
    if (pending === undefined && clock() - tried < cooldown) return undefined;
    pending ??= ask();
    return pending;
  };
  const look = (kid: string | undefined, algorithm: TokenAlgorithm): LiveKey | undefined => {
    const fitting = keys.filter(
      (key) => key.algorithms.includes(algorithm) && (kid === undefined || key.kid === kid),
    );
    // Without a name, or with one that several have, there must be no choice.
    return fitting.length === 1 ? fitting[0] : undefined;
  };
  return {
    async find(kid, algorithm) {
      if (clock() - loaded > fresh) await again();
      if (clock() - loaded > fresh + grace)
        throw new Refused('unavailable', `issuer ${name}: its keys are not known, or too old`);
      const found = look(kid, algorithm);
      if (found !== undefined) return found;
      await again();
      return look(kid, algorithm);
    },
    isUsable() {
      const age = clock() - loaded;
      if (age > fresh) void again();
      return age <= fresh + grace;
    },
    get asked() {
      return asked;
    },
  };
}
