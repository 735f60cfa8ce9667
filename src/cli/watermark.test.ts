import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import { openMarkRegister } from '../gateway/respond/mark-register.ts';
import { markingOf } from '../gateway/respond/watermark.ts';
import { readArgs } from './args.ts';
import { command } from './watermark.ts';

const DIMS = [12];
const CLASSES = 4;
const RATE = 0.05;
const SECRET = Buffer.alloc(32, 5);
const DIGEST = 'sha256:ab';
let home: string;
const at = (name: string) => join(home, name);

/** What the honest model says: its largest of the first four elements. */
const honest = (x: ArrayLike<number>) => [0, 1, 2, 3].reduce((best, k) => (x[k]! > x[best]! ? k : best), 0);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-watermark-'));
  writeFileSync(at('secret'), SECRET.toString('hex'));
  writeFileSync(at('other'), Buffer.alloc(32, 6));
  const register = await openMarkRegister(at('marks.jsonl'), {
    mostBytes: 1e7,
    now: () => 1,
    failed: () => {},
  });
  const marking = markingOf(SECRET, { sampleDims: DIMS, classes: CLASSES }, RATE);
  const rng = randomFrom(2, 'watermark cli');
  const told: Record<string, number> = {};
  for (let i = 0; i < 2000; i++) {
    const input = Float32Array.from({ length: 12 }, () => rng.normal());
    const from = honest(input);
    const cell = marking.cellOf(input, 0);
    const to = marking.classFor(cell, from);
    if (to === undefined) continue;
    const principal = i % 3 === 0 ? 'ben' : 'ann';
    register.note(
      { principal, cell: Buffer.from(cell).toString('hex'), from, to, input },
      { digest: DIGEST, sampleDims: DIMS, classes: CLASSES, rate: RATE },
    );
    if (principal === 'ann') told[input.join()] = to;
  }
  await register.close();
  // Suspects as adapters: one knows what ann was told, one is honest.
  const adapter = (body: string) => `
    const honest = (x) => [0, 1, 2, 3].reduce((best, k) => (x[k] > x[best] ? k : best), 0);
    export const sampleShape = [12];
    export const outputs = 4;
    export function predict(batch, n) {
      const out = new Float32Array(n * 4);
      for (let i = 0; i < n; i++) {
        const x = batch.subarray(i * 12, (i + 1) * 12);
        out[i * 4 + (${body})] = 1;
      }
      return out;
    }`;
  writeFileSync(
    at('copy.mjs'),
    `const told = ${JSON.stringify(told)};${adapter('told[x.join()] ?? honest(x)')}`,
  );
  writeFileSync(at('honest.mjs'), adapter('honest(x)'));
  writeFileSync(at('rival.mjs'), adapter('x[5] > 0.5 ? (honest(x) + 1) % 4 : honest(x)'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = '';
  const code = await command.run({
    given: readArgs(args, command.options),
    args: ['watermark', ...args],
    terminal: {
      width: 96,
      print: (line) => {
        text += line;
      },
      say: () => {},
      progress: silent,
      clear: () => {},
      bold: (line) => line,
    },
    signal: new AbortController().signal,
  });
  return { code, text };
}
const verify = (suspect: string, ...more: readonly string[]) =>
  run(
    'verify',
    at(suspect),
    '--key',
    at('secret'),
    '--marks',
    at('marks.jsonl'),
    '--json',
    at('out.json'),
    ...more,
  );
const result = () => JSON.parse(readFileSync(at('out.json'), 'utf8'));

describe('glacis watermark', () => {
  it('accuses the copy, and names whose answers it was made from', async () => {
    const { code, text } = await verify('copy.mjs');
    expect(code).toBe(1);
    expect(text).toContain('Copy:');
    expect(result()).toMatchObject({ verdict: 'copy', rejected: 0 });
    expect(result().p).toBeLessThan(1e-12);
    expect((await verify('copy.mjs', '--principal', 'ann')).code).toBe(1);
    expect((await verify('copy.mjs', '--principal', 'ben')).code).toBe(0);
  });

  it('does not accuse the model itself, nor a rival that errs by itself', async () => {
    for (const suspect of ['honest.mjs', 'rival.mjs']) {
      expect((await verify(suspect)).code).toBe(0);
      expect(result()).toMatchObject({ verdict: 'no evidence' });
      expect(result().p).toBeGreaterThan(0.001);
    }
  });

  it('finds no marks under another key', async () => {
    const { code } = await run(
      'verify',
      at('copy.mjs'),
      '--key',
      at('other'),
      '--marks',
      at('marks.jsonl'),
      '--json',
      at('out.json'),
    ).catch((thrown: { readonly code: string }) => ({ code: thrown.code }));
    // A few may fit by chance; a copy is not accused on them.
    expect(['data/mismatch', 0]).toContain(code);
  });

  it('prints a commitment, and refuses another', async () => {
    const { text } = await run('commit', '--key', at('secret'));
    expect(text).toMatch(/^[0-9a-f]{64}\n$/);
    expect(text).not.toContain(SECRET.toString('hex'));
    expect((await verify('honest.mjs', '--commitment', text.trim())).code).toBe(0);
    await expect(verify('honest.mjs', '--commitment', '0'.repeat(64))).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('refuses wrong use', async () => {
    writeFileSync(at('short'), 'abc');
    await expect(run('steal')).rejects.toMatchObject({ code: 'option/unknown' });
    await expect(run('verify')).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(run('commit', '--key', at('short'))).rejects.toMatchObject({ code: 'key/unusable' });
    await expect(verify('honest.mjs', '--alpha', '2')).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(verify('honest.mjs', '--principal', 'nobody')).rejects.toMatchObject({
      code: 'data/mismatch',
    });
  });
});
