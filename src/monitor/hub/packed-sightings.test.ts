import { describe, expect, test } from 'vitest';
import type { Sighting } from '../sighting.ts';
import { sightingPacker, unpackSightings } from './packed-sightings.ts';

const PLAIN: Sighting = {
  id: 'a'.repeat(32),
  entry: undefined,
  at: 1.7e12,
  principal: undefined,
  tenant: undefined,
  credential: undefined,
  address: '10.0.0.1',
  model: 'digits',
  version: undefined,
  digest: undefined,
  n: 1,
  outcome: 'throttled',
  because: undefined,
  detail: undefined,
  guards: [],
  input: undefined,
  top: undefined,
  divergence: undefined,
  bucket: 5,
  sketch: undefined,
};
const WHOLE: Sighting = {
  ...PLAIN,
  entry: 0,
  principal: 'ann\n<b>"',
  tenant: 'ann\n<b>"',
  credential: '',
  version: '2',
  digest: 'sha256:1',
  n: 3,
  because: '__proto__',
  detail: 'scores',
  guards: [
    { guard: 'near', action: 'flag', score: Number.NaN, because: 'x' },
    { guard: 'near', action: 'pass', score: 0.5, because: undefined },
  ],
  input: { shape: [3, 2], mean: 1, deviation: 2, least: -1, most: Number.POSITIVE_INFINITY },
  top: [
    [1, 0.5],
    [-1, Number.NaN],
  ],
  divergence: 0,
  sketch: { values: Float32Array.of(1, Number.NaN, 3, 4), rows: 2, width: 2, samples: [0, 2] },
};

const crossed = (all: readonly Sighting[]) => {
  const packer = sightingPacker();
  for (const each of all) expect(packer.add(each)).toBe(true);
  return unpackSightings(structuredClone(packer.take())).map(plainly);
};

/** All fields: what is read gives them when it is asked. */
function plainly(sighting: Sighting): Sighting {
  const { id, entry, at, principal, tenant, credential, address, model, version, digest, n } = sighting;
  const { outcome, because, detail, guards, input, top, divergence, bucket, sketch } = sighting;
  return {
    ...{ id, entry, at, principal, tenant, credential, address, model, version, digest, n },
    ...{ outcome, because, detail, guards, input, top, divergence, bucket, sketch },
  };
}

describe('sightings that cross threads', () => {
  test('arrive as they were', () => {
    expect(crossed([WHOLE, PLAIN, WHOLE])).toEqual([WHOLE, PLAIN, WHOLE]);
  });

  test('more than the bounds is cut off, and the next one is whole', () => {
    const huge: Sighting = {
      ...WHOLE,
      principal: 'p'.repeat(10_000),
      guards: Array.from({ length: 100 }, () => WHOLE.guards[1]!),
      top: Array.from({ length: 200 }, () => [0, 1] as const),
      input: { ...WHOLE.input!, shape: Array.from({ length: 40 }, () => 1) },
      sketch: { values: new Float32Array(4000), rows: 2, width: 2000, samples: [0, 1] },
    };
    const [first, second] = crossed([huge, WHOLE]);
    expect(first!.principal).toHaveLength(512);
    expect([first!.guards.length, first!.top!.length, first!.input!.shape.length]).toEqual([32, 64, 16]);
    expect(first!.sketch).toBeUndefined();
    expect(second).toEqual(WHOLE);
  });

  test('a full one says so, and is empty after it was taken', () => {
    const packer = sightingPacker();
    let added = 0;
    while (packer.add(WHOLE)) added++;
    expect(added).toBe(256);
    const taken = packer.take();
    expect(taken.count).toBe(256);
    expect(packer.count()).toBe(0);
    packer.recycle(taken.numbers, taken.floats);
    expect(packer.add(PLAIN)).toBe(true);
    packer.take();
    packer.add(PLAIN);
    const again = packer.take();
    expect(again.numbers).toBe(taken.numbers);
    expect(unpackSightings(again).map(plainly)).toEqual([PLAIN]);
    // What was read stays good when the arrays are used again.
    const [read] = unpackSightings(again);
    again.numbers.fill(7);
    expect(plainly(read!)).toEqual(PLAIN);
  });
});
