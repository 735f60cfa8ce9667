import { type Rng, randomFrom } from '../../core/random.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';

/** When traffic begins in these tests. */
export const START = 1_790_000_000_000;

/** Calm or changed traffic for tests: `calls` calls, one sample each, `gap` milliseconds apart, from `clients` clients. */
export interface Traffic {
  readonly calls: number;
  readonly gap?: number;
  readonly clients?: number;
  readonly from?: number;
  readonly seed?: number;
  readonly features?: (rng: Rng, i: number, client: string) => readonly number[];
  readonly top?: (rng: Rng, i: number, client: string) => readonly [label: number, score: number];
  readonly more?: (rng: Rng, i: number, client: string) => Partial<Sighting>;
}

/** Four features: normal, uniform, three categories, constant. */
export const FEATURES = ['age', 'share', 'kind', 'fixed'];

export const calmFeatures = (rng: Rng): readonly number[] => [rng.normal(), rng.uniform(), rng.integer(3), 7];

/** Three classes in shares of a half, 0.3 and 0.2, with confidences that go with them. */
export function calmTop(rng: Rng): readonly [number, number] {
  const u = rng.uniform();
  return [u < 0.5 ? 0 : u < 0.8 ? 1 : 2, 1 - 0.5 * rng.uniform() ** 2];
}

export function traffic({
  calls,
  gap = 1000,
  clients = 12,
  from = START,
  seed = 1,
  features = calmFeatures,
  top = calmTop,
  more = () => ({}),
}: Traffic): readonly Sighting[] {
  const rng = randomFrom(seed, 'traffic', from, calls);
  return Array.from({ length: calls }, (_, i) => {
    const client = `client ${rng.integer(clients)}`;
    const values = Float32Array.from(features(rng, i, client));
    return {
      id: `${from.toString(16)}-${seed}-${i}`,
      at: from + i * gap,
      principal: client,
      tenant: undefined,
      credential: undefined,
      address: '10.0.0.1',
      model: 'digits',
      version: '1',
      digest: 'sha256:1',
      n: 1,
      outcome: 'answered',
      guards: [],
      top: [top(rng, i, client)],
      bucket: 5,
      sketch: { values, rows: 1, width: values.length, samples: [0] },
      ...more(rng, i, client),
    };
  });
}

let ids = 0;

/** A setting for a monitor of that traffic. */
export function setting(given: Partial<MonitorSetting> = {}): MonitorSetting {
  return {
    ...{ model: 'digits', version: '1', digest: 'sha256:1', classes: 3, features: FEATURES },
    ...{ calibration: undefined, calm: [], seed: 5, freshId: () => String(ids++) },
    ...given,
  };
}
