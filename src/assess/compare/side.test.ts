import { link, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { type NpyArray, writeNpz } from '../../data/index.ts';
import type { Assessment } from '../result.ts';
import { type MadeSide, span, writeSide } from './side.fixture.ts';
import { openSide } from './side.ts';

const N = 20;
const SIDE: MadeSide = {
  n: N,
  wrong: [3],
  runs: [
    { attack: 'fgsm', eps: 0.1, fell: [0, 1, 2] },
    { attack: 'pgd', eps: 0.1, fell: span(0, 9).filter((i) => i !== 3) },
  ],
};

let home = '';
let file = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-side-'));
  file = await writeSide(join(home, 'run', 'assessment.json'), SIDE);
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** Changes the assessment on disk. */
async function change(edit: (assessment: { results: { perSample: string }[]; data: { n: number } }) => void) {
  const value = JSON.parse(await readFile(file, 'utf8')) as Assessment & Parameters<typeof edit>[0];
  edit(value);
  await writeFile(file, JSON.stringify(value));
}

/** Writes a per-sample file with some arrays changed or, where `undefined`, left out. */
async function outcomes(changes: Readonly<Record<string, NpyArray | undefined>>, name = '0-fgsm.npz') {
  const zeros = () => new Uint8Array(N);
  const flags = (ones: readonly number[], base = 0) => {
    const data = zeros().fill(base);
    for (const i of ones) data[i] = 1 - base;
    return { data, shape: [N], bool: true };
  };
  const arrays: Record<string, NpyArray | undefined> = {
    index: { data: Int32Array.from(span(0, N)), shape: [N] },
    label: { data: Int32Array.from(span(0, N), (i) => i % 2), shape: [N] },
    clean_correct: flags([3], 1),
    success: flags([0, 1, 2]),
    distance: { data: new Float32Array(N), shape: [N] },
    decided: flags([], 1),
    ...changes,
  };
  const given = Object.entries(arrays).filter((each): each is [string, NpyArray] => each[1] !== undefined);
  await writeNpz(join(home, 'run', name), Object.fromEntries(given));
}

async function refused(code: string, message: RegExp, options = {}) {
  await expect(openSide(file, options)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
}

describe('openSide', () => {
  it('reads who is right under each attack', async () => {
    const side = await openSide(file);
    expect(Array.from(side.cleanCorrect)).toEqual(span(0, N).map((i) => (i === 3 ? 0 : 1)));
    expect(Array.from(side.runs[0]!.robust)).toEqual(span(0, N).map((i) => (i < 4 ? 0 : 1)));
    expect(Array.from(side.runs[1]!.robust)).toEqual(span(0, N).map((i) => (i < 9 ? 0 : 1)));
    expect(side.labels[5]).toBe(1);
  });

  it('takes the samples of an unfinished run that are decided from the first on', async () => {
    await writeSide(file, { ...SIDE, runs: [{ ...SIDE.runs[1]!, decided: 7 }] });
    expect((await openSide(file)).runs[0]!.robust.length).toBe(7);
  });

  it('knows of an attack on the nearest example who falls within which eps', async () => {
    const nearest = { attack: 'ddn', distance: (i: number) => (i + 1) / 100 };
    const minimum = { n: 19, found: 10, quartiles: [0.05, 0.1, null] as const };
    const fell = span(5, 15);
    const within = (eps: number) => fell.filter((i) => (i + 1) / 100 <= eps).length;
    const run = (eps: number) => ({
      ...nearest,
      eps,
      fell,
      more: {
        minimum,
        robustAccuracy: (19 - within(eps)) / N,
        confidence: [0, 1] as const,
      },
    });
    await writeSide(file, { ...SIDE, runs: [run(0.08), run(0.12), run(0.5)] });
    const { runs } = await openSide(file);
    // The sample at 0.08 itself counts: its float32 distance is a little more than eps, which is rounding.
    expect(runs.map(({ robust }) => robust.reduce((sum, one) => sum + one, 0))).toEqual([16, 12, 9]);
    expect(runs[0]!.robust[8]).toBe(1);
    expect(runs[1]!.robust[8]).toBe(0);
  });
});

describe('per-sample files never lie outside the folder of their result', () => {
  const names: readonly (readonly [string, RegExp])[] = [
    ['../secret.npz', /leads out of the folder with "\.\."/],
    ['sub/../../secret.npz', /"\.\."/],
    ['/etc/passwd', /is absolute/],
    ['C:\\secret.npz', /backslash/],
    ['', /names no file/],
    ['none.npz', /is not there/],
    ['.', /names no file/],
  ];
  it.each(names)('by the name %j', async (name, reason) => {
    await rename(join(home, 'run', '0-fgsm.npz'), join(home, 'secret.npz'));
    await change(({ results }) => {
      results[0]!.perSample = name;
    });
    await refused('result/invalid', reason);
    await refused('result/invalid', /--root FOLDER/);
  });

  it('by a link', async () => {
    const secret = join(home, 'secret.npz');
    await rename(join(home, 'run', '0-fgsm.npz'), secret);
    await symlink(secret, join(home, 'run', '0-fgsm.npz'));
    await refused('result/invalid', /symbolic link/);
    await rm(join(home, 'run', '0-fgsm.npz'));
    await link(secret, join(home, 'run', '0-fgsm.npz'));
    await refused('result/invalid', /hard links/);
  });

  it('as a folder or a device', async () => {
    await rm(join(home, 'run', '0-fgsm.npz'));
    await mkdir(join(home, 'run', '0-fgsm.npz'));
    await refused('result/invalid', /not a regular file/);
  });

  it('but below a root that the user names they may', async () => {
    await mkdir(join(home, 'outcomes'));
    await rename(join(home, 'run', '0-fgsm.npz'), join(home, 'outcomes', '0-fgsm.npz'));
    await change(({ results }) => {
      results[0]!.perSample = '../outcomes/0-fgsm.npz';
    });
    await refused('result/invalid', /"\.\."/);
    expect((await openSide(file, { root: home })).runs.length).toBe(2);
    await refused('result/invalid', /"\.\."/, { root: join(home, 'run') });
  });
});

describe('openSide refuses', () => {
  it.each([
    [
      'another run’s outcomes',
      { success: { data: new Uint8Array(N), shape: [N], bool: true } },
      /got robust accuracy 0\.95/,
    ],
    [
      'other clean answers',
      { clean_correct: { data: new Uint8Array(N), shape: [N], bool: true } },
      /got clean accuracy 0/,
    ],
    ['a part of the samples', { decided: { data: new Uint8Array(N), shape: [N], bool: true } }, /got n 0/],
    ['no successes', { success: undefined }, /expected success of bool \[20\], got none/],
    ['numbers for flags', { success: { data: new Float32Array(N), shape: [N] } }, /got float32 \[20\]/],
    [
      'too few rows',
      { index: { data: new Int32Array(5), shape: [5] } },
      /expected index of int32 \[20\], got int32 \[5\]/,
    ],
    ['no labels', { label: undefined }, /expected label of int32 or float32/],
    [
      'a table for a row',
      { decided: { data: new Uint8Array(N), shape: [4, 5], bool: true } },
      /got bool \[4, 5\]/,
    ],
  ])('%s', async (_, changes, message) => {
    await outcomes(changes as Readonly<Record<string, NpyArray | undefined>>);
    await refused('result/invalid', message);
  });

  it('files of one assessment that are about different samples', async () => {
    await outcomes({ index: { data: Int32Array.from(span(1, N + 1)), shape: [N] } });
    await refused('result/invalid', /expected the same samples and clean answers in every per-sample file/);
  });

  it('a number of samples that would fill the memory', async () => {
    await change(({ data }) => {
      data.n = 2 ** 40;
    });
    await refused('data/too-large', /expected at most \d+ outcomes/);
  });

  it('a small archive made to grow without end', async () => {
    const huge = new Uint8Array(2 ** 25);
    await writeFile(join(home, 'run', '0-fgsm.npz'), zipSync({ 'index.npy': huge }, { level: 9 }));
    await refused('data/too-large', /index/);
  });

  it('an assessment without results, one that is none, and a file that is not there', async () => {
    await change((value) => {
      value.results = [];
    });
    await refused('data/mismatch', /expected results of attacks/);
    await writeFile(file, strToU8('[]'));
    await refused('result/invalid', /expected "schema"/);
    await rm(file);
    await refused('data/unreadable', /assessment\.json/);
  });

  it('any damaged file with an error that says so', async () => {
    const path = join(home, 'run', '0-fgsm.npz');
    const whole = new Uint8Array(await readFile(path));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(whole.length),
        async (edits, cut) => {
          const spoiled = whole.slice(0, cut % 3 === 0 ? cut : whole.length);
          for (const [at, value] of edits) if (at < spoiled.length) spoiled[at] = value;
          await writeFile(path, spoiled);
          const thrown = await openSide(file).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (thrown !== undefined) {
            expect(thrown).toBeInstanceOf(GlacisError);
            expect((thrown as GlacisError).code).toMatch(/^(data\/(unreadable|too-large)|result\/invalid)$/);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
