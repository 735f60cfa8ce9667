import type { Sighting } from './sighting.ts';

let next = 0;

/** A call that was answered, with what is given instead. */
export function sighting(given: Partial<Sighting> = {}): Sighting {
  const number = next++;
  return {
    id: number.toString(16).padStart(32, '0'),
    at: 1_790_000_000_000 + number * 100,
    principal: 'ann',
    tenant: 'acme',
    credential: 'key',
    address: '10.0.0.1',
    model: 'digits',
    version: '1',
    digest: 'sha256:1',
    n: 1,
    outcome: 'answered',
    guards: [],
    bucket: 5,
    ...given,
  };
}
