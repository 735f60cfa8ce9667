import { describe, expect, it } from 'vitest';
import { planAttack } from '../attack/registry.ts';
import { attacksAt, LEVELS, type LevelFacts } from './levels.ts';

const facts: LevelFacts = {
  norm: 'linf',
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

describe('the levels', () => {
  it('run on a file what docs/evasion.md says, each what stands before it or what has that inside', () => {
    const ids = LEVELS.map((level) => plans(level).map(({ attack }) => attack.id));
    expect(ids[0]).toEqual(['fgsm', 'pgd', 'apgd-ce', 'square', 'fmn']);
    expect(ids[1]).toEqual(['fgsm', 'pgd', 'fmn', 'autoattack', 'deepfool']);
    expect(ids[2]).toEqual([
      ...['fgsm', 'pgd', 'deepfool', 'autoattack', 'mi-fgsm', 'acg', 'fab', 'fmn', 'brendel-bethge', 'nes'],
      ...['hop-skip-jump', 'spatial', 'semantic'],
    ]);
    expect(plans('exhaustive', { norm: 'l2' }).map(({ attack }) => attack.id)).toContain('ddn');
    expect(plans('exhaustive', { norm: 'l0' }).map(({ attack }) => attack.id)).toContain('pointwise');
    expect(options('standard', {}, 'version')).toContainEqual(['autoattack', 'standard']);
    expect(options('exhaustive', {}, 'version')).toContainEqual(['autoattack', 'plus']);
  });

  it('ask an endpoint more and more', () => {
    const ids = LEVELS.map((level) => plans(level, { whiteBox: false }).map(({ attack }) => attack.id));
    expect(ids[0]).toEqual(['square']);
    expect(ids[1]).toEqual(['square', 'hop-skip-jump']);
    expect(ids[2]!.slice(0, 2)).toEqual(ids[1]);
    expect(ids[2]!.length).toBeGreaterThan(ids[1]!.length + 3);
    const queries = (level: (typeof LEVELS)[number]) => options(level, { whiteBox: false }, 'queries')[0]![1];
    expect([queries('quick'), queries('standard')]).toEqual([300, 5000]);
  });

  it('leave out what the norm or the samples do not allow', () => {
    for (const norm of ['linf', 'l2', 'l1', 'l0'] as const)
      for (const { attack } of plans('exhaustive', { norm, image: false })) {
        expect(attack.norms).toContain(norm);
        expect(attack.seeks).not.toBe('other');
      }
  });
});
