import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Sighting } from '../sighting.ts';
import { openBatchWriter } from './batch.ts';
import { openBatchReader } from './batch-sightings.ts';
import { openLineReader } from './line-reader.ts';
import { plainly } from './plainly.fixture.ts';
import { sightingFromLine } from './sighting-from-json.ts';

const writer = openBatchWriter();
const batches = openBatchReader();

/** Lines as bytes, through batches and out again. */
function through(lines: readonly (string | Buffer)[], model?: string): readonly (Sighting | undefined)[] {
  const reader = openLineReader(writer, model);
  return lines.map((line) => {
    const bytes = typeof line === 'string' ? Buffer.from(line) : line;
    const isOne = reader.read(Buffer.concat([bytes, Buffer.from('\n')]), 0, bytes.length);
    const [found] = batches.sightings(writer.take());
    expect(found !== undefined).toBe(isOne);
    return found && plainly(found);
  });
}

const asBefore = (line: string | Buffer, model?: string): Sighting | undefined => {
  const found = sightingFromLine(Buffer.from(line).toString('utf8'), model);
  return found && plainly(found);
};

const LINE =
  '{"index":7,"schema":"glacis.decision/1","subject":"s","who":{"address":"10.0.0.1","credential":"k","principal":"ann","tenant":"acme"},"decision":{"id":"00112233445566778899aabbccddeeff","at":1790000000000,"model":"digits","version":"1","digest":"sha256:1","n":1,"outcome":"answered","detail":"scores","guards":[{"action":"pass","guard":"input","score":0},{"action":"flag","because":"near","guard":"near-duplicates","score":0.1234}],"input":{"deviation":0.30123,"least":0,"mean":-1.5e-3,"most":1,"shape":[1,1,28,28]},"top":[[3,0.987654],[1,0.1]],"divergence":0.25,"bucket":5}}';
/** One with a sketch of two rows. */
const SKETCHED =
  '{"id":"a","at":1,"model":"m","sketch":{"samples":[0,5],"rows":2,"values":[0.25,null,-3,1e-3,41,1e40],"width":3,"else":{"values":[1]}}}';
/** A line with its fields side by side, as another server writes it. */
const FLAT =
  '{ "id" : "a" , "at":"2026-01-01T00:00:00Z", "model":"m","principal":"bob","top":[[1,0.5]],"entry":3}';

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-0',
      '1e999',
      '01',
      '1.',
      '.5',
      '1E+2',
      'null',
      'true',
    ],
    ...[
      '\\u0041',
      '\\ud800',
      '"id"',
      '"at":1',
      '"model":"m"',
      '"who":{}',
      '"guards":[]',
      '"top":[[1]]',
      '\r',
    ],
    ...['"input":{"shape":[1]}', '"decision":null', '"__proto__":1', '\u0000', '\u00e9', '\ud83d\ude00', ' '],
    ...[
      '123456789012345678901',
      '0.1000000000000000055511151231257827',
      '4.9e-324',
      'NaN',
      '"n":{}',
      '"sketch":{"values":[1,2]}',
      '"values":[]',
      '"width":1',
      '"width":0',
      '\ufeff',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

/** A line with a hostile piece put in place of some of its characters. */
const mutilated = fc
  .tuple(
    fc.constantFrom(LINE, FLAT, SKETCHED),
    fc.array(fc.tuple(fc.nat(), fc.nat(12), piece), { maxLength: 3 }),
  )
  .map(([line, cuts]) =>
    cuts.reduce<string>((text, [at, gone, put]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put.replaceAll('\n', '') + text.slice(from + gone);
    }, line),
  );

const field = fc.constantFrom(
  ...['index', 'decision', 'who', 'id', 'model', 'at', 'entry', 'n', 'outcome', 'guards', 'input', 'top'],
  ...[
    'sketch',
    'values',
    'width',
    'samples',
    'divergence',
    'bucket',
    'principal',
    'address',
    'guard',
    'score',
    'shape',
    'mean',
    'else',
    '',
  ],
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'é', '', null, true, 0, -0, 1.5, 1e21, [], {}, [[1, 0.5]], 'x'.repeat(600)),
    fc.double({ noNaN: true }),
    fc.string(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(field, tie('value'), { maxKeys: 8 }),
  ),
})).value;
const record = fc
  .tuple(
    fc.dictionary(field, value, { maxKeys: 8 }),
    fc.dictionary(field, value, { maxKeys: 6 }),
    fc.boolean(),
  )
  .map(([outer, inner, nested]) => {
    const one = { id: 'i', model: 'm', at: 1, ...inner };
    return JSON.stringify(nested ? { ...outer, decision: one } : { ...one, ...outer });
  });

describe('a reader of lines', () => {
  test('reads what JSON.parse would have read, and takes nothing else for a decision', () => {
    fc.assert(
      fc.property(fc.oneof(mutilated, record), fc.constantFrom(undefined, 'given'), (line, model) => {
        expect(through([line], model)).toEqual([asBefore(line, model)]);
      }),
      { numRuns: 2000 },
    );
  });

  test('leaves plain lines of an export to nobody else', () => {
    const parse = vi.spyOn(JSON, 'parse');
    const found = through([LINE, FLAT, SKETCHED]);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
    expect(found).toEqual([asBefore(LINE), asBefore(FLAT), asBefore(SKETCHED)]);
    expect(found[2]!.sketch).toMatchObject({ rows: 2, width: 3, samples: [0, 5] });
  });

  test('reads broken UTF-8 as text decoders do', () => {
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 6 })
      .map((raw) => raw.map((b) => (b === 10 ? 11 : b)));
    fc.assert(
      fc.property(bytes, fc.nat(), (raw, at) => {
        const line = Buffer.from(LINE);
        const from = at % line.length;
        const broken = Buffer.concat([line.subarray(0, from), raw, line.subarray(from)]);
        expect(through([broken])).toEqual([asBefore(broken)]);
      }),
      { numRuns: 500 },
    );
  });

  test('gives numbers to the last bit', () => {
    const number = fc.oneof(
      fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
      fc.tuple(fc.integer(), fc.nat()).map(([whole, part]) => `${whole}.${part}`),
      fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String),
    );
    fc.assert(
      fc.property(number, (written) => {
        const [found] = through([`{"id":"a","model":"m","at":1,"bucket":${written}}`]);
        expect(found!.bucket).toBe(Number(written));
      }),
    );
  });

  test('tells texts apart when there are more than it keeps, and ids in any script', () => {
    const names = Array.from({ length: 70_000 }, (_, i) => `client ${i % 66_000}`);
    const reader = openLineReader(writer, undefined);
    const found: Sighting[] = [];
    for (const [i, name] of names.entries()) {
      if (!writer.hasRoom()) found.push(...batches.sightings(writer.take()));
      const line = Buffer.from(
        `{"id":"${i % 3 === 0 ? 'ü' : ''}${i}","at":1,"model":"m","principal":"${name}"}\n`,
      );
      reader.read(line, 0, line.length - 1);
    }
    found.push(...batches.sightings(writer.take()));
    expect(found.map(({ principal }) => principal)).toEqual(names);
    expect(found.map(({ id }) => id)).toEqual(names.map((_, i) => `${i % 3 === 0 ? 'ü' : ''}${i}`));
  });
});
