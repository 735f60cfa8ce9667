import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { openBatchWriter } from './batch.ts';
import { openBatchReader } from './batch-sightings.ts';
import { openCsvReader } from './csv-reader.ts';
import { plainly } from './plainly.fixture.ts';
import { csvColumns, sightingFromCsv } from './sighting-from-csv.ts';

vi.mock('./sighting-from-csv.ts', { spy: true });

const writer = openBatchWriter();
const batches = openBatchReader();

/** Lines through batches and out again. */
function through(header: string, lines: readonly (string | Buffer)[], model?: string) {
  const reader = openCsvReader(writer, header, model);
  return lines.map((line) => {
    const bytes = Buffer.from(line as string);
    const isOne = reader.read(Buffer.concat([bytes, Buffer.from('\n')]), 0, bytes.length);
    const [found] = batches.sightings(writer.take(reader.features));
    expect(found !== undefined).toBe(isOne);
    return found && plainly(found);
  });
}

/** The same, each line taken apart as text. */
function apart(header: string, lines: readonly (string | Buffer)[], model?: string) {
  const columns = csvColumns(header);
  let number = 0;
  return lines.map((line) => {
    const found = sightingFromCsv(columns, Buffer.from(line as string).toString('utf8'), model, number);
    if (found !== undefined) number++;
    return found && plainly(found);
  });
}

const HEADER = 'time,id,user,model,label,score,n,bucket,guards,x,y';
const LINE = '2026-11-23T07:32:29.123Z,a1,ann,digits,3,0.75,2,5,g:flag:2 h:pass:0.5,-1.25e-3,';
const EXPORT =
  'index,time,kind,id,principal,tenant,credential,address,subject,model,version,digest,n,outcome,because,detail,guards,bucket,event,by,about,input,output';
const EXPORTED =
  '7,"2026-09-21T14:13:20Z","decision","00112233","ann","acme",,"10.0.0.1","s","digits","1","sha256:1",1,"answered",,,"g:flag:2",5,,,,"ab","cd"\r';

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '"',
      '""',
      ',',
      ',,',
      '\r',
      ' ',
      '-',
      '.',
      ':',
      'Z',
      'T',
      'e3',
      '0',
      '007',
      '-0',
      '1e999',
      'NaN',
      'Infinity',
    ],
    ...[
      '1790000000',
      '1790000000000',
      '1790000000.5',
      '1e12',
      '2026-02-30',
      '24:00:01',
      '60',
      '\ufeff',
      'é',
      '\ud83d\ude00',
    ],
    ...[
      '"a,b"',
      '"a""b"',
      'event',
      'decision',
      '123456789012345678901',
      '0x10',
      'x'.repeat(600),
      '9'.repeat(400),
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const mutilated = (line: string): fc.Arbitrary<string> =>
  fc.array(fc.tuple(fc.nat(), fc.nat(12), piece), { maxLength: 3 }).map((cuts) =>
    cuts.reduce<string>((text, [at, gone, put]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put.replaceAll('\n', '') + text.slice(from + gone);
    }, line),
  );

describe('a reader of tables', () => {
  test.each([
    ['a table', HEADER, LINE],
    ['an export', EXPORT, EXPORTED],
    ['a table without ids', 'at,x,model', '1790000000,1,m'],
  ])('reads %s as if it took each line apart as text', (_, header, line) => {
    fc.assert(
      fc.property(
        fc.array(mutilated(line), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(undefined, 'given'),
        (lines, model) => {
          expect(through(header, lines, model)).toEqual(apart(header, lines, model));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('reads broken UTF-8 as text decoders do', () => {
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 6 })
      .map((raw) => raw.map((byte) => (byte === 10 ? 11 : byte)));
    fc.assert(
      fc.property(bytes, fc.nat(), (raw, at) => {
        const line = Buffer.from(LINE);
        const from = at % line.length;
        const broken = Buffer.concat([line.subarray(0, from), raw, line.subarray(from)]);
        expect(through(HEADER, [broken])).toEqual(apart(HEADER, [broken]));
      }),
      { numRuns: 500 },
    );
  });

  test('leaves plain lines to nobody else', () => {
    vi.mocked(sightingFromCsv).mockClear();
    const found = through(HEADER, [LINE, LINE.replace(',a1,', ',,')]);
    expect(through(EXPORT, [EXPORTED])).toHaveLength(1);
    expect(sightingFromCsv).not.toHaveBeenCalled();
    expect(found.map((each) => each!.id)).toEqual(['a1', 'line 2']);
    expect(found[0]).toMatchObject({
      ...{ at: Date.UTC(2026, 10, 23, 7, 32, 29, 123), principal: 'ann', model: 'digits', n: 2, bucket: 5 },
      top: [[3, 0.75]],
      guards: [
        { guard: 'g', action: 'flag', score: 2 },
        { guard: 'h', action: 'pass', score: 0.5 },
      ],
    });
    expect([...found[0]!.sketch!.values]).toEqual([Math.fround(-1.25e-3), Number.NaN]);
  });

  test('takes no time that never comes', () => {
    expect(through('time,model', [`${'9'.repeat(400)},m`, 'Infinity,m', '2026-11-23T24:00:01Z,m'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('tells minutes apart, whatever was read before', () => {
    const times = [
      '2026-11-23T07:32:59Z',
      '2026-11-23T07:33:00Z',
      '2026-11-23T07:32:59.999Z',
      '2025-11-23T07:33:00.001Z',
    ];
    const found = through(
      'time,model',
      times.map((time) => `${time},m`),
    );
    expect(found.map((each) => each!.at)).toEqual(times.map((time) => Date.parse(time)));
  });
});
