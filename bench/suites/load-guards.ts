import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { BENCH } from '../places.ts';
import { calmData, LOADS, type Network } from './request-bodies.ts';
import type { Ready } from './wrk-load.ts';

/** The calibrated guards that need no further pass of the model. */
const PASSLESS = [
  'entropy',
  'margin',
  'energy',
  'mahalanobis',
  'nearest-features',
  'near-duplicates',
  'similar-queries',
  'query-shift',
] as const;

/** What each guard said of how many requests, by action. */
export type Verdicts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A file with thresholds for these guards, made once by `glacis calibrate`. Errors: `run/failed`. */
export async function calibrationFor(
  network: Network,
  about: string,
  guards: readonly string[],
): Promise<string> {
  const out = join(LOADS, `${network.name}-${about}.json`);
  if (existsSync(out)) return out;
  const glacis = join(BENCH, '..', 'bin', 'glacis.mjs');
  const args = [
    'calibrate',
    network.file,
    '--data',
    await calmData(network),
    '--guards',
    guards.join(),
    '--quiet',
  ];
  const run = spawnSync(process.execPath, [glacis, ...args, '--out', out], { encoding: 'utf8' });
  if (run.status !== 0) throw new GlacisError('run/failed', `calibrate: ${run.stderr}`);
  return out;
}

/** Thresholds for all of {@link PASSLESS}. Errors: `run/failed`. */
export function passlessCalibration(network: Network): Promise<string> {
  return calibrationFor(network, 'passless', PASSLESS);
}

/** Every guard that needs no further pass of the model, each at its own rate of false alarms. They flag, so that a false alarm ends no measurement. */
export async function passlessGuards(network: Network): Promise<object> {
  const calibration = await passlessCalibration(network);
  return { calibration, ...Object.fromEntries(PASSLESS.map((guard) => [guard, { action: 'flag' }])) };
}

/** What guards have said so far, from the metrics of a guarded server. Errors: `run/failed`. */
export async function verdictsOf({ management, key }: Ready): Promise<Verdicts> {
  const answer = await fetch(`${management}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
  const page = await answer.text();
  if (!answer.ok) throw new GlacisError('run/failed', `metrics: expected 200, got ${answer.status}`);
  const verdicts: Record<string, Record<string, number>> = {};
  for (const [, labels, value] of page.matchAll(/^glacis_guard_verdicts_total\{(.*)\} (\S+)$/gm)) {
    const of = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels!)?.[1] ?? '';
    const [guard, action] = [of('guard'), of('action')];
    verdicts[guard] ??= {};
    verdicts[guard][action] = (verdicts[guard][action] ?? 0) + Number(value);
  }
  return verdicts;
}
