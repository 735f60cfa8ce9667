import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { sighting } from '../sighting.fixture.ts';
import { evidenceOf, openTies, type Ties } from './client-ties.ts';

const HOUR = 3_600_000;
/** Inputs are not sketched: what is left are turns. */
const USUAL = { cells: 0, scale: new Float32Array(0), radius: 0, shared: 0.02, turns: 0.1 };
const open = (): Ties => openTies(USUAL, { clients: 1024, queries: 1024 }, { features: [], seed: 1 });
const clientOf = (ties: Ties, name: string) =>
  [...ties.clients.entries()].find(([each]) => each === name)![1];

/** Calls of these principals one after the other, `apart` milliseconds from each other. */
function calls(ties: Ties, principals: readonly string[], { from = 1.8e12, apart = 100 } = {}): number {
  for (const [i, principal] of principals.entries()) ties.take(sighting({ principal, at: from + i * apart }));
  return from + principals.length * apart;
}
const run = (principal: string, times: number): string[] => Array.from({ length: times }, () => principal);

describe('turns', () => {
  it('tie keys in one order however many lures each sends, and with strangers between their calls', () => {
    const ties = open();
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`);
    for (let round = 0; round < 12; round++)
      for (const [i, key] of keys.entries()) {
        const stranger = (i + round) % 3 === 0 ? [`calm ${(7 * i + round) % 41}`] : [];
        calls(ties, [...run(key, 19), ...stranger, key]);
      }
    const { named, evidence } = ties.groupOf(clientOf(ties, 'key 3'));
    expect(named.map(({ name }) => name).sort()).toEqual([...keys].sort());
    expect(evidence).toBeGreaterThan(50);
  });

  it('are none where two alternate: who comes back goes on with his turn', () => {
    const ties = open();
    calls(
      ties,
      Array.from({ length: 200 }, (_, i) => `two ${i % 2}`),
    );
    expect([0, 1].map((i) => clientOf(ties, `two ${i}`).turnsTaken)).toEqual([0, 0]);
  });

  it('say nothing where nearly every other one is the same client’s', () => {
    const ties = open();
    const rng = randomFrom(1, 'turns');
    calls(
      ties,
      Array.from({ length: 2000 }, (_, i) => (i % 2 ? 'busy' : `calm ${rng.integer(40)}`)),
    );
    for (let i = 0; i < 40; i++) expect(clientOf(ties, `calm ${i}`).turnCount).toBeLessThan(5);
  });

  it.each([
    ['each hour', HOUR],
    ['each night', 24 * HOUR],
  ])('are none where a schedule starts jobs one after the other %s', (_, every) => {
    const ties = open();
    const rng = randomFrom(1, 'jobs');
    for (let time = 0; time < 60; time++) {
      const from = 1.8e12 + time * every;
      calls(ties, Array.from({ length: 8 }, (_, job) => run(`job ${job}`, 10)).flat(), { from });
      const others = Array.from({ length: 30 }, () => `calm ${rng.integer(12)}`);
      calls(ties, others, { from: from + 600_000, apart: 60_000 });
    }
    for (let job = 0; job < 8; job++) expect(evidenceOf(clientOf(ties, `job ${job}`))).toBeLessThan(1);
  });
});
