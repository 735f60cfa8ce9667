import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openAdapter } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-adapter-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function written(text: string): string {
  const path = join(folder, `a${count++}.mjs`);
  writeFileSync(path, text);
  return path;
}
const HEAD = 'export const sampleShape = [2]; export const outputs = 2;\n';
const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const samples = Float32Array.of(1, 2, 3, 4, 5, 6);

describe('an adapter', () => {
  it.each([
    ['rows', 'Array.from({ length: n }, (_, i) => [x[2 * i], -x[2 * i + 1]])'],
    ['rows of any numbers', 'Array.from({ length: n }, (_, i) => Float64Array.of(x[2 * i], -x[2 * i + 1]))'],
    ['one array', 'x.slice(0, 2 * n).map((v, i) => (i % 2 ? -v : v))'],
  ])('answers with %s, promised or not', async (_, answer) => {
    for (const head of ['', 'async ']) {
      const oracle = await openAdapter(
        written(`${HEAD}export ${head}function predict(x, n) { return ${answer}; }`),
      );
      expect(oracle).toMatchObject({ sampleDims: [2], classes: 2, batch: 64, parallel: 1 });
      expect(await oracle.ask(samples, 3)).toEqual(Float32Array.of(1, -2, 3, -4, 5, -6));
      expect(await oracle.ask(samples, 0)).toEqual(new Float32Array(0));
    }
  });

  it('gets exactly the samples that are asked about, to keep', async () => {
    const oracle = await openAdapter(
      written(`${HEAD}export function predict(x, n) { const y = [[x.length, n]]; x.fill(9); return y; }`),
    );
    const given = Float32Array.from(samples);
    expect(await oracle.ask(given, 1)).toEqual(Float32Array.of(2, 1));
    expect(given).toEqual(samples);
  });

  it('says how many samples and calls it can take; options go first', async () => {
    const path = written(`${HEAD}
      export const batch = 3, parallel = 2;
      let under = 0, most = 0;
      export async function predict(x, n) {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setTimeout(resolve, 5));
        under--;
        return Array(n).fill([most, n]);
      }`);
    const oracle = await openAdapter(path);
    expect(oracle).toMatchObject({ batch: 3, parallel: 2 });
    const answers = await Promise.all([1, 2, 3, 3].map((n) => oracle.ask(samples, n)));
    expect(answers.at(-1)![0]).toBe(2);
    await expect(oracle.ask(new Float32Array(8), 4)).rejects.toThrow(
      error('data/mismatch', /at most 3 samples/),
    );
    await expect(oracle.ask(new Float32Array(2), 2)).rejects.toThrow(
      error('data/mismatch', /got 2 in 2 numbers/),
    );
    expect(await openAdapter(path, { batch: 5, parallel: undefined })).toMatchObject({
      batch: 5,
      parallel: 2,
    });
    await expect(openAdapter(path, { batch: 0 })).rejects.toThrow(error('option/invalid', /batch to be/));
    await expect(openAdapter(path, { size: 1 } as object)).rejects.toThrow(error('option/unknown', /'size'/));
  });

  it.each([
    ['that is not there', undefined, /cannot be loaded/],
    ['with a syntax error', 'export const', /cannot be loaded/],
    ['that fails as it is loaded', 'throw new Error("boom")', /cannot be loaded: boom/],
    [
      'without a shape',
      'export const outputs = 2; export function predict() {}',
      /sampleShape to be sizes.*undefined/,
    ],
    ['with an empty dimension', `export const sampleShape = [0];`, /sampleShape to be sizes/],
    ['without outputs', 'export const sampleShape = [2]; export function predict() {}', /outputs to be/],
    ['without predict', HEAD, /export function predict, got undefined/],
    ['with a wrong batch', `${HEAD}export const batch = '5'; export function predict() {}`, /batch to be/],
  ])('%s is refused', async (_, text, message) => {
    const path = text === undefined ? join(folder, 'none.mjs') : written(text);
    await expect(openAdapter(path)).rejects.toThrow(error('option/invalid', message));
  });

  it.each([
    ['nothing', 'undefined', /2 rows of 2 numbers, or a Float32Array of 4, got undefined/],
    ['a row less', '[[1, 2]]', /got a list of 1/],
    ['too short an array', 'new Float32Array(3)', /got a Float32Array of 3/],
    ['a longer row', '[[1, 2], [1, 2, 3]]', /2 numbers in row 1/],
    ['numbers for rows', '[1, 2]', /2 numbers in row 0/],
    ['text', '[["1", 2], [1, 2]]', /finite numbers, got something else in row 0/],
    ['NaN', '[[1, 2], [NaN, 2]]', /in row 1/],
    ['an infinity', 'Float32Array.of(1, 2, 3, Infinity)', /in row 1/],
    ['what float32 does not hold', '[[1, 2], [1, 1e300]]', /in row 1/],
    ['holes', '[[1, 2], [, 2]]', /in row 1/],
  ])('that answers with %s is not believed', async (_, answer, message) => {
    const oracle = await openAdapter(written(`${HEAD}export function predict() { return ${answer}; }`));
    await expect(oracle.ask(samples, 2)).rejects.toThrow(error('endpoint/bad-answer', message));
  });

  it.each(['', 'async '])('that throws is named, with its error as the cause (%sfunction)', async (kind) => {
    const path = written(
      `${HEAD}export ${kind}function predict() { throw new RangeError('quota used up'); }`,
    );
    const oracle = await openAdapter(path);
    const thrown: unknown = await oracle.ask(samples, 1).catch((e: unknown) => e);
    expect(thrown).toEqual(error('endpoint/unavailable', /predict failed: quota used up/));
    expect((thrown as Error).cause).toMatchObject({ name: 'RangeError', message: 'quota used up' });
  });

  it('is left when the run is cancelled or it is closed, whatever it does', async () => {
    const oracle = await openAdapter(
      written(`${HEAD}export const parallel = 2;
      export const predict = () => new Promise(() => {});`),
    );
    const stop = new AbortController();
    const asked = [oracle.ask(samples, 1, stop.signal), oracle.ask(samples, 1)];
    setTimeout(() => stop.abort(), 5);
    await expect(asked[0]).rejects.toThrow(error('run/cancelled', /cancelled/));
    await oracle.close();
    await expect(asked[1]).rejects.toThrow(error('run/cancelled', /cancelled/));
    await expect(oracle.ask(samples, 1)).rejects.toThrow(error('run/cancelled', /cancelled/));
  });

  it('can see that the run is cancelled', async () => {
    const oracle = await openAdapter(
      written(`${HEAD}export let seen = false; export const predict = (x, n, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));`),
    );
    await expect(oracle.ask(samples, 1, AbortSignal.timeout(5))).rejects.toThrow(
      error('run/cancelled', /cancelled/),
    );
  });
});
