import { readFile } from 'node:fs/promises';
import { asGlacisError } from '../../core/error.ts';
import { logSigners } from '../../registry/log-key.ts';
import { memoryHome, memoryOf } from '../../registry/memory.ts';
import { privateKeysIn } from '../../registry/party-key.ts';
import { openPlace } from '../../registry/place.ts';
import { freeze } from '../../registry/promote.ts';
import { openRegistry } from '../../registry/registry.ts';
import { parseTrust } from '../../registry/trust.ts';
import type { ContainConfig } from './config-schema.ts';

/** How a registry took it: `done`; `waits`, because others must sign as well; or why not. */
export type FreezeOutcome = {
  readonly registry: string;
  readonly outcome: 'done' | 'waits' | { readonly failed: string };
};

/** Freezes registries, or thaws them, with a reason that everybody sees who opens them. Never throws. */
export type FreezeRegistries = (frozen: boolean, reason: string) => Promise<readonly FreezeOutcome[]>;

/** What reaching registries depends on. */
export interface FreezeSurroundings {
  /** Makes a path of the configuration absolute. */
  readonly placeOf: (path: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home, below which this machine remembers registries. */
  readonly home: string;
  readonly now: () => number;
}

/** A reason in a registry is shorter than that. */
const MOST_REASON = 1000;

/** Signs a freeze or a thaw with the keys that this gateway was given: it is an approver of these registries. */
export function freezeRegistries(
  { registries }: ContainConfig,
  { placeOf, env, home, now }: FreezeSurroundings,
): FreezeRegistries {
  const one = async (
    { location, trust: trustFile, key, logKey }: ContainConfig['registries'][number],
    frozen: boolean,
    reason: string,
  ): Promise<FreezeOutcome['outcome']> => {
    const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(location);
    const place = openPlace(isAddress ? location : placeOf(location), env);
    const read = (file: string) => readFile(placeOf(file));
    const trust = trustFile === undefined ? undefined : parseTrust(await read(trustFile), trustFile);
    const registry = await openRegistry({
      place,
      memory: memoryOf(memoryHome(env, home), place.where),
      trust,
      now: () => new Date(now()),
    });
    const { origin } = registry.trust;
    const keeper = {
      origin,
      signers: logSigners(await read(logKey), origin, logKey),
      now: () => new Date(now()),
    };
    const keys = privateKeysIn(await read(key), key, env.GLACIS_KEY_PASSWORD);
    const done = await freeze(registry, { frozen, reason: reason.slice(0, MOST_REASON) }, { keeper, keys });
    return done.pending === undefined ? 'done' : 'waits';
  };
  return async (frozen, reason) => {
    const outcomes: FreezeOutcome[] = [];
    for (const registry of registries)
      outcomes.push({
        registry: registry.location,
        outcome: await one(registry, frozen, reason).catch((thrown) => ({
          failed: asGlacisError(thrown, 'registry/storage', registry.location).message,
        })),
      });
    return outcomes;
  };
}
