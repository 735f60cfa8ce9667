import { open } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import type { PrivateRun } from '../privacy/index.ts';
import { checkRun } from '../privacy/private-run.ts';
import type { Given } from './args.ts';

/** A run whose missing parts are to be found. */
export type PartialRun = { readonly [K in keyof PrivateRun]?: PrivateRun[K] | undefined };

/** Most bytes of a file with runs. */
const MOST_BYTES = 1 << 20;

/** One number of an option. Errors: `option/invalid`. */
export function oneNumber(given: Given, name: string): number | undefined {
  const numbers = given.numbers(name);
  if (numbers === undefined || numbers.length === 1) return numbers?.[0];
  throw new GlacisError('option/invalid', `--${name}: expected one number, got '${given.text(name)}'`);
}

/**
 * The run that `--rate` (or `--batch` and `--samples`), `--noise` and `--steps` (or `--epochs`) describe, as far as they do.
 * Epochs that end within a step count it whole. Errors: `option/invalid`.
 */
export function runFrom(given: Given): PartialRun {
  const rate = rateFrom(given);
  const epochs = oneNumber(given, 'epochs');
  const steps = given.whole('steps', 1);
  if (epochs !== undefined && steps !== undefined)
    throw new GlacisError('option/invalid', '--epochs: expected it without --steps, got both');
  if (epochs === undefined) return { rate, noise: oneNumber(given, 'noise'), steps };
  if (!(epochs > 0)) throw new GlacisError('option/invalid', `--epochs: expected above 0, got ${epochs}`);
  if (rate === undefined)
    throw new GlacisError('option/invalid', '--epochs: expected --rate, or --batch and --samples, beside it');
  return { rate, noise: oneNumber(given, 'noise'), steps: Math.ceil((epochs / rate) * (1 - 1e-12)) };
}

function rateFrom(given: Given): number | undefined {
  const [rate, batch, samples] = [
    oneNumber(given, 'rate'),
    given.whole('batch', 1),
    given.whole('samples', 1),
  ];
  if (batch === undefined) return rate;
  if (rate !== undefined)
    throw new GlacisError('option/invalid', '--batch: expected it without --rate, got both');
  if (samples === undefined)
    throw new GlacisError('option/invalid', '--batch: expected --samples beside it, got nothing');
  if (batch > samples)
    throw new GlacisError(
      'option/invalid',
      `--batch: expected at most the ${samples} samples (a sampling rate over 1 does not exist), got ${batch}`,
    );
  return batch / samples;
}

/** The runs of all `--run RATE,NOISE,STEPS`. Errors: `option/invalid`. */
export function listedRuns(given: Given): readonly PrivateRun[] {
  return given.texts('run').map((text) => {
    const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    const [rate, noise, steps] = numbers;
    if (numbers.length !== 3 || numbers.some((n) => Number.isNaN(n)))
      throw new GlacisError('option/invalid', `--run: expected RATE,NOISE,STEPS, got '${text}'`);
    const run = { rate: rate!, noise: noise!, steps: steps! };
    checkRun(run, `--run ${text}`);
    return run;
  });
}

/** The runs of a JSON file: a list of `{ "rate", "noise", "steps" }`. Errors: `data/unreadable`, `data/too-large`, `option/invalid`. */
export async function runsOfFile(path: string): Promise<readonly PrivateRun[]> {
  return parseRuns(await textOf(path), path);
}

/** Reads a list of runs. `text` is attacker-controlled. Errors: `data/unreadable`, `option/invalid`. */
export function parseRuns(text: string, path: string): readonly PrivateRun[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new GlacisError('data/unreadable', `${path}: expected JSON`, { cause });
  }
  if (!Array.isArray(list))
    throw new GlacisError('data/unreadable', `${path}: expected a list of { "rate", "noise", "steps" }`);
  return list.map((entry: unknown, i) => {
    const where = `${path}, run ${i + 1}`;
    const run = typeof entry === 'object' && entry !== null ? (entry as PrivateRun) : undefined;
    if (!run || Object.keys(run).sort().join() !== 'noise,rate,steps')
      throw new GlacisError('data/unreadable', `${where}: expected { "rate", "noise", "steps" } and no more`);
    for (const value of Object.values(run))
      if (typeof value !== 'number') throw new GlacisError('data/unreadable', `${where}: expected numbers`);
    checkRun(run, where);
    return { rate: run.rate, noise: run.noise, steps: run.steps };
  });
}

async function textOf(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MOST_BYTES)
        throw new GlacisError('data/too-large', `${path}: expected at most ${MOST_BYTES} bytes, got ${size}`);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES + 1), 0, MOST_BYTES + 1, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw asGlacisError(thrown, 'data/unreadable', path);
  }
}
