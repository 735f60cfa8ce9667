import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { errorsOf, sampleCorruption } from './result.fixture.ts';
import { corruptionToJson, parseCorruption } from './result-json.ts';
import { relativeTo } from './summarise.ts';

type Path = readonly (string | number)[];

/** The sample with one field of its JSON changed. */
function spoiled(path: Path, value: unknown): string {
  const copy = JSON.parse(corruptionToJson(sampleCorruption()));
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key];
  if (value === undefined) delete at[path.at(-1)!];
  else at[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

describe('corruptionToJson and parseCorruption', () => {
  it('give back what went in', () => {
    const plain = sampleCorruption();
    const related = relativeTo(plain, sampleCorruption({ cleanAccuracy: 0.95 }), 'reference');
    for (const each of [plain, related, sampleCorruption({ corruptions: [] })])
      expect(parseCorruption(corruptionToJson(each))).toEqual(each);
  });

  it('keep fields of a later version', () => {
    expect(parseCorruption(spoiled(['extra'], { a: 1 }))).toMatchObject({ extra: { a: 1 } });
  });

  it.each([
    [['schema'], 'glacis.assessment/1', 'expected "schema": "glacis.corruption/1"'],
    [['kind'], 'other', 'kind: expected one of corruption'],
    [['n'], 0, 'n: expected a whole number of 1 or more'],
    [['cleanAccuracy'], 1.2, 'cleanAccuracy: expected a number between 0 and 1'],
    [['severities'], [1, 2, 3, 4, 6], 'severities[4]: expected a severity from 1 to 5'],
    [['severities'], [1, 3, 2, 4, 5], 'expected rising severities'],
    [['corruptions', 0, 'errors', 0], -0.1, 'corruptions[0].errors[0]'],
    [['corruptions', 0, 'errors', 0], 0.9, 'corruptions[0]: expected meanError to be the mean of errors'],
    [['corruptions', 0], errorsOf('gaussian-noise', [0.1]), 'expected 5 errors of gaussian-noise, got 1'],
    [['corruptions', 1, 'corruption'], 'gaussian-noise', 'expected each corruption once'],
    [['meanCorruptionError'], undefined, 'expected meanCorruptionError and confidence'],
    [['meanCorruptionError'], 0.01, 'expected meanCorruptionError to be the mean of all corruptions'],
    [['confidence'], [0.9, 1], 'inside its confidence interval'],
    [['noises', 0, 'noise'], 'salt', 'noises[0].noise: expected one of uniform, gaussian'],
    [['noises', 0, 'amount'], null, 'noises[0].amount'],
  ] as const)('refuse %j = %j', (path: Path, value, message) => {
    expect(() => parseCorruption(spoiled(path, value), 'file')).toThrow(message);
  });

  it('refuse whatever else an attacker writes, with a clear error', () => {
    const text = corruptionToJson(sampleCorruption());
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
        try {
          parseCorruption(text.slice(0, at) + put + text.slice(at + 1));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
          expect((thrown as GlacisError).code).toBe('result/invalid');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuse to write a NaN', () => {
    expect(() => corruptionToJson(sampleCorruption({ cleanAccuracy: Number.NaN }))).toThrow('cleanAccuracy');
  });
});
