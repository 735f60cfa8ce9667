import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAttack } from '../../../../src/assess/evasion.ts';
import { goalFor } from '../../../../src/assess/goal-for.ts';
import { judge } from '../../../../src/assess/subject.ts';
import { planAttack } from '../../../../src/attack/registry.ts';
import { parseSpecs } from '../../../../src/core/options.ts';
import { silent } from '../../../../src/core/progress.ts';
import { randomFrom } from '../../../../src/core/random.ts';
import { thresholdFor } from '../../../../src/detect/calibration/threshold.ts';
import type { InputGuard } from '../../../../src/gateway/guard.ts';
import { constraintsGuard } from '../../../../src/gateway/guards/constraints.ts';
import type { Engine } from '../../../../src/runtime/engine.ts';
import { rowConstraintFrom } from '../../../../src/threat/constraint/from-file.ts';
import type { Constraint } from '../../../../src/threat/constraint.ts';
import { RATES } from '../detectors.ts';
import { callOf, made } from '../plain.ts';
import { barsWorld } from './bars.ts';
import { cancerWorld } from './cancer.ts';
import { creditWorld } from './credit.ts';
import { refusedOf, tell } from './finding.ts';
import { FROZEN, type Part } from './frozen.ts';
import { openNetwork, writeNetwork } from './network.ts';
import { packed, type World } from './world.ts';

const SETTINGS = ['rules alone', 'and ranges at 0.1 %', 'and ranges at 1 %'];

/** The worlds whose rows are measured. */
export const worldsOf = async (part: Part): Promise<readonly World[]> => [
  creditWorld(part),
  await cancerWorld(part),
  barsWorld(part),
];

/** A world's rows by what they are for; the network's input beside the owner's units. */
function partsOf(world: World) {
  const { train, threshold, final } = FROZEN[world.name];
  const cut = (from: number, n: number) => ({
    rows: world.rows.slice(from, from + n),
    y: world.labels.slice(from, from + n),
    x: packed(world, world.rows.slice(from, from + n)),
    dims: world.dims,
  });
  return { train: cut(0, train), threshold: cut(train, threshold), final: cut(train + threshold, final) };
}

