import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../data/npz.ts';
import { serializeModel } from '../onnx/write.ts';
import { sentenceOf } from '../privacy/index.ts';
import { startEngine } from '../runtime/engine.ts';
import { cues } from '../train/cues.fixture.ts';
import { constant, convNet, train } from '../train/index.ts';
import { FILES, harden } from './harden.ts';
import { measured } from './measure.ts';
import type { HardenOptions, PrivateHardening } from './options.ts';

const engine = startEngine({ threads: 2 });
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-harden-'));
  for (const [name, n, seed] of [
    ['train', 400, 1],
    ['test', 60, 2],
  ] as const) {
    const { x, y } = cues(n, seed);
    await writeNpz(join(folder, `${name}.npz`), {
      x: { data: x, shape: [n, 1, 8, 8] },
      y: { data: y, shape: [n] },
    });
  }
  const net = convNet({ input: [1, 8, 8], classes: 2, channels: [4], hidden: 8, seed: 2 });
  const schedule = constant({ peak: 0.02 });
  const { model } = await train(engine, net, cues(256, 3), { epochs: 5, batch: 32, schedule, seed: 1 });
  await writeFile(join(folder, 'model.onnx'), serializeModel(model));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

async function optionsFor(name: string, more: Partial<HardenOptions> = {}): Promise<HardenOptions> {
  const out = join(folder, name);
  for (const part of [FILES.before, FILES.after]) await mkdir(join(out, part), { recursive: true });
  return {
    goal: 'robust',
    model: join(folder, 'model.onnx'),
    data: join(folder, 'train.npz'),
    test: join(folder, 'test.npz'),
    reading: {},
    norm: 'linf',
    eps: 0.15,
    budget: 60,
    wishes: { against: 'pgd(eps=0.15, steps=4)', epochs: 8, batch: 32, learningRate: 0.02 },
    attacks: [{ name: 'pgd', options: { steps: 10 } }],
    level: 'quick',
    tested: 60,
    floatTwin: false,
    reinitialise: false,
    seed: 0,
    out,
    resume: false,
    threads: 2,
    say: () => {},
    progress: () => {},
    onEpoch: () => {},
    onStep: () => {},
    ...more,
  };
}

