import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decisionText, eventText, whoText } from './decision-text.ts';
import { exportHead, exportLine } from './export-text.ts';
import { readEntry } from './read-entry.ts';
import { decision } from './record.fixture.ts';

/** Texts as an attacker would choose them, and any others. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        '=',
        '+',
        '-',
        '@',
        '|',
        '%',
        '\t',
        '\r',
        '\n',
        '"',
        ',',
        ';',
        "'",
        '\u001b[2J',
        '\u009b',
        '\u202e',
        '\u2028',
        '＝',
        ' ',
        'a',
        '\ud800',
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
);
const entry = fc
  .record({ model: text, because: text, principal: text, address: text, guard: text })
  .map((given) => {
    const whole = decision(1, {
      ...given,
      guards: [{ guard: given.guard, action: 'flag', score: -1.5, because: given.because }],
    });
    const bytes = `{"decision":${decisionText(whole)},"schema":"glacis.decision/1","subject":"s","who":${whoText(whole)}}`;
    return { given, bytes: Buffer.from(bytes), who: JSON.parse(whoText(whole)) as object };
  });

it('an entry whose numbers are no numbers is an entry all the same', () => {
  const whole = decision(1, { bucket: Number.POSITIVE_INFINITY, divergence: Number.NaN });
  const bytes = `{"decision":${decisionText(whole)},"schema":"glacis.decision/1","subject":"s","who":{}}`;
  expect(readEntry(Buffer.from(bytes))).toMatchObject({ decision: { bucket: null, divergence: null } });
});

describe('abuse 25: an exported line', () => {
  it('is one line of CSV with all its fields, none of which a spreadsheet computes', () => {
    const head = exportHead('csv');
    fc.assert(
      fc.property(entry, ({ bytes, who }) => {
        const line = exportLine('csv', 3, bytes, who);
        expect(line.slice(0, -2)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        const [names, fields] = parse(head + line) as [string[], string[]];
        expect(fields).toHaveLength(names.length);
        for (const field of fields) expect(field).not.toMatch(/^\s*[=+\-@|%＝＋－＠]/u);
      }),
      { numRuns: 300 },
    );
  });

  it('is one line of JSON that says exactly what the entry says', () => {
    fc.assert(
      fc.property(entry, ({ bytes }) => {
        const line = exportLine('jsonl', 3, bytes, undefined);
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(line)).toEqual({ index: 3, ...JSON.parse(bytes.toString()) });
      }),
      { numRuns: 300 },
    );
  });

  it('is made of whatever bytes an entry has', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(JSON.parse(exportLine('jsonl', 0, bytes, undefined))).toEqual({
          index: 0,
          raw: Buffer.from(bytes).toString('base64'),
        });
        expect(exportLine('csv', 0, bytes, undefined)).toMatch(/^0,,"raw",.*\r\n$/);
      }),
    );
    const event = eventText({ kind: 'event', at: 1, event: '=x', by: '@y', about: { a: '\u001b' } });
    const line = exportLine('csv', 0, Buffer.from(`{"event":${event},"schema":"glacis.event/1"}`), undefined);
    expect(line).toContain(`"'=x","'@y"`);
  });
});
