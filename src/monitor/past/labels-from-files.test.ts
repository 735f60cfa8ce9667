import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { sighting } from '../sighting.fixture.ts';
import type { TrueLabel } from '../sighting.ts';
import { readLabels } from './labels-from-files.ts';
import { blocksOf, pastFromSightings } from './open-past.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-labels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** All labels of files; those without a time are told at `END`, after the last decision. */
const END = 1_790_000_000_000;
const read = async (...paths: readonly string[]): Promise<readonly TrueLabel[]> => {
  const past = (await readLabels(paths)).tellIn(pastFromSightings([sighting({ id: '\0none', at: END })]));
  const found: TrueLabel[] = [];
  for await (const { labels } of blocksOf(past)) for (const each of labels ?? []) found.push(...each.labels);
  return found;
};
const LABEL = { decision: 'a', sample: 0, label: 3, at: END };

describe('labels of past decisions', () => {
  test('are read from JSON lines and tables, with the names that they have elsewhere', async () => {
    const second = { decision: 'line 2', sample: 4, label: 0, at: Date.UTC(2026, 0, 1) };
    const jsonl =
      '\ufeff{"decision":"a","label":3}\n\n{"decision":"line 2","sample":4,"label":0,"at":"2026-01-01T00:00:00Z"}\r\n';
    expect(await read(written('labels.jsonl', jsonl))).toEqual([LABEL, second]);
    const csv = 'Time,ID,"sample",label\r\n,a,,3\r\n2026-01-01,"line 2",4,0.0\r\n';
    expect(await read(written('labels.csv', csv))).toEqual([LABEL, second]);
    expect(await read(written('labels.csv.gz', gzipSync(csv)))).toEqual([LABEL, second]);
    expect(
      await read(written('one.ndjson', '{"decision":"a","label":3}'), join(folder, 'labels.csv')),
    ).toEqual([LABEL, LABEL, second]);
  });

  test('times are ISO 8601, milliseconds, and in texts seconds', async () => {
    const at = async (json: string) =>
      (await read(written('time.jsonl', `{"decision":"a","label":3,"at":${json}}`)))[0]!.at;
    expect(await at('5')).toBe(5);
    expect(await at('"1790000000"')).toBe(1_790_000_000_000);
    expect(await at('"1790000000000"')).toBe(1_790_000_000_000);
    expect(await at('"2026-01-01T01:00:00+01:00"')).toBe(Date.UTC(2026, 0, 1));
  });

  const line = (json: object): string => JSON.stringify({ decision: 'a', label: 1, ...json });
  test.each([
    ['a.jsonl', 'nonsense', /a\.jsonl, line 2: expected a label as JSON, got something else/],
    ['b.jsonl', '[]', /line 2: expected a map of keys and values, got a list of 0/],
    [
      'c.jsonl',
      line({ label: 'cat' }),
      /line 2: label: expected a whole number from 0 to 1000000, got 'cat'/,
    ],
    ['d.jsonl', line({ label: -1 }), /label: expected a whole number from 0 to 1000000, got -1/],
    ['e.jsonl', line({ label: 0.5 }), /label: expected a whole number .*, got 0\.5/],
    ['f.jsonl', '{"decision":"a"}', /label: expected a whole number .*, got nothing/],
    ['g.jsonl', line({ sample: 1e9 }), /sample: expected a whole number .*, got 1000000000/],
    ['h.jsonl', line({ decision: '' }), /decision: expected the id of a decision, got ''/],
    ['i.jsonl', line({ decision: 'x'.repeat(513) }), /decision: expected the id .* at most 512 characters/],
    ['j.jsonl', line({ at: 'May' }), /at: expected a time as ISO 8601 or .*, got 'May'/],
    ['k.jsonl', line({ at: -1 }), /at: expected a time .*, got -1/],
    ['l.jsonl', line({ at: 1e300 }), /at: expected a time .*, got 1e\+300/],
    [
      'm.jsonl',
      line({ lable: 1 }),
      /line 2: there is no key 'lable' here.*; expected decision, sample, label, at/,
    ],
    ['n.csv', 'a', /n\.csv, line 2: expected 2 fields, got 1/],
    ['o.csv', '"a,1', /line 2: expected 2 fields, got 0/],
    ['p.csv', 'a,cat', /line 2: label: expected a whole number .*, got 'cat'/],
    ['q.csv', 'a,', /line 2: label: expected a whole number .*, got nothing/],
  ])('a wrong line of %s is named: %s', async (name, text, message) => {
    const before = name.endsWith('.csv') ? 'decision,label' : line({});
    await expect(read(written(name, `${before}\n${text}\n`))).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['strange.parquet', 'x', 'option/invalid', /expected labels in a file/],
    ['empty.csv', 'decision,label\n', 'data/mismatch', /expected at least one label, got none/],
    ['other.csv', 'decision,label,tme\n', 'data/mismatch', /line 1: expected columns .*, got 'tme'/],
    ['half.csv', 'decision,time\n', 'data/mismatch', /line 1: expected a column label, got none/],
    ['two.csv', 'id,decision,label\n', 'data/mismatch', /line 1: expected one column decision, got two/],
    ['bomb.jsonl.gz', gzipSync(Buffer.alloc(3 << 20, 'x')), 'data/too-large', /expected lines of at most/],
  ])('%s is refused', async (name, text, code, message) => {
    await expect(readLabels([written(name, text)])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('can be stopped', async () => {
    const path = written('stop.csv', 'decision,label\na,1\n');
    await expect(readLabels([path], AbortSignal.abort())).rejects.toMatchObject({
      code: expect.stringMatching(/run\/cancelled|data\/unreadable/),
    });
  });

  const id = fc
    .string({ minLength: 1, maxLength: 20, unit: 'binary' })
    .filter((text) => !/[\r\n\ud800-\udfff]/.test(text));
  const label = fc.record(
    {
      decision: id,
      sample: fc.integer({ min: 0, max: 1_000_000 }),
      label: fc.integer({ min: 0, max: 1_000_000 }),
      at: fc.integer({ min: 1e11, max: 8.64e15 }),
    },
    { requiredKeys: ['decision', 'label'] },
  );

  test('whatever is written is read again, from lines and tables alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(label, { minLength: 1, maxLength: 20 }), async (labels) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const csv = labels.map(
          ({ decision, sample = '', label, at = '' }) => `${at},${quoted(decision)},${label},${sample}`,
        );
        const jsonl = labels.map((each) => JSON.stringify(each)).join('\n');
        const key = ({ decision, sample = 0, label, at = END }: Partial<TrueLabel>) =>
          JSON.stringify([decision, sample, label, at]);
        const expected = labels.map(key).sort();
        for (const path of [
          written('any.jsonl', jsonl),
          written('any.csv', ['time,decision,label,sample', ...csv].join('\n')),
        ])
          expect((await read(path)).map(key).sort()).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('whatever stands in a file, labels come of it or an error that names file and line', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\n',
        ',',
        '"',
        '{"decision":"a","label":',
        '1}',
        '"at":',
        '__proto__',
        'decision,label\n',
      ),
      fc.json(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece), fc.boolean(), async (pieces, isTable) => {
        const path = written(isTable ? 'odd.csv' : 'odd.jsonl', pieces.join(''));
        try {
          for (const { label, sample, at } of await read(path)) {
            expect(label >= 0 && label <= 1_000_000 && sample >= 0).toBe(true);
            expect(Number.isFinite(at)).toBe(true);
          }
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
          expect((thrown as GlacisError).message).toMatch(
            /odd\.(csv|jsonl)(, line \d+: (\w+: )?|: )(expected|there is no key)/,
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});
