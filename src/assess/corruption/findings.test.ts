import { describe, expect, it } from 'vitest';
import { corruptionFindings } from './findings.ts';
import { errorsOf, sampleCorruption } from './result.fixture.ts';

/** Clean accuracy 0.9; every severity of one corruption loses this share of it. */
const losing = (share: number, corruption = 'motion-blur') => {
  const errors = Array<number>(5).fill(1 - 0.9 * (1 - share));
  return sampleCorruption({ cleanAccuracy: 0.9, corruptions: [errorsOf(corruption, errors)], noises: [] });
};
const ids = (...args: Parameters<typeof corruptionFindings>) =>
  corruptionFindings(...args).map(({ id, severity }) => `${severity} ${id}`);

describe('corruptionFindings', () => {
  it.each([
    [0.09, []],
    [0.11, ['low evasion/low-corruption-robustness']],
    [0.26, ['medium evasion/low-corruption-robustness']],
    [0.51, ['high evasion/low-corruption-robustness', 'medium evasion/corruption-collapse']],
  ])('a loss of %f of the right answers', (share, expected) => {
    expect(ids(losing(share))).toEqual(expected);
  });

  it('names the worst corruption and what helps against its family', () => {
    const [finding] = corruptionFindings(
      sampleCorruption({
        corruptions: [
          errorsOf('fog', [0.1, 0.2, 0.3, 0.4, 0.5]),
          errorsOf('shot-noise', [0.2, 0.3, 0.4, 0.5, 0.7]),
        ],
      }),
    );
    expect(finding!.evidence).toContain(
      'Worst: shot-noise (42.0 % wrong on average, 70.0 % at the highest severity)',
    );
    expect(finding!.remedy).toContain('Against shot-noise above all: train with noise');
  });

  it('calls a collapse only what a mild corruption does', () => {
    const late = errorsOf('contrast', [0.1, 0.1, 0.2, 0.9, 0.9]);
    const early = errorsOf('fog', [0.1, 0.8, 0.8, 0.8, 0.8]);
    const findings = corruptionFindings(sampleCorruption({ corruptions: [late, early], noises: [] }));
    const collapse = findings.find(({ id }) => id === 'evasion/corruption-collapse')!;
    expect(collapse.title).toMatch(/^fog: a mild one/);
    expect(collapse.evidence).toContain('At severity 2 of 5: fog 80.0 % wrong');
  });

  it('says when noise alone changes answers, in the units of the input', () => {
    const noises = [{ noise: 'uniform', amount: 8, error: 0.2 } as const];
    const base = sampleCorruption({ corruptions: [], noises });
    expect(ids(base, 255)).toEqual(['medium evasion/fragile-to-noise']);
    expect(ids(base, 1)).toEqual([]);
    expect(ids({ ...base, noises: [{ ...noises[0]!, error: 0.085 }] }, 255)).toEqual([]);
    expect(ids({ ...base, noises: [{ ...noises[0]!, noise: 'gaussian' }] }, 255)).toEqual([]);
  });

  it('has nothing to say about few samples or a model that knows nothing', () => {
    expect(ids({ ...losing(0.9), n: 19 })).toEqual([]);
    expect(ids({ ...losing(0.9), cleanAccuracy: 0 })).toEqual([]);
  });
});
