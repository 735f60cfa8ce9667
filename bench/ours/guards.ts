import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { likeliest } from '../../src/detect/likeliest.ts';
import type { InputGuard } from '../../src/gateway/guard.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { SHARED } from '../places.ts';
import { adaptiveExamples, openSqueezed } from './guards/adaptive.ts';
import { alarmsOf, RATES, type Tuned, tuned } from './guards/detectors.ts';
import { attacked, type Case, exportFor, peersExamples, titleOf } from './guards/examples.ts';
import { callOf, plainGuards } from './guards/plain.ts';
import { GUARD_NETWORKS } from './guards/split.ts';
import { strangers } from './guards/strangers.ts';
import { chosen, type GuardSubject, openGuardSubject } from './guards/subject.ts';
import { line } from './lines.ts';

/**
 * What each guard finds of a network's attacked and strange samples, at thresholds for stated rates of false alarms: JSON lines `guard` (false alarms, cost), `found` (alarms among the
 * examples that fool the network) and `evaded` (of the samples attacked by someone who knows the guard, how many fool the network unnoticed).
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      network: { type: 'string' },
      part: { type: 'string' },
      cases: { type: 'string' },
      threads: { type: 'string' },
      export: { type: 'string' },
      cost: { type: 'boolean' },
      n: { type: 'string' },
      peers: { type: 'string' },
    },
    strict: true,
  });
  const network = GUARD_NETWORKS.find((name) => name === values.network);
  const part = values.part === 'final' ? 'final' : 'development';
  if (network === undefined)
    throw new GlacisError('option/invalid', `--network: expected ${GUARD_NETWORKS.join(', ')}`);
  const cases = JSON.parse(values.cases ?? '[]') as readonly Case[];
  const engine = startEngine({ threads: Number(values.threads ?? 1) });
  const subject = await openGuardSubject(engine, network, part);
  if (values.export !== undefined) {
    exportFor(values.export, subject, Number(values.n ?? 100));
    await subject.loaded.close();
    await engine.close();
    return;
  }
  const all = await tuned(subject.watched, subject);
  for (const each of all) line('guard', { network, guard: each.id, ...(await calmOf(each, subject)) });
  for (const each of plainGuards(subject)) line('guard', { network, ...(await plainCalm(each, subject)) });
  const strange = values.cost ? [] : await strangers(subject, STRANGERS);
  for (const [name, x] of strange) await report(subject, all, name, x, 'strange');
  for (const each of cases)
    if (each.attack === 'adaptive') await adaptive(engine, subject, all, each);
    else await report(subject, all, titleOf(each), await attacked(subject, each), 'attacked');
  if (values.peers !== undefined)
    for (const [name, x] of await peersExamples(values.peers, subject))
      await report(subject, all, name, x, 'attacked');
  await subject.loaded.close();
  await engine.close();
}

const STRANGERS = 500;

/** False alarms among calm samples, and what a judgement costs. */
async function calmOf(each: Tuned, { calm, size }: GuardSubject): Promise<object> {
  const alarms = await alarmsOf(each, calm);
  const some = (n: number) => chosen(calm, firstOf(n), size);
  const cost = await costOf((seen) => each.scorer(seen), some, each.id === 'feature-squeezing' ? 10 : 1024);
  return {
    n: calm.n,
    rates: RATES,
    alarms,
    thresholds: each.thresholds.map((t) => t?.threshold ?? null),
    ...cost,
  };
}

/** The same of a guard that is exact: it has no rate, and judges calls. */
async function plainCalm(guard: InputGuard, { calm, size, watched }: GuardSubject): Promise<object> {
  let refused = 0;
  for (let i = 0; i < calm.n; i++) {
    const verdict = await guard.judge(callOf(chosen(calm, [i], size).x, 1, watched));
    if (verdict.action !== 'pass') refused++;
  }
  const some = (n: number) => callOf(chosen(calm, firstOf(n), size).x, n, watched);
  const cost = await costOf((call) => guard.judge(call), some, 1024);
  return { guard: guard.name, n: calm.n, rates: RATES, alarms: [refused, refused], ...cost };
}

/** Microseconds a sample, of one and of 64 at once: the quickest of seven, because other programs only ever add. */
async function costOf<T>(
  judge: (some: T) => unknown,
  some: (n: number) => T,
  samples: number,
): Promise<object> {
  const cost: Record<string, number> = {};
  for (const n of [1, 64]) {
    const given = some(n);
    const rounds = Math.ceil(samples / Math.min(n, samples));
    for (let i = 0; i < rounds; i++) await judge(given);
    const times: number[] = [];
    for (let round = 0; round < 7; round++) {
      const start = performance.now();
      for (let i = 0; i < rounds; i++) await judge(given);
      times.push((1000 * (performance.now() - start)) / rounds / n);
    }
    cost[`microseconds${n}`] = Math.min(...times);
  }
  return cost;
}

const firstOf = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

async function report(
  subject: GuardSubject,
  all: readonly Tuned[],
  name: string,
  x: Float32Array,
  kind: 'strange' | 'attacked',
): Promise<void> {
  const n = x.length / subject.size;
  if (n === 0) return;
  const seen = await subject.observer.observe(x, n);
  for (const each of all)
    line('found', {
      network: subject.network,
      kind,
      name,
      guard: each.id,
      n,
      alarms: await alarmsOf(each, seen),
    });
}

/** An attacker who knows the guard and keeps below its lowest threshold; judged at all of them. */
async function adaptive(
  engine: Parameters<typeof openSqueezed>[0],
  subject: GuardSubject,
  all: readonly Tuned[],
  { eps, n, steps = 100, restarts = 2 }: Case,
): Promise<void> {
  const { loaded, calm, size, right, network, watched } = subject;
  const numbers = right.slice(0, n);
  const labels = Int32Array.from(numbers, (i) => subject.labels[i]!);
  const x0 = chosen(calm, numbers, size).x;
  for (const each of all) {
    const known = each.thresholds.filter((found) => found !== undefined);
    if (known.length === 0) continue;
    const path = join(SHARED, 'models', `${network}.onnx`);
    const squeezed =
      each.id === 'feature-squeezing'
        ? await openSqueezed(engine, path, (each.fit as { bits: number }).bits, watched.sampleDims)
        : undefined;
    const threshold = Math.min(...known.map((found) => found.threshold));
    const target = squeezed ?? loaded.subject.target!;
    const options = { eps, steps, restarts, seed: 0, threshold };
    const made = await adaptiveExamples(target, each, x0, labels, loaded.bounds, options);
    await squeezed?.close();
    const seen = await subject.observer.observe(made, numbers.length);
    const predicted = likeliest(seen.scores, seen.n, watched.classes);
    const scores = await each.scorer(seen);
    const fools = numbers.map((_, i) => i).filter((i) => predicted[i] !== labels[i]);
    const unnoticed = each.thresholds.map((found) =>
      found === undefined ? null : fools.filter((i) => scores[i]! <= found.threshold).length,
    );
    line('evaded', { network, guard: each.id, eps, n: numbers.length, fooled: fools.length, unnoticed });
  }
}

await main();
