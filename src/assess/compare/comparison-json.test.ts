import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { sampleComparison } from './comparison.fixture.ts';
import { comparisonToJson, parseComparison } from './comparison-json.ts';

type Path = readonly (string | number)[];

/** The sample with one field of its JSON changed. */
function spoiled(path: Path, value: unknown): string {
  const copy = JSON.parse(comparisonToJson(sampleComparison()));
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key];
  if (value === undefined) delete at[path.at(-1)!];
  else at[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

/** Paths to everything in a JSON value. */
function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))];
}

describe('comparisonToJson and parseComparison', () => {
  it('give back what went in', () => {
    expect(parseComparison(comparisonToJson(sampleComparison()))).toEqual(sampleComparison());
  });

  it('keep fields of a later version', () => {
    expect(parseComparison(spoiled(['more'], 1))).toMatchObject({ more: 1 });
  });

  it('read any value in any place, or say what is wrong with it', () => {
    const paths = pathsIn(JSON.parse(comparisonToJson(sampleComparison()))).slice(1);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
        try {
          parseComparison(spoiled(path, value));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
          expect((thrown as GlacisError).code).toBe('result/invalid');
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseComparison refuses', () => {
  it.each([
    ['no JSON', 'nonsense', /expected JSON/],
    ['another schema', '{"schema":"glacis.assessment/1"}', /expected "schema": "glacis.comparison\/1"/],
    [
      'one model',
      spoiled(['models', 1], undefined).replace(',null', ''),
      /two models or more|entry for each/,
    ],
    [
      'a verdict without its p-value',
      spoiled(['rows', 4, 'contrasts', 0, 'verdict'], 'higher'),
      /expected verdict no difference shown/,
    ],
    [
      'a corrected p-value that is smaller',
      spoiled(['rows', 1, 'contrasts', 0, 'corrected'], 1e-9),
      /corrected p-value of at least/,
    ],
    [
      'a verdict the wrong way around',
      spoiled(['rows', 2, 'contrasts', 0, 'verdict'], 'lower'),
      /expected verdict higher, got lower/,
    ],
    [
      'a word that is no verdict',
      spoiled(['rows', 0, 'contrasts', 0, 'verdict'], 'equal'),
      /expected one of higher, lower, no difference shown/,
    ],
    [
      'a difference that is not one',
      spoiled(['rows', 0, 'contrasts', 0, 'difference'], 0),
      /expected the difference of the two accuracies/,
    ],
    [
      'pairs that do not add up',
      spoiled(['rows', 0, 'contrasts', 0, 'pairs', 'both'], 7),
      /pairs that add up/,
    ],
    [
      'missing pairs',
      spoiled(['rows', 0, 'contrasts', 0, 'pairs'], undefined),
      /pairs in a paired comparison/,
    ],
    [
      'an accuracy that is not right / n',
      spoiled(['rows', 0, 'rates', 0, 'accuracy'], 0.5),
      /expected accuracy 0\.986/,
    ],
    [
      'an interval beside the accuracy',
      spoiled(['rows', 0, 'rates', 0, 'confidence'], [0, 0.1]),
      /inside its confidence interval/,
    ],
    [
      'an interval beside the difference',
      spoiled(['rows', 3, 'classes', 0, 'differences', 0, 'interval'], [0.2, 0.3]),
      /inside its interval/,
    ],
    [
      'more right than there are',
      spoiled(['rows', 3, 'classes', 0, 'rates', 0, 'right'], 251),
      /at most 250 right/,
    ],
    ['a rate too few', spoiled(['rows', 0, 'rates'], []), /an entry for each of 2 models/],
    [
      'a budget without an attack',
      spoiled(['rows', 0, 'eps'], 0.1),
      /norm and eps under attack and only there/,
    ],
    [
      'contrasts of another model',
      spoiled(['rows', 0, 'contrasts', 0, 'model'], 0),
      /in the order of the models/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => parseComparison(text)).toThrow(message);
  });
});