describe('harden', () => {
  it('makes a model withstand more, and shows it sample by sample', async () => {
    const options = await optionsFor('plain');
    const { comparison, words, record } = await harden(engine, options);
    const worst = comparison.rows.find(({ kind }) => kind !== 'clean')!;
    expect(worst.rates[0]!.accuracy).toBeLessThan(0.6);
    expect(worst.rates[1]!.accuracy).toBeGreaterThan(0.7);
    expect(worst.contrasts[0]!.verdict).toBe('higher');
    expect(words.join(' ')).toContain('It withstands more now');
    expect(record.epochs).toHaveLength(8);
    for (const file of [
      FILES.model,
      'hardened.training.json',
      'before/assessment.json',
      'after/assessment.json',
    ])
      expect(existsSync(join(options.out, file)), file).toBe(true);
    expect(existsSync(join(options.out, FILES.checkpoint))).toBe(false);
  }, 60_000);

  it('measures and trains under a constraint', async () => {
    const constraint = join(folder, 'mask.json');
    const boxes = [{ top: 0, left: 0, height: 4, width: 8 }];
    await writeFile(
      constraint,
      JSON.stringify({ schema: 'glacis.constraints/1', constraints: [{ type: 'mask', boxes }] }),
    );
    const wishes = { against: 'pgd(eps=0.15, steps=3)', epochs: 2, batch: 32, learningRate: 0.02 };
    const { record } = await harden(engine, await optionsFor('masked', { constraint, wishes }));
    expect(record.config.constraint).toBeTruthy();
    const { data } = await measured(join(folder, 'masked', FILES.after));
    expect(data.notes.join()).toContain('only 32 of 64 elements may change');
    const other = await optionsFor('masked', { wishes, resume: true });
    await expect(harden(engine, other)).rejects.toThrow(/constraint differ/);
  }, 60_000);

  it('goes on where it was stopped and ends in the same bytes', async () => {
    const whole = await optionsFor('whole');
    await harden(engine, whole);
    const stop = new AbortController();
    const options = await optionsFor('stopped', {
      signal: stop.signal,
      onEpoch: (_, number) => {
        if (number === 3) stop.abort();
      },
    });
    await expect(harden(engine, options)).rejects.toMatchObject({ code: 'run/cancelled' });
    const said: string[] = [];
    const { signal: _, ...rest } = await optionsFor('stopped', {
      resume: true,
      say: (line) => said.push(line),
    });
    await harden(engine, rest);
    expect(said).not.toContain('Measuring the model as it is …');
    const bytes = (of: HardenOptions) => readFile(join(of.out, FILES.model));
    expect((await bytes(options)).equals(await bytes(whole))).toBe(true);
  }, 60_000);

  it('plans by itself within the time', async () => {
    const said: string[] = [];
    const options = await optionsFor('planned', {
      wishes: { batch: 32 },
      budget: 8,
      say: (line) => said.push(line),
    });
    const { plan } = await harden(engine, options);
    expect(plan!.wishes.against).toMatch(/^(pgd|fast)\(eps=0\.15/);
    expect(plan!.seconds).toBeLessThanOrEqual(6);
    expect(said.some((line) => line.startsWith('Plan: '))).toBe(true);
  }, 60_000);

  it('says that the time is too short before any of it is spent', async () => {
    const said: string[] = [];
    const options = await optionsFor('hurried', {
      wishes: { batch: 32 },
      budget: 1e-6,
      say: (line) => said.push(line),
    });
    await expect(harden(engine, options)).rejects.toThrow(/at least one epoch of \d+ samples/);
    expect(said).not.toContain('Measuring the model as it is …');
  }, 60_000);

  const privacy = (name: string, wishes: PrivateHardening['wishes'] = {}): PrivateHardening => ({
    wishes: { noise: 0.6, delta: 1e-3, batch: 40, epochs: 6, clip: '0.5', learningRate: 0.2, ...wishes },
    publicWeights: false,
    ledger: { path: join(folder, `${name}.jsonl`) },
  });

  it('trains anew with privacy, says what that is worth, and never trains twice', async () => {
    const said: string[] = [];
    const options = await optionsFor('private', {
      goal: 'private',
      privacy: privacy('private'),
      wishes: {},
      attacks: undefined,
      say: (line) => said.push(line),
    });
    const { words, record } = await harden(engine, options);
    expect(said.join()).toContain('The weights are drawn anew');
    const [statement] = record.privacy!.statements;
    const text = words.join('\n');
    expect(text).toContain(sentenceOf(statement!));
    expect(text).toMatch(/had an advantage of .+ before and has one of .+ after/);
    expect(text).toContain('Without an attack the model is right on');
    const page = JSON.parse(await readFile(join(options.out, 'hardened.training.json'), 'utf8'));
    expect(page.epochs.every((epoch: object) => !('loss' in epoch))).toBe(true);
    expect((await stat(join(options.out, FILES.record))).mode & 0o077).toBe(0);
    expect(existsSync(join(options.out, FILES.checkpoint))).toBe(false);
    const before = await readFile(join(options.out, FILES.model));
    await harden(engine, { ...options, resume: true });
    expect((await readFile(join(options.out, FILES.model))).equals(before)).toBe(true);
    const runs = (await readFile(join(folder, 'private.jsonl'), 'utf8')).match(/reserved/g);
    expect(runs).toHaveLength(1);
  }, 60_000);

  it('learns from attacked samples privately, planned within the time', async () => {
    const said: string[] = [];
    const options = await optionsFor('both', {
      goal: 'both',
      privacy: privacy('both', { epochs: undefined }),
      wishes: {},
      budget: 5,
      say: (line) => said.push(line),
    });
    const { words, plan, comparison } = await harden(engine, options);
    expect(plan!.wishes.against).toMatch(/^pgd\(eps=0\.15, steps=\d, ramp=0\.5\)$/);
    expect(plan!.seconds).toBeLessThanOrEqual(3.75);
    expect(comparison.rows.some(({ kind }) => kind !== 'clean')).toBe(true);
    expect(words.join('\n')).toMatch(/Under pgd[\s\S]+Each training sample is protected now/);
  }, 60_000);

  it.each<[string, Partial<HardenOptions>, RegExp]>([
    [
      'a goal without what may be spent',
      { goal: 'private' },
      /for the goals private and both only, got nothing/,
    ],
    [
      'public weights where all are drawn anew',
      { goal: 'private', reinitialise: true, privacy: { ...privacy('no'), publicWeights: true } },
      /all drawn anew/,
    ],
  ])('refuses %s', async (_, more, message) => {
    await expect(harden(engine, await optionsFor('refused', more))).rejects.toThrow(message);
  });

  it('refuses to measure on what it learns from', async () => {
    const same = await optionsFor('same', { test: join(folder, 'train.npz'), tested: 10 });
    await expect(harden(engine, same)).rejects.toMatchObject({ code: 'data/mismatch' });
  });

  it('refuses to go on with other ways to read the data', async () => {
    const options = await optionsFor('plain', { reading: { range: [0, 2] }, resume: true });
    await expect(harden(engine, options)).rejects.toThrow(/reading differ/);
  });

  it('refuses to go on with another hardening', async () => {
    const options = await optionsFor('plain', { eps: 0.2, resume: true });
    await expect(harden(engine, options)).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('eps differ'),
    });
  });
});
