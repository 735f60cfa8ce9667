import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import type { Constraint } from '../constraint.ts';
import { projected, violated } from './contract.fixture.ts';
import { type ConstraintContext, constraintFrom } from './from-file.ts';

const WIDE: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const APPLICATION = [
  ...['age', 'income', 'savings', 'debt', 'sex', 'past defaults', 'cards', 'owns car'],
  ...['job: none', 'job: worker', 'job: clerk', 'job: own firm', 'share secured', 'share unsecured'],
];

/** A file of one constraint. */
const read = (constraint: object, context: ConstraintContext): Promise<Constraint> =>
  constraintFrom(JSON.stringify({ schema: 'glacis.constraints/1', constraints: [constraint] }), 'f', context);

describe('the examples of docs/constraints.md', () => {
  const document = readFileSync(new URL('../../../docs/constraints.md', import.meta.url), 'utf8');
  const examples = [...document.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
  const [eightBits, glasses, credit, order, prices, feed, scores] = examples;

  it('are all read', async () => {
    expect(examples.length).toBe(7);
    const contexts: readonly ConstraintContext[] = [
      { shape: [1, 28, 28], range: [0, 1] },
      { shape: [3, 224, 224], range: [0, 1] },
      { shape: [14], columns: APPLICATION },
      { shape: [6], columns: ['price', 'quantity', 'total', 'debt ratio', 'income', 'debt'] },
      { shape: [60, 5] },
      { shape: [60, 5] },
      { shape: [60, 4] },
    ];
    const titles = await Promise.all(
      examples.map(async (text, i) => (await constraintFrom(text, 'f', contexts[i]!)).title),
    );
    expect(titles).toEqual([
      'every value survives being saved in 8 bits',
      'only 19200 of 150528 elements may change; every value survives being saved in 8 bits',
      'a possible row of the table (columns: 14, immutable: 2, one-hot groups: 1, linear relations: 2, costs: up to 10)',
      'a possible row of the table (columns: 6, products: 2)',
      'a believable series (the last 5 of 60 steps, consistent candles)',
      'a believable series (60 steps, at most 3 changed, points replaced by earlier ones, up to 10 steps old)',
      'a believable series (60 steps)',
    ]);
    expect([eightBits, glasses, order, feed, scores].every((text) => text !== undefined)).toBe(true);
  });

  it('keep a credit application possible', async () => {
    const constraint = await constraintFrom(credit!, 'f', { shape: [14], columns: APPLICATION });
    const scales = new Map([
      ['age', [41, 13]],
      ['income', [3200, 1500]],
      ['savings', [9000, 12000]],
    ] as const);
    const scaled = (row: readonly number[]) =>
      row.map((v, i) => {
        const [mean, std] = scales.get(APPLICATION[i] as 'age') ?? [0, 1];
        return Math.fround((v - mean) / std);
      });
    const clean = scaled([33, 2800, 1200.5, 900, 1, 0, 2, 0, 0, 1, 0, 0, 0.25, 0.75]);
    for (let seed = 0; seed < 50; seed++) {
      const rng = randomFrom(seed, 'application');
      const row = projected(
        constraint,
        clean.map((v) => v + 2 * rng.normal()),
        clean,
        { norm: 'linf', eps: 1, bounds: WIDE },
      );
      const value = (name: string) => {
        const [mean, std] = scales.get(name as 'age') ?? [0, 1];
        return row[APPLICATION.indexOf(name)]! * std + mean;
      };
      expect(Math.abs(value('age') - Math.round(value('age')))).toBeLessThan(1e-4);
      expect(value('age')).toBeGreaterThan(32.999);
      expect(Math.abs(value('income') - 2800)).toBeLessThanOrEqual(280.001);
      expect([value('sex'), value('past defaults')]).toEqual([1, 0]);
      expect(value('debt')).toBeLessThanOrEqual(900);
      expect(value('share secured') + value('share unsecured')).toBeCloseTo(1, 2.5);
      expect(row.slice(8, 12).sort()).toEqual([0, 0, 0, 1]);
      const cost =
        0.01 * Math.abs(value('income') - 2800) +
        0.002 * Math.abs(value('savings') - 1200.5) +
        5 * value('owns car');
      expect(cost).toBeLessThanOrEqual(10.001);
    }
  });

  it('keep a price series believable', async () => {
    const constraint = await constraintFrom(prices!, 'f', { shape: [6, 5] });
    const clean = Array.from({ length: 6 }, (_, t) => [100, 101, 99, 100.5, 1000 + t])
      .flat()
      .map(Math.fround);
    const rng = randomFrom(3, 'prices');
    const row = projected(
      constraint,
      clean.map((v) => v + rng.normal()),
      clean,
      { norm: 'linf', eps: 50, bounds: WIDE },
    );
    expect(row.slice(0, 5)).toEqual(clean.slice(0, 5));
    expect(row.slice(5)).not.toEqual(clean.slice(5));
    for (let t = 1; t < 6; t++) {
      const [o, h, l, c, v] = row.slice(5 * t, 5 * t + 5) as [number, number, number, number, number];
      expect(l <= Math.min(o, c) && h >= Math.max(o, c)).toBe(true);
      expect(o * 100).toBeCloseTo(Math.round(o * 100), 2);
      expect(Number.isInteger(v)).toBe(true);
    }
  });
});

describe('constraintFrom', () => {
  it('finds columns by name, by number, and by digits where none is called so', async () => {
    const context = { shape: [3], columns: ['a', '2', 'c'] };
    const fixed = async (column: string | number) => {
      const constraint = await read({ type: 'tabular', columns: [{ column, immutable: true }] }, context);
      return [0, 1, 2].filter((i) =>
        violated(
          constraint,
          [0, 1, 2].map((k) => (k === i ? 1 : 0)),
          [0, 0, 0],
        ),
      );
    };
    expect(await fixed('c')).toEqual([2]);
    expect(await fixed(2)).toEqual([2]);
    expect(await fixed('2')).toEqual([1]);
    expect(await fixed('0')).toEqual([0]);
  });

  it('holds all other columns fixed where the file says so', async () => {
    const constraint = await read(
      { type: 'tabular', columns: [{ columns: [1] }], others: 'immutable' },
      { shape: [3] },
    );
    expect(projected(constraint, [5, 5, 5], [0, 0, 0], { norm: 'linf', eps: 9, bounds: WIDE })).toEqual([
      0, 5, 0,
    ]);
  });

  it('opens the mask that the file names', async () => {
    const asked: string[] = [];
    const constraint = await read(
      { type: 'mask', file: 'masks/left.npy' },
      {
        shape: [2, 2],
        openMask: async (path) => {
          asked.push(path);
          return { values: [1, 0, 1, 0], shape: [2, 2] };
        },
      },
    );
    expect([asked, constraint.title]).toEqual([['masks/left.npy'], 'only 2 of 4 elements may change']);
  });

  it.each([
    [
      [1, 3, 4],
      [5, 6],
    ],
    [
      [5, 4, 1],
      [5, 6],
    ],
    [
      [3, 4],
      [5, 6],
    ],
  ])('takes boxes for pictures of shape %j', async (shape, free) => {
    const constraint = await read(
      { type: 'mask', boxes: [{ top: 1, left: 1, height: 1, width: 2 }] },
      { shape },
    );
    const n = shape.reduce((product, size) => product * size, 1);
    const row = projected(constraint, new Array(n).fill(1), new Array(n).fill(0), {
      norm: 'linf',
      eps: 1,
      bounds: [0, 1],
    });
    expect(Array.from(row.keys()).filter((i) => row[i] === 1)).toEqual(free);
  });

  it.each([
    [{ shape: [60, 5] }, { layout: 'time-first' }, 5],
    [{ shape: [5, 60] }, { layout: 'columns-first' }, 5],
    [{ shape: [1, 60, 5] }, {}, 5],
    [{ shape: [60] }, {}, 1],
    [{ shape: [300] }, { names: ['a', 'b', 'c', 'd', 'e'] }, 5],
  ])('finds the columns of a series in %j with %j', async (context, more, width) => {
    await expect(
      read({ type: 'series', columns: [{ column: width - 1 }], ...more }, context),
    ).resolves.toBeDefined();
    await expect(read({ type: 'series', columns: [{ column: width }], ...more }, context)).rejects.toThrow(
      `expected a column number below ${width}`,
    );
  });

  const table = (more: object) => ({ type: 'tabular', ...more });
  const context: ConstraintContext = { shape: [3], columns: ['age', 'income', 'income'] };
  it.each([
    [
      'option/unknown',
      { type: '8-bit', rnge: [0, 1] },
      "f: constraints[0]: expected a key of type, range, got 'rnge' (did you mean 'range'?)",
    ],
    ['option/unknown', table({ collumns: [] }), "got 'collumns' (did you mean 'columns'?)"],
    [
      'option/unknown',
      table({ columns: [{ column: 0, imutable: true }] }),
      'constraints[0].columns[0]: expected a key of column, columns, min',
    ],
    [
      'option/unknown',
      table({ relations: [{ terms: { 0: 1 }, equal: 0 }] }),
      "got 'equal' (did you mean 'equals'?)",
    ],
    [
      'option/invalid',
      { type: 'tabula' },
      "f: constraints[0].type: expected mask or 8-bit or tabular or series, got 'tabula' (did you mean 'tabular'?)",
    ],
    ['option/invalid', {}, "constraints[0]: expected a key 'type', got none"],
    ['option/invalid', [], 'constraints[0]: expected an object, got a list of 0'],
    [
      'option/invalid',
      { type: '8-bit' },
      "expected a key 'range', because the range of the data is not known",
    ],
    [
      'option/invalid',
      { type: '8-bit', range: [1, 0] },
      'constraints[0].range: expected two numbers, the lower first',
    ],
    [
      'option/invalid',
      table({ columns: [{ column: 'aeg' }] }),
      "expected the name of a column, or its number, got 'aeg' (did you mean 'age'?)",
    ],
    [
      'option/invalid',
      table({ columns: [{ column: 'income' }] }),
      "expected a name that one column has, or its number, got 'income'",
    ],
    ['option/invalid', table({ columns: [{ column: 3 }] }), 'expected a column number below 3, got 3'],
    ['option/invalid', table({ columns: [{ column: '__proto__' }] }), "got '__proto__'"],
    [
      'option/invalid',
      table({ columns: [{ column: 0 }, { columns: [1, 0] }] }),
      'constraints[0].columns: expected each column once, got column age twice',
    ],
    [
      'option/invalid',
      table({ columns: [{ min: 0 }] }),
      "columns[0]: expected a key 'column' or 'columns', got none",
    ],
    [
      'option/invalid',
      table({ columns: [{ column: 0, columns: [1] }] }),
      "expected a key 'column' or 'columns', got both",
    ],
    [
      'option/invalid',
      table({ columns: [{ column: 0, min: '3' }] }),
      "columns[0].min: expected a finite number, got '3'",
    ],
    [
      'option/invalid',
      table({ columns: [{ column: 0, immutable: 1 }] }),
      'columns[0].immutable: expected true or false, got 1',
    ],
    [
      'option/invalid',
      table({ columns: [{ column: 0, min: 2, max: 1 }] }),
      'f: constraints[0]: age: expected min up to max',
    ],
    [
      'option/invalid',
      table({ relations: [{ equals: 0 }] }),
      "relations[0]: expected a key 'terms', got none",
    ],
    ['option/invalid', { type: 'mask' }, "constraints[0]: expected a key 'file' or 'boxes', got none"],
    ['option/invalid', { type: 'mask', file: 'x.npy' }, 'expected boxes, because no files can be read here'],
    [
      'option/invalid',
      { type: 'mask', boxes: [{ top: -1, left: 0, height: 1, width: 1 }] },
      'boxes[0].top: expected a whole number of at least 0, got -1',
    ],
    [
      'data/mismatch',
      { type: 'mask', boxes: [{ top: 0, left: 0, height: 1, width: 1 }] },
      'expected samples that are pictures, got the shape [3]',
    ],
    [
      'data/mismatch',
      { type: 'series', names: ['a', 'b'] },
      'f: constraints[0]: series: expected samples [steps, 2]',
    ],
    ['option/invalid', { type: 'series', names: ['a', 'a'] }, 'names: expected each name once'],
    [
      'option/invalid',
      { type: 'series', candles: [{ open: 0, high: 0, low: 0 }] },
      "candles[0]: expected a key 'close', got none",
    ],
  ] as const)('refuses with %s: %j', async (code, constraint, message) => {
    const error = await read(constraint, context).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(GlacisError);
    expect((error as GlacisError).message).toContain(message);
    expect((error as GlacisError).code).toBe(code);
  });

  it('refuses a box outside the picture', async () => {
    const boxes = [{ top: 2, left: 0, height: 2, width: 1 }];
    await expect(read({ type: 'mask', boxes }, { shape: [1, 3, 4] })).rejects.toThrow(
      'boxes[0]: expected a box within 3 rows and 4 columns',
    );
  });

  it.each([
    ['data/unreadable', '{', 'f: expected JSON, got text that does not parse'],
    ['data/unreadable', '{"schema": "a", "schema": "b"}', "f: expected each key once, got 'schema' twice"],
    [
      'data/unreadable',
      '{"constraints": [{"type": "mask", "t\\u0079pe": "8-bit"}]}',
      "f: expected each key once, got 'type' twice",
    ],
    ['option/invalid', '[]', 'f: expected an object, got a list of 0'],
    ['option/invalid', '{"constraints": []}', "f: expected a key 'schema', got none"],
    [
      'option/invalid',
      '{"schema": "glacis.constraints/2", "constraints": []}',
      'f.schema: expected glacis.constraints/1',
    ],
    [
      'option/invalid',
      '{"schema": "glacis.constraints/1", "constraints": []}',
      'constraints: expected at least one constraint, got none',
    ],
    [
      'option/invalid',
      `{"schema": "glacis.constraints/1", "constraints": [${'0,'.repeat(16)}0]}`,
      'expected at most 16 values',
    ],
    [
      'option/unknown',
      '{"schema": "glacis.constraints/1", "__proto__": 1, "constraints": []}',
      "got '__proto__'",
    ],
    ['data/too-large', ' '.repeat(2 ** 20 + 1), 'expected at most 1048576 characters'],
  ] as const)('refuses with %s the text %.60s', async (code, text, message) => {
    const error = await constraintFrom(text, 'f', { shape: [3], range: [0, 1] }).catch((e: unknown) => e);
    expect((error as GlacisError).message).toContain(message);
    expect((error as GlacisError).code).toBe(code);
  });

  it('takes a key in one object that stands in another, and braces in texts', async () => {
    const text =
      '\ufeff{"schema":"glacis.constraints/1","constraints":[{"type":"tabular","columns":[{"column":"{\\"a:"},{"column":1}]}]}';
    await expect(constraintFrom(text, 'f', { shape: [2], columns: ['{"a:', 'b'] })).resolves.toBeDefined();
  });
});

describe('constraintFrom, on anything', () => {
  const words = fc.constantFrom(
    ...[
      'type',
      'columns',
      'column',
      'tabular',
      'series',
      'mask',
      '8-bit',
      'a',
      'b',
      '0',
      '1',
      'layout',
      'names',
      'last',
    ],
    ...[
      'stale',
      'feeds',
      'maxDelay',
      'candles',
      'open',
      'oneHot',
      'relations',
      'terms',
      'equals',
      'boxes',
      'top',
      'min',
    ],
    ...[
      'max',
      'std',
      'mean',
      'step',
      'range',
      'others',
      'immutable',
      'free',
      'columns-first',
      '__proto__',
      'maxPoints',
    ],
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.oneof(fc.boolean(), fc.constantFrom(null, 0, 1, 2, 0.5, -1, 1e300, 1e-300), words),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(words, tie('value'), { maxKeys: 6 }),
    ),
  }));
  const kinds = fc.constantFrom('mask', '8-bit', 'tabular', 'series');

  /** Whatever is read must work, and whatever is refused must say so. */
  const survives = async (text: string) => {
    for (const context of [
      { shape: [4], columns: ['a', 'b', 'c', 'd'] },
      { shape: [3, 2], range: [0, 1] as const },
    ]) {
      const n = context.shape.reduce((product, size) => product * size, 1);
      try {
        const constraint = await constraintFrom(text, 'f', context);
        const clean = new Float32Array(n).fill(1);
        const x = Float32Array.from({ length: n }, (_, i) => i / 3);
        const valid = constraint.violation(clean, 0, clean, 0, n) === undefined;
        constraint.project(x, 0, clean, 0, n, { norm: 'l2', eps: 1, bounds: [0, 1] });
        if (valid) expect(constraint.violation(x, 0, clean, 0, n)).toBeUndefined();
      } catch (error) {
        expect(error).toBeInstanceOf(GlacisError);
      }
    }
  };

  it('reads or refuses any structure of known words', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(kinds, fc.dictionary(words, value, { maxKeys: 5 })), { maxLength: 3 }),
        (constraints) =>
          survives(
            JSON.stringify({
              schema: 'glacis.constraints/1',
              constraints: constraints.map(([type, more]) => ({ ...more, type })),
            }),
          ),
      ),
      { numRuns: 300 },
    );
  });

  it('reads or refuses any change of a real file', async () => {
    const base = JSON.stringify({
      schema: 'glacis.constraints/1',
      constraints: [
        {
          type: 'tabular',
          columns: [
            { column: 'a', type: 'integer', min: 0 },
            { columns: ['b', 2], maxChange: 2, cost: 1 },
          ],
          oneHot: [],
          relations: [{ terms: { a: 1, b: -1 }, atMost: 0 }],
          maxCost: 3,
        },
      ],
    });
    const pieces = ['"', '{', '}', '[', ']', ',', ':', '-', '1', 'e9', 'null', '\\', '\ud800', '"a"', '0'];
    await fc.assert(
      fc.asyncProperty(fc.nat(base.length), fc.nat(3), fc.constantFrom(...pieces), (at, cut, piece) =>
        survives(base.slice(0, at) + piece + base.slice(at + cut)),
      ),
      { numRuns: 400 },
    );
  });

  it('reads or refuses any text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ maxLength: 60 }), survives), {
      numRuns: 200,
    });
  });
});
