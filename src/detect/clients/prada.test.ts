import { expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { calmClients, observed, samples, WATCHED } from '../extraction/clients.fixture.ts';
import { highestScores } from './client-detector.ts';
import { pradaClients } from './prada.ts';

const MEMORY = { salt: 1, capacity: 4096, askers: 4 };
const FIT = { level: 0.05 };

test('learns a level from calm clients, and none from clients that are too short to be judged', () => {
  const { level } = pradaClients.fit(calmClients(10, 200, 1), WATCHED);
  expect(level).toBeGreaterThanOrEqual(0.05);
  expect(level).toBeLessThan(0.2);
  expect(() => pradaClients.fit(calmClients(10, 100, 1), WATCHED)).toThrow(
    expect.objectContaining({ code: 'data/mismatch' }),
  );
});

test('goes on after a restart, and takes up nothing else', () => {
  const rng = randomFrom(2, 'queries');
  const queries = observed(samples(300, rng));
  const watch = pradaClients.open(FIT, WATCHED, MEMORY);
  for (let i = 0; i < 200; i++) watch.observe('ann', queries, i);
  const bytes = watch.snapshot();
  const restarted = pradaClients.open(FIT, WATCHED, MEMORY, bytes);
  for (let i = 200; i < 300; i++)
    expect(restarted.observe('ann', queries, i)).toEqual(watch.observe('ann', queries, i));
  expect(restarted.snapshot()).toEqual(watch.snapshot());
  const other = { ...WATCHED, classes: 100 };
  for (const [watched, state] of [
    [other, bytes],
    [WATCHED, bytes.slice(0, -4)],
  ] as const)
    expect(() => pradaClients.open(FIT, watched, MEMORY, state)).toThrow(
      expect.objectContaining({ code: 'result/invalid' }),
    );
});

test('a query without a distance to the others is passed over, and hides none of them', () => {
  const made = observed(samples(300, randomFrom(3, 'queries')));
  const bad = observed(Float32Array.from({ length: 16 }, () => Number.NaN));
  const [plain, mixed] = [pradaClients.open(FIT, WATCHED, MEMORY), pradaClients.open(FIT, WATCHED, MEMORY)];
  for (let i = 0; i < made.n; i++) {
    mixed.observe('ann', bad, 0);
    expect(mixed.observe('ann', made, i)).toEqual(plain.observe('ann', made, i));
  }
});

test('memory is bounded in queries, in clients and in classes', () => {
  const classes = 1000;
  const watched = { ...WATCHED, classes };
  const rng = randomFrom(4, 'many');
  const n = 2000;
  const scores = new Float32Array(n * classes);
  for (let i = 0; i < n; i++) scores[i * classes + (i % classes)] = 1;
  const many = { n, x: samples(n, rng), scores };
  const watch = pradaClients.open(FIT, watched, MEMORY);
  highestScores(
    watch,
    Array.from({ length: 8 }, () => many),
  );
  expect(watch.snapshot().length).toBeLessThan(4 * (384 * 64 * 4 + 1000 * 30 + 200 * 150));
});
