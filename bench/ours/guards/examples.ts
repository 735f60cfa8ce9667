import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAttack } from '../../../src/assess/evasion.ts';
import { goalFor } from '../../../src/assess/goal-for.ts';
import { planAttack } from '../../../src/attack/registry.ts';
import { parseSpecs } from '../../../src/core/options.ts';
import { silent } from '../../../src/core/progress.ts';
import { likeliest } from '../../../src/detect/likeliest.ts';
import { normFrom } from '../../../src/threat/norm.ts';
import { line } from '../lines.ts';
import { chosen, type GuardSubject } from './subject.ts';

/** An attack on the first `n` samples that the network gets right; `adaptive` knows each guard. */
export interface Case {
  readonly attack: string;
  readonly norm: string;
  readonly eps: number;
  readonly n: number;
  readonly steps?: number;
  readonly restarts?: number;
}

/** What an attack needs to know of a network and its samples. */
export type Attackable = Pick<GuardSubject, 'loaded' | 'calm' | 'labels' | 'right' | 'size'> & {
  readonly network: string;
};

/** Writes the first samples that the network gets right, for bench/peers/guards.py. */
export function exportFor(folder: string, { calm, labels, right, size }: GuardSubject, n: number): void {
  const numbers = right.slice(0, n);
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  writeFileSync(join(folder, 'x.f32'), bytes(chosen(calm, numbers, size).x));
  writeFileSync(join(folder, 'y.i32'), bytes(Int32Array.from(numbers, (i) => labels[i]!)));
}

/** What the peers made of those samples, by name: the examples that fool the model file. */
export async function peersExamples(
  folder: string,
  { observer, watched, size }: GuardSubject,
): Promise<readonly (readonly [string, Float32Array])[]> {
  const read = (name: string) => {
    const bytes = readFileSync(join(folder, name));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  };
  const labels = new Int32Array(read('y.i32'));
  const found: (readonly [string, Float32Array])[] = [];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.f32') && name !== 'x.f32')
    .sort()) {
    const x = new Float32Array(read(file));
    const seen = await observer.observe(x, labels.length);
    const predicted = likeliest(seen.scores, seen.n, watched.classes);
    const fools = Array.from(labels.keys()).filter((i) => predicted[i] !== labels[i]);
    line('attack', { name: file.slice(0, -4), attacked: labels.length, fell: fools.length });
    found.push([file.slice(0, -4), chosen(seen, fools, size).x]);
  }
  return found;
}

/** An attack's name in tables. */
export const titleOf = ({ attack, norm, eps }: Case): string =>
  `${attack}, ${norm}${eps >= 100 ? '' : ` ${Number(eps.toPrecision(3))}`}`;

/** What an attack makes of them: those of its examples that fool the network, row after row. */
export async function attacked(
  subject: Attackable,
  { attack, norm, eps, n }: Case,
  bounds: readonly [number, number] = subject.loaded.bounds,
): Promise<Float32Array> {
  const { loaded, calm, size, right } = subject;
  const numbers = right.slice(0, n);
  const labels = Int32Array.from(numbers, (i) => subject.labels[i]!);
  const goal = goalFor('classification', labels, loaded.subject.classes, undefined);
  const outcome = await runAttack(
    loaded.subject,
    planAttack(parseSpecs(attack)[0]!),
    goal,
    { norm: normFrom(norm), eps, bounds },
    chosen(calm, numbers, size).x,
    { reached: new Uint8Array(numbers.length) },
    { seed: 0, batch: 50, firstSample: 0, progress: silent },
  );
  const fell = numbers.map((_, i) => i).filter((i) => outcome.success[i]);
  line('attack', {
    network: subject.network,
    name: titleOf({ attack, norm, eps, n }),
    attacked: numbers.length,
    fell: fell.length,
  });
  const x = new Float32Array(fell.length * size);
  for (const [at, i] of fell.entries()) x.set(outcome.x.subarray(i * size, (i + 1) * size), at * size);
  return x;
}
