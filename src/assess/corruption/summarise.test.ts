import { describe, expect, it } from 'vitest';
import { errorsOf, sampleCorruption } from './result.fixture.ts';
import { relativeTo } from './summarise.ts';

describe('relativeTo', () => {
  const ours = sampleCorruption({
    cleanAccuracy: 0.9,
    corruptions: [errorsOf('fog', [0.1, 0.2, 0.3, 0.4, 0.5]), errorsOf('snow', [0.2, 0.2, 0.2, 0.2, 0.2])],
  });
  const theirs = sampleCorruption({
    cleanAccuracy: 0.8,
    corruptions: [errorsOf('fog', [0.2, 0.4, 0.6, 0.8, 1]), errorsOf('snow', [0.25, 0.3, 0.25, 0.3, 0.25])],
  });

  it('gives mCE and relative mCE as published', () => {
    const { relative } = relativeTo(ours, theirs, 'alexnet');
    // Σ E = 1.5 and 1.0; Σ E of the baseline = 3.0 and 1.35. Less the clean errors 0.5 and 1.0.
    expect(relative!.baseline).toBe('alexnet');
    expect(relative!.corruptions[0]!.corruptionError).toBeCloseTo(1.5 / 3, 12);
    expect(relative!.corruptions[1]!.corruptionError).toBeCloseTo(1 / 1.35, 12);
    expect(relative!.meanCorruptionError).toBeCloseTo((0.5 + 1 / 1.35) / 2, 12);
    expect(relative!.corruptions[0]!.relativeCorruptionError).toBeCloseTo(1 / 2, 12);
    expect(relative!.relativeMeanCorruptionError).toBeCloseTo((0.5 + 0.5 / 0.35) / 2, 12);
  });

  it('is 1 for a model against itself', () => {
    const { relative } = relativeTo(ours, ours, 'itself');
    expect([relative!.meanCorruptionError, relative!.relativeMeanCorruptionError]).toEqual([1, 1]);
  });

  it('leaves out what the baseline cannot measure', () => {
    const perfect = sampleCorruption({
      cleanAccuracy: 1,
      corruptions: [errorsOf('fog', [0, 0, 0, 0, 0]), errorsOf('snow', [0, 0, 0, 0, 0.5])],
    });
    const { relative } = relativeTo(ours, perfect, 'perfect');
    expect(relative!.corruptions[0]).toEqual({
      corruption: 'fog',
      corruptionError: null,
      relativeCorruptionError: null,
    });
    expect(relative!.meanCorruptionError).toBeCloseTo(2, 12);
    const useless = relativeTo(
      sampleCorruption({ corruptions: perfect.corruptions.slice(0, 1) }),
      perfect,
      'x',
    );
    expect(useless.relative).toEqual({ baseline: 'x', corruptions: [relative!.corruptions[0]] });
  });

  it('refuses a baseline of other severities or other corruptions', () => {
    const one = sampleCorruption({ severities: [3], corruptions: [errorsOf('fog', [0.1])] });
    expect(() => relativeTo(ours, one, 'b')).toThrow(expect.objectContaining({ code: 'data/mismatch' }));
    const other = sampleCorruption({ corruptions: [errorsOf('frost', [0, 0, 0, 0, 0])] });
    expect(() => relativeTo(ours, other, 'b')).toThrow('expected corruptions of fog, snow');
  });
});