/** Least and greatest number of all rows: what an attack may use where no constraint says more. */
function boundsOf(world: World): readonly [number, number] {
  let [low, high] = [0, 0];
  for (const value of packed(world, world.rows)) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** Rows that are attacked: the first ones of the final part that the network gets right. */
async function openAttacked(engine: Engine, folder: string, world: World) {
  const { final } = partsOf(world);
  const loaded = await openNetwork(engine, folder, final, boundsOf(world));
  const goal = goalFor('classification', Int32Array.from(final.y), 2, undefined);
  const clean = await judge(loaded.subject, goal, final.x, final.y.length, undefined);
  const right = final.y.map((_, i) => i).filter((i) => !clean.reached[i]);
  return { loaded, final, right, accuracy: right.length / final.y.length };
}

/** Trains a world's network into `folder/NAME` and writes what bench/peers/rows.py attacks. */
export async function exportWorld(engine: Engine, folder: string, world: World): Promise<void> {
  const place = join(folder, world.name);
  mkdirSync(place, { recursive: true });
  await writeNetwork(engine, place, partsOf(world).train, world.name === 'cancer' ? 60 : 20);
  const { loaded, final, right } = await openAttacked(engine, place, world);
  const { attacked, eps } = FROZEN[world.name];
  const numbers = right.slice(0, attacked);
  writeFileSync(join(place, 'x.f32'), new Uint8Array(rowsAt(final.x, numbers, world.mean.length).buffer));
  writeFileSync(join(place, 'y.i32'), new Uint8Array(Int32Array.from(numbers, (i) => final.y[i]!).buffer));
  const about = { dims: world.dims, bounds: loaded.bounds, eps, labelsOnly: FROZEN.labelsOnly.attacked };
  writeFileSync(join(place, 'about.json'), JSON.stringify(about));
  await loaded.close();
}

/** A setting of the guard, and what it holds rows against. */
interface Set {
  readonly guard: InputGuard;
  readonly constraint: Constraint;
}

/** Measures the guard on a world whose network lies in `folder/NAME`, with what the peers made there. */
export async function measureWorld(engine: Engine, folder: string, world: World, part: Part): Promise<void> {
  const place = join(folder, world.name);
  const { train, threshold } = partsOf(world);
  const { loaded, final, right, accuracy } = await openAttacked(engine, place, world);
  const size = world.mean.length;
  const score = world.spreadOf(train.rows);
  const limits = RATES.map((rate) => thresholdFor(threshold.rows.map(score), rate)?.threshold);
  const sets = [undefined, ...limits].map((limit, k): Set | undefined => {
    if (k > 0 && limit === undefined) return undefined;
    const file = join(place, `constraints-${k}.json`);
    const text = JSON.stringify({
      schema: 'glacis.constraints/1',
      constraints: [world.file(train.rows, limit)],
    });
    writeFileSync(file, text);
    const form = { sampleDims: world.dims, classes: 2, gives: 'logits' } as const;
    return {
      guard: made(constraintsGuard, { file }, form),
      constraint: rowConstraintFrom(text, file, { shape: world.dims }),
    };
  });
  const form = { sampleDims: world.dims, classes: 2, gives: 'logits' } as const;
  const callsOf = (x: Float32Array) =>
    Array.from({ length: x.length / size }, (_, i) => callOf(x.slice(i * size, (i + 1) * size), 1, form));
  const common = { guard: 'constraints', subject: world.name, settings: SETTINGS };
  const each = <T>(of: (set: Set) => T | Promise<T>) =>
    Promise.all(sets.map((set) => (set === undefined ? null : of(set))));
  const plain = async (kind: 'calm' | 'accident', name: string, x: Float32Array) =>
    tell({
      ...common,
      kind,
      name,
      n: sets.map((set) => (set ? x.length / size : null)),
      refused: await each(({ guard }) => refusedOf(guard, callsOf(x))),
    });

  await plain('calm', `calm (the network is right about ${(100 * accuracy).toFixed(1)} %)`, final.x);
  const rng = randomFrom(FROZEN.seeds[part], 'accidents', world.name);
  const some = final.rows.slice(0, 500);
  for (const [name, accident] of Object.entries(world.accidents)) {
    const rows = some.map((row, i) => accident(row, rng.fork(name, i), some[(i + 1) % some.length]!));
    await plain('accident', name, packed(world, rows));
  }

  const { attacked, eps } = FROZEN[world.name];
  const first = right.slice(0, attacked);
  const few = first.slice(0, FROZEN.labelsOnly.attacked);
  const ways = [
    { title: `pgd(steps=40), linf ${eps}`, attack: 'pgd(steps=40)', norm: 'linf', eps, numbers: first },
    {
      title: `hop-skip-jump(queries=${FROZEN.labelsOnly.queries}), l2`,
      attack: `hop-skip-jump(queries=${FROZEN.labelsOnly.queries})`,
      norm: 'l2',
      eps: 100,
      numbers: few,
    },
  ] as const;
  const goalOf = (numbers: readonly number[]) =>
    goalFor(
      'classification',
      Int32Array.from(numbers, (i) => final.y[i]!),
      2,
      undefined,
    );
  const fooling = async (x: Float32Array, numbers: readonly number[]) => {
    const { reached } = await judge(loaded.subject, goalOf(numbers), x, numbers.length, undefined);
    return rowsAt(
      x,
      Array.from(numbers.keys()).filter((i) => reached[i]),
      size,
    );
  };
  const attack = async (way: (typeof ways)[number], numbers: readonly number[], constraint?: Constraint) => {
    const { x } = await runAttack(
      loaded.subject,
      planAttack(parseSpecs(way.attack)[0]!),
      goalOf(numbers),
      { norm: way.norm, eps: way.eps, bounds: loaded.bounds, ...(constraint && { constraint }) },
      rowsAt(final.x, numbers, size),
      { reached: new Uint8Array(numbers.length) },
      { seed: 0, batch: 100, firstSample: 0, progress: silent },
    );
    return fooling(x, numbers);
  };
  const report = async (name: string, n: number, x: Float32Array) =>
    tell({
      ...common,
      kind: 'attacked',
      name,
      n: sets.map((set) => (set ? n : null)),
      fooled: sets.map((set) => (set ? x.length / size : null)),
      refused: await each(({ guard }) => refusedOf(guard, callsOf(x))),
    });
  for (const way of ways) await report(way.title, way.numbers.length, await attack(way, way.numbers));
  for (const name of ['ART PGD', 'ART HopSkipJump']) {
    const file = join(place, `${name}.f32`);
    if (!existsSync(file)) continue;
    const bytes = readFileSync(file);
    const x = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const numbers = first.slice(0, x.length / size);
    await report(
      `${name}, ${name === 'ART PGD' ? `linf ${eps}` : 'l2'}`,
      numbers.length,
      await fooling(x, numbers),
    );
  }
  for (const way of ways) {
    const found = await each(async ({ guard, constraint }) => {
      // An attacker starts from rows that pass.
      const possible = way.numbers.filter(
        (i) => constraint.impossible!(final.x, i * size, size) === undefined,
      );
      const x = await attack(way, possible, constraint);
      return { n: possible.length, fooled: x.length / size, refused: await refusedOf(guard, callsOf(x)) };
    });
    tell({
      ...common,
      kind: 'adaptive',
      name: `${way.title}, through the file`,
      n: found.map((f) => f?.n ?? null),
      fooled: found.map((f) => f?.fooled ?? null),
      refused: found.map((f) => f?.refused ?? null),
    });
  }
  await loaded.close();
}

function rowsAt(x: Float32Array, numbers: readonly number[], size: number): Float32Array {
  const out = new Float32Array(numbers.length * size);
  for (const [at, i] of numbers.entries()) out.set(x.subarray(i * size, (i + 1) * size), at * size);
  return out;
}
