import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { load } from '../../../../src/assess/load.ts';
import { judge } from '../../../../src/assess/subject.ts';
import { bundledExample } from '../../../../src/cli/bundled-example.ts';
import { writeNpz } from '../../../../src/data/index.ts';
import { renderSplit, SIGN_SHAPE } from '../../../../src/data/traffic-signs/render.ts';
import { keptWatched } from '../../../../src/detect/calibration/calibrate.ts';
import type { Watched } from '../../../../src/detect/detector.ts';
import { inputGuard } from '../../../../src/gateway/guards/input.ts';
import type { Engine } from '../../../../src/runtime/engine.ts';
import { classificationGoal } from '../../../../src/threat/goal.ts';
import { type Attackable, attacked, exportFor, peersExamples } from '../examples.ts';
import { callOf, made } from '../plain.ts';
import { strangers } from '../strangers.ts';
import { chosen, openGuardSubject } from '../subject.ts';
import { refusedOf, tell } from './finding.ts';
import { FROZEN, type Part } from './frozen.ts';

const SETTINGS = ['not calibrated', 'calibrated'];
/** Inputs of each accident, and attacked samples. */
const ACCIDENTS = 500;
const ATTACKED = 200;
const NETWORK = 'mnist-cnn';

type Pictures = Attackable & { readonly watched: Watched };

/** Writes the digits that the peers attack. */
export async function exportDigits(engine: Engine, folder: string, part: Part): Promise<void> {
  const subject = await openGuardSubject(engine, NETWORK, part);
  mkdirSync(join(folder, NETWORK), { recursive: true });
  exportFor(join(folder, NETWORK), subject, ATTACKED);
  await subject.loaded.close();
}

/** Measures the guard on digits and on the bundled signs: with the range of the data, as a calibration tells it, and without. */
export async function measureInput(engine: Engine, folder: string, part: Part): Promise<void> {
  const digits = await openGuardSubject(engine, NETWORK, part);
  const other = await strangers(digits, ACCIDENTS);
  await measure(digits, 0.2, other, await peersExamples(join(folder, NETWORK), digits));
  await digits.loaded.close();
  const signs = await openSigns(engine, folder, part);
  await measure(signs, 8 / 255, new Map(), []);
  await signs.loaded.close();
}

async function measure(
  subject: Pictures,
  eps: number,
  strange: ReadonlyMap<string, Float32Array>,
  peers: readonly (readonly [string, Float32Array])[],
): Promise<void> {
  const { calm, size, watched, network, right } = subject;
  const calibration = { watched: keptWatched(watched), fit: {}, thresholds: [] };
  const guards = [made(inputGuard, {}, watched), made(inputGuard, {}, watched, calibration)];
  const refused = (x: Float32Array) =>
    Promise.all(
      guards.map((guard) =>
        refusedOf(
          guard,
          Array.from({ length: x.length / size }, (_, i) =>
            callOf(x.slice(i * size, (i + 1) * size), 1, watched),
          ),
        ),
      ),
    );
  const common = { guard: 'input', subject: network, settings: SETTINGS };
  const both = (n: number) => SETTINGS.map(() => n);
  const plain = async (kind: 'calm' | 'accident', name: string, x: Float32Array) =>
    tell({ ...common, kind, name, n: both(x.length / size), refused: await refused(x) });
  await plain('calm', 'calm', calm.x);
  const some = chosen(calm, firstOf(Math.min(ACCIDENTS, calm.n)), size).x;
  for (const [name, x] of malformed(some, size)) await plain('accident', name, x);
  for (const [name, x] of strange) await plain('accident', name, x);

  const report = async (kind: 'attacked' | 'adaptive', name: string, n: number, x: Float32Array) =>
    tell({
      ...common,
      kind,
      name,
      n: both(n),
      fooled: both(x.length / size),
      refused: await refused(x),
    });
  const n = Math.min(ATTACKED, right.length);
  const radius = `linf ${Number(eps.toPrecision(3))}`;
  const pgd = { attack: 'pgd(steps=40)', norm: 'linf', eps, n };
  const few = { attack: 'hop-skip-jump(queries=2000)', norm: 'l2', eps: 100, n: Math.min(50, n) };
  await report(
    'attacked',
    `pgd(steps=40), ${radius}, not clipped`,
    n,
    await attacked(subject, pgd, [-10, 10]),
  );
  await report('attacked', `pgd(steps=40), ${radius}`, n, await attacked(subject, pgd));
  await report('attacked', `${few.attack}, l2`, few.n, await attacked(subject, few));
  for (const [name, x] of peers) await report('attacked', name, n, x);
  // All that an attacker who knows the guard has to do is what attacks do anyway: stay within the range.
  const strongest = { ...pgd, attack: 'apgd-ce(steps=100)' };
  await report(
    'adaptive',
    `apgd-ce(steps=100), ${radius}, within the range`,
    n,
    await attacked(subject, strongest),
  );
}

/** What comes of mistakes on the way to the server, by name. */
function malformed(x: Float32Array, size: number): ReadonlyMap<string, Float32Array> {
  const each = (change: (row: Float32Array, i: number) => void) => {
    const copy = x.slice();
    for (let i = 0; i * size < x.length; i++) change(copy.subarray(i * size, (i + 1) * size), i);
    return copy;
  };
  const one = (value: number) =>
    each((row, i) => {
      row[(i * 7919) % size] = value;
    });
  const tiny = (share: number) => each((row) => row.fill(1e-40, 0, Math.floor(share * size)));
  return new Map([
    ['one value NaN', one(Number.NaN)],
    ['one value infinite', one(Number.NEGATIVE_INFINITY)],
    ['one value 1.001', one(1.001)],
    ['one value −0.5', one(-0.5)],
    ['0 to 255 in place of 0 to 1', x.map((v) => 255 * v)],
    ['−1 to 1 in place of 0 to 1', x.map((v) => 2 * v - 1)],
    ['standardised', x.map((v) => (v - 0.1307) / 0.3081)],
    ['0 to 1 divided by 255 once more', x.map((v) => v / 255)],
    ['black', each((row) => row.fill(0))],
    ['grey', each((row) => row.fill(0.5))],
    ['grey but for one value', each((row) => row.fill(0.5).fill(0.51, 0, 1))],
    ['a hundredth denormal', tiny(0.01)],
    ['a fiftieth denormal', tiny(0.02)],
  ]);
}

/** The bundled classifier with signs that are rendered for the purpose. */
async function openSigns(engine: Engine, folder: string, part: Part): Promise<Pictures> {
  const { model } = await bundledExample();
  const { n } = FROZEN.signs;
  const drawn = renderSplit({ seed: FROZEN.seeds[part], split: 'test', n });
  const data = join(folder, 'signs.npz');
  await writeNpz(data, {
    x: { data: drawn.x, shape: [n, ...SIGN_SHAPE] },
    y: { data: Int32Array.from(drawn.y), shape: [n] },
  });
  const loaded = await load(engine, { model, data });
  const { x } = await loaded.adapted.read(0, n);
  const labels = Int32Array.from(loaded.labels, Number);
  const { classes } = loaded.subject;
  const { reached, outputs } = await judge(
    loaded.subject,
    classificationGoal(labels, classes),
    x,
    n,
    undefined,
  );
  return {
    network: 'traffic-signs',
    loaded,
    calm: { n, x, scores: outputs },
    labels,
    right: firstOf(n).filter((i) => !reached[i]),
    size: x.length / n,
    watched: { sampleDims: loaded.adapted.shape, classes, gives: 'logits', range: loaded.bounds },
  };
}

const firstOf = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
