import { MOST_TEXT } from '../packed/record.ts';
import type { Sighting } from '../sighting.ts';

/** All fields, texts cut as batches cut them. */
export function plainly(sighting: Sighting): Sighting {
  const cut = <T>(value: T): T => (typeof value === 'string' ? (value.slice(0, MOST_TEXT) as T) : value);
  const { guards, sketch, top, input } = sighting;
  return {
    ...{ id: cut(sighting.id), entry: sighting.entry, at: sighting.at, principal: cut(sighting.principal) },
    ...{ tenant: cut(sighting.tenant), credential: cut(sighting.credential), address: cut(sighting.address) },
    ...{ model: cut(sighting.model), version: cut(sighting.version), digest: cut(sighting.digest) },
    ...{ n: sighting.n, outcome: cut(sighting.outcome), because: cut(sighting.because) },
    ...{ detail: cut(sighting.detail), divergence: sighting.divergence, bucket: sighting.bucket },
    guards: guards.map(({ guard, action, score, because }) => ({
      ...{ guard: cut(guard), action: cut(action), score, because: cut(because) },
    })),
    ...{ input, top: top?.map(([label, score]) => [label, score] as const) },
    sketch: sketch && { ...sketch, values: Float32Array.from(sketch.values) },
  };
}
