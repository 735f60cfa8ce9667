import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { Mark } from '../output-guard.ts';
import { type MarkedModel, openMarkRegister, readMarks } from './mark-register.ts';

const MODEL: MarkedModel = { digest: 'sha256:00', sampleDims: [2], classes: 3, rate: 0.01 };
const mark = (over: Partial<Mark> = {}): Mark => ({
  principal: 'ann',
  cell: '00ff',
  from: 0,
  to: 2,
  input: Float32Array.of(0.5, -3),
  ...over,
});
let folder: string;
let path: string;
let failures: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-marks-'));
  path = join(folder, 'marks.jsonl');
  failures = [];
});
afterEach(() => rmSync(folder, { recursive: true }));
const open = (mostBytes = 1e6) =>
  openMarkRegister(path, { mostBytes, now: () => 7, failed: (_, thrown) => failures.push(thrown) });
const read = () => readMarks(readFileSync(path, 'utf8'), 'marks');

describe('the register of marks', () => {
  it('gives back what was written, and is readable by its owner alone', async () => {
    const register = await open();
    register.note(mark(), MODEL);
    await register.close();
    const { cell: _, ...rest } = mark();
    expect(read()).toEqual([{ ...rest, ...MODEL, at: 7 }]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('writes a cell once for each principal, and goes on where it stopped', async () => {
    const register = await open();
    for (let i = 0; i < 5; i++) register.note(mark(), MODEL);
    register.note(mark({ principal: 'ben' }), MODEL);
    await register.close();
    const again = await open();
    again.note(mark({ cell: '01' }), MODEL);
    await again.close();
    expect(read().map(({ principal }) => principal)).toEqual(['ann', 'ben', 'ann']);
  });

  it('stops at its size, counts what is lost and says so once', async () => {
    const register = await open(500);
    for (let i = 0; i < 10; i++) {
      register.note(mark({ cell: `${i}` }), MODEL);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await register.close();
    expect(statSync(path).size).toBeLessThanOrEqual(500);
    expect(register.lost()).toBe(10 - read().length);
    expect(register.lost()).toBeGreaterThan(0);
    expect(failures).toHaveLength(1);
  });

  it('leaves out a last line that was cut off', async () => {
    const register = await open();
    register.note(mark(), MODEL);
    register.note(mark({ cell: '01' }), MODEL);
    await register.close();
    const text = readFileSync(path, 'utf8');
    expect(readMarks(text.slice(0, -9), 'marks')).toHaveLength(1);
    expect(() => readMarks(text.slice(9), 'marks')).toThrow('line 1');
  });

  it('reads hostile text without a crash', () => {
    const base = {
      schema: 'glacis.mark/1',
      at: 7,
      principal: 'a',
      ...MODEL,
      from: 0,
      to: 1,
      input: 'AAAAAAAAAAA=',
    };
    expect(readMarks(`${JSON.stringify(base)}\n`, 'marks')).toHaveLength(1);
    for (const input of ['', 'AAAA', 'AAAAAAAAAAAAAAAA'])
      expect(() => readMarks(`${JSON.stringify({ ...base, input })}\n`, 'marks')).toThrow('2 elements');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .tuple(fc.constantFrom(...Object.keys(base)), fc.jsonValue())
            .map(([key, value]) => JSON.stringify({ ...base, [key]: value })),
        ),
        (line) => {
          try {
            for (const { input, sampleDims } of readMarks(`${line.replaceAll('\n', ' ')}\n`, 'marks'))
              expect(input).toHaveLength(sampleDims.reduce((a, b) => a * b, 1));
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(GlacisError);
          }
        },
      ),
    );
  });
});
