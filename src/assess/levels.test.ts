import { describe, expect, it } from 'vitest';
import { planAttack } from '../attack/registry.ts';
import { attacksAt, LEVELS, type LevelFacts } from './levels.ts';

const facts: LevelFacts = {
  norm: 'linf',
  task: 'classification',
  classes: 10,
  whiteBox: true,
  image: true,
};

const plans = (level: (typeof LEVELS)[number], change: Partial<LevelFacts> = {}) =>
  attacksAt(level, { ...facts, ...change }).map(planAttack);
const options = (level: (typeof LEVELS)[number], change: Partial<LevelFacts>, name: string) =>
  plans(level, change).map(({ attack, options }) => [attack.id, (options as Record<string, unknown>)[name]]);

describe.each(LEVELS)('level %s', (level) => {
  it('passes steps in the graph straight through, in every attack that can', () => {
    const found = options(level, { obstacles: { stepped: ['Round'], random: [] } }, 'rounding');
    expect(found.filter(([, rounding]) => rounding !== undefined).length).toBeGreaterThan(2);
    expect(found.every(([, rounding]) => rounding === undefined || rounding === 'straight-through')).toBe(
      true,
    );
    const plain = options(level, { obstacles: { stepped: [], random: [] } }, 'rounding');
    expect(plain.some(([, rounding]) => rounding === 'straight-through')).toBe(false);
  });

  it('averages over the answers of a graph that draws at random', () => {
    const random = { obstacles: { stepped: [], random: ['RandomNormalLike'] } };
    const averages = options(level, random, 'average').filter(([, average]) => average !== undefined);
    expect(averages.map(([id]) => id)).toContain('eot-pgd');
    expect(averages.every(([, average]) => Number(average) > 1)).toBe(true);
    const versions = options(level, random, 'version').filter(([, version]) => version !== undefined);
    expect(versions.every(([, version]) => version === 'rand')).toBe(true);
    expect(plans(level).map(({ attack }) => attack.id)).not.toContain('eot-pgd');
  });

  it('tells an endpoint nothing of gradients', () => {
    const blind = plans(level, { whiteBox: false });
    expect(blind.length).toBeGreaterThan(0);
    expect(blind.every(({ attack }) => attack.needs !== 'gradient')).toBe(true);
  });
});
