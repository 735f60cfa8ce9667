import type { Principal } from '../principal.ts';
import { type RatesConfig, ratesSchema } from './rates-schema.ts';

/** A principal of that name. */
export function principalFixture(id: string, rest: Partial<Principal> = {}): Principal {
  return { id, tenant: 'acme', credential: `key-${id}`, kind: 'key', roles: [], ...rest };
}

/** Limits as `glacis.yaml` would have them. */
export function ratesFixture(limits: readonly object[], rest: object = {}): RatesConfig {
  return ratesSchema.parse({ limits, ...rest });
}
