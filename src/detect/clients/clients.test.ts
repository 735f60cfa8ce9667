import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { calibrationToJson } from '../calibration/read-calibration.ts';
import type { Observations } from '../detector.ts';
import { calmClients, observed, samples, WATCHED } from '../extraction/clients.fixture.ts';
import { calibrateClients } from './calibrate-clients.ts';
import type { ClientDetector } from './client-detector.ts';
import { clientParts } from './client-parts.ts';
import { nearDuplicateClients } from './near-duplicates.ts';
import { shiftClients } from './query-shift.ts';
import { similarClients } from './similar-queries.ts';

const MEMORY = { salt: 1, capacity: 4096, askers: 256 };
const DETECTORS = [nearDuplicateClients, similarClients, shiftClients] as readonly ClientDetector<unknown>[];
const parts = {
  fit: calmClients(30, 80, 1),
  threshold: calmClients(40, 80, 2),
  heldOut: calmClients(40, 80, 3),
};
const interval = () => [0, 1] as const;

const variations = (): Observations => {
  const rng = randomFrom(4, 'attack');
  const [x0] = [samples(1, rng)];
  const x = new Float32Array(60 * 16);
  for (let i = 0; i < x.length; i++) x[i] = x0[i % 16]! + 0.02 * rng.normal();
  return observed(x);
};
const again = (): Observations => {
  const rng = randomFrom(5, 'attack');
  const parents = samples(60, rng);
  return observed(Float32Array.from([...parents, ...parents.map((v) => v + 0.05 * rng.normal())]));
};
const elsewhere = (): Observations => observed(samples(80, randomFrom(6, 'attack'), 1.5));
const ATTACKS: Readonly<Record<string, () => Observations>> = {
  'near-duplicates': variations,
  'similar-queries': again,
  'query-shift': elsewhere,
};

describe.each(DETECTORS.map((detector) => [detector.id, detector] as const))('%s', (id, detector) => {
  const calibration = calibrateClients(detector, WATCHED, parts, [0.05], MEMORY, interval);

  test('is calibrated to a rate of clients, keeps to it, and finds its attack', () => {
    const [found] = calibration.thresholds;
    expect(found).toMatchObject({ rate: 0.05, calm: 40 });
    expect(found!.threshold).toBeGreaterThanOrEqual(1);
    expect(found!.heldOut.alarms / found!.heldOut.n).toBeLessThanOrEqual(0.15);
    const watch = detector.open(calibration.fit, WATCHED, MEMORY);
    const attack = ATTACKS[id]!();
    let most = 0;
    for (let i = 0; i < attack.n; i++) most = Math.max(most, watch.observe('eve', attack, i).score);
    expect(most).toBeGreaterThan(found!.threshold);
  });

  test('what it learnt survives JSON', () => {
    const text = calibrationToJson({ guards: { [id]: calibration } } as never);
    const fit: unknown = JSON.parse(text).guards[id].fit;
    const read = detector.kept.parse(fit);
    const attack = ATTACKS[id]!();
    const scoresOf = (of: unknown) => {
      const watch = detector.open(of, WATCHED, MEMORY);
      return Array.from({ length: attack.n }, (_, i) => watch.observe('eve', attack, i));
    };
    expect(scoresOf(read)).toEqual(scoresOf(calibration.fit));
    expect(detector.kept.safeParse({ ...(fit as object), more: 1 }).success).toBe(false);
  });

  test('too few clients allow no threshold', () => {
    const few = { ...parts, threshold: parts.threshold.slice(0, 10) };
    expect(calibrateClients(detector, WATCHED, few, [0.05], MEMORY, interval).thresholds).toEqual([]);
  });

  test('goes on after a restart', () => {
    const attack = ATTACKS[id]!();
    const watch = detector.open(calibration.fit, WATCHED, MEMORY);
    for (let i = 0; i < attack.n - 1; i++) watch.observe('eve', attack, i);
    const restarted = detector.open(calibration.fit, WATCHED, MEMORY, watch.snapshot());
    expect(restarted.observe('eve', attack, attack.n - 1)).toEqual(
      watch.observe('eve', attack, attack.n - 1),
    );
  });
});

describe('clients', () => {
  test('detectors of features refuse models without', () => {
    const { features: _, ...without } = WATCHED;
    for (const detector of [similarClients, shiftClients])
      expect(() => detector.fit(parts.fit, without)).toThrow(
        expect.objectContaining({ code: 'option/invalid' }),
      );
  });

  test('that go on for longer than those of the calibration stay calm', () => {
    for (const detector of DETECTORS) {
      const watch = detector.open(detector.fit(parts.fit, WATCHED), WATCHED, MEMORY);
      let highest = 0;
      for (const [c, client] of calmClients(5, 1000, 7).entries())
        for (let i = 0; i < client.n; i++)
          highest = Math.max(highest, watch.observe(`calm ${c}`, client, i).score);
      expect(highest, detector.id).toBeLessThan(1);
    }
  });

  test('are made of runs of calm samples, each sample of one client, each client in one part', () => {
    const n = 4000;
    const calm: Observations = {
      n,
      x: Float32Array.from({ length: n }, (_, i) => i),
      scores: Float32Array.from({ length: 2 * n }, (_, i) => Math.floor(i / 2)),
    };
    const { fit, threshold, heldOut } = clientParts(calm, 1);
    expect([fit.length, threshold.length, heldOut.length]).toEqual([50, 100, 50]);
    const all = [...fit, ...threshold, ...heldOut];
    for (const { n: queries, x, scores } of all) {
      expect(queries).toBe(20);
      for (let i = 0; i < queries; i++) {
        expect(x[i]).toBe(x[0]! + i);
        expect(scores[2 * i]).toBe(x[i]);
      }
    }
    expect(new Set(all.map(({ x }) => x[0])).size).toBe(200);
    expect(clientParts(calm, 1)).toEqual({ fit, threshold, heldOut });
    expect(clientParts(calm, 2).fit[0]!.x[0]).not.toBe(fit[0]!.x[0]);
  });

  test('of a stream, near-duplicates alone are no evidence', () => {
    const fit = nearDuplicateClients.fit(parts.fit, WATCHED);
    const attack = variations();
    const most = (stream: boolean) => {
      const watch = nearDuplicateClients.open(fit, WATCHED, MEMORY);
      let highest = 0;
      for (let i = 0; i < attack.n; i++)
        highest = Math.max(highest, watch.observe('cam', attack, i, stream).score);
      return highest;
    };
    expect(most(false)).toBeGreaterThan(1);
    expect(most(true)).toBeLessThan(1);
  });
});
