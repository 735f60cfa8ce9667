import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { sampleRate, sampleTransfer } from './result.fixture.ts';
import { parseTransfer, transferToJson } from './result-json.ts';

type Path = readonly (string | number)[];

/** The sample with some fields of its JSON changed. */
function spoiled(...changes: readonly (readonly [path: Path, value: unknown])[]): string {
  const copy = JSON.parse(transferToJson(sampleTransfer()));
  for (const [path, value] of changes) {
    let at = copy;
    for (const key of path.slice(0, -1)) at = at[key];
    at[path.at(-1)!] = value;
  }
  return JSON.stringify(copy);
}

/** Paths to everything in a JSON value. */
function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))];
}

describe('transferToJson and parseTransfer', () => {
  it('give back what went in', () => {
    expect(parseTransfer(transferToJson(sampleTransfer()))).toEqual(sampleTransfer());
  });

  it('take a matrix that was stopped before anything was found', () => {
    const models = sampleTransfer().models.map((model) => ({ ...model, n: 0, right: 0 }));
    const none = { n: 0, fooled: 0, rate: null, confidence: [0, 1] as const };
    const stopped = sampleTransfer({ status: 'partial', models, rows: [], noise: models.map(() => none) });
    expect(parseTransfer(transferToJson(stopped))).toEqual(stopped);
  });

  it('keep fields of a later version', () => {
    expect(parseTransfer(spoiled([['more'], 1]))).toMatchObject({ more: 1 });
  });

  it('read any value in any place, or say what is wrong with it', () => {
    const paths = pathsIn(JSON.parse(transferToJson(sampleTransfer()))).slice(1);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
        try {
          parseTransfer(spoiled([path, value]));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
          expect((thrown as GlacisError).code).toBe('result/invalid');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseTransfer refuses', () => {
  const cell = (row: number, column: number, key: string): Path => ['rows', row, 'cells', column, key];
  it.each([
    ['no JSON', 'nonsense', /expected JSON/],
    ['another schema', '{"schema":"glacis.comparison/1"}', /expected "schema": "glacis.transfer\/1"/],
    ['one model', spoiled([['models'], sampleTransfer().models.slice(0, 1)]), /two models or more/],
    ['two rows of one model', spoiled([['rows', 1, 'model'], 0]), /one row a model/],
    ['a row of no model', spoiled([['rows', 1, 'model'], 7]), /one of 3 models, got 7/],
    ['examples made on an endpoint', spoiled([['rows', 1, 'model'], 2]), /no examples made on an endpoint/],
    ['a row without a cell', spoiled([['rows', 0, 'cells'], []]), /expected 3 cells, got 0/],
    ['more samples than there are', spoiled([['rows', 0, 'n'], 201]), /at most 200 samples/],
    [
      'more than both get right',
      spoiled([['models', 1, 'right'], 180], [['noise', 1], sampleRate(10, 180)]),
      /cells\[1\]\.n at most what both/,
    ],
    ['more fooled than there are', spoiled([cell(0, 1, 'fooled'), 190]), /at most 189 fooled/],
    ['a rate of other counts', spoiled([cell(0, 1, 'rate'), 0.1]), /expected rate 0\.5026\d*, got 0\.1/],
    ['an interval beside its rate', spoiled([cell(0, 1, 'confidence'), [0, 0.1]]), /inside its confidence/],
    ['a rate of nothing', spoiled([cell(0, 1, 'rate'), null]), /expected rate 0\.5026\d*, got null/],
    [
      'more in common than there is',
      spoiled([cell(0, 1, 'fooledBoth'), 86]),
      /fooledBoth to fit 95 and 85 of 189/,
    ],
    ['an attack on itself that differs', spoiled([cell(0, 0, 'fooledOwn'), 95]), /to be of one model/],
    ['noise on fewer samples', spoiled([['noise', 0], sampleRate(3, 197)]), /expected noise on/],
    ['noise on fewer models', spoiled([['noise'], []]), /expected noise on/],
    ['more clean answers than samples', spoiled([['models', 2, 'n'], 201]), /models\[2\]\.n at most 200/],
    ['an eps below 0', spoiled([['eps'], -1]), /eps: expected a finite number of 0 or more/],
    ['another norm', spoiled([['norm'], 'l3']), /norm: expected one of linf/],
  ])('%s', (_, text, message) => {
    expect(() => parseTransfer(text, 'x.json')).toThrow(message);
  });
});
