import { type Rng, randomFrom } from '../../core/random.ts';
import type { MonitorSetting } from '../monitor.ts';
import { sighting } from '../sighting.fixture.ts';
import type { Sighting } from '../sighting.ts';
import { PICTURE_STATISTICS } from '../sketch/sketch-plan.ts';

/** Sketches of a small world: pictures of three classes, 16 cells and the statistics of pictures. */
export const CELLS = 16;
const WIDTH = CELLS + 3;

/** Names of its features. */
export const FEATURES = [...Array.from({ length: CELLS }, (_, i) => `cell 0,${i}`), ...PICTURE_STATISTICS];

/** A monitor's setting in this world. */
export function settingOf(given: Partial<MonitorSetting> = {}): MonitorSetting {
  let next = 0;
  return {
    ...{ model: 'digits', version: '1', digest: 'sha256:1', classes: 3, features: FEATURES, seed: 1 },
    ...{ calibration: undefined, calm: [], remembered: undefined, freshId: () => String(next++) },
    ...given,
  };
}

/** The model of this world: which third of the cells is brightest, and how clearly. */
export function labelOf(cells: ArrayLike<number>): readonly [label: number, score: number] {
  const sums = [0, 0, 0];
  for (let i = 0; i < CELLS; i++) sums[i % 3]! += cells[i]!;
  const label = sums.indexOf(Math.max(...sums));
  const [first = 0, second = 0] = [...sums].sort((a, b) => b - a);
  return [label, 1 / (1 + Math.exp(second - first))];
}

/** A call about one sample with these cells. */
export function callAbout(cells: Float32Array, given: Partial<Sighting> = {}): Sighting {
  const values = new Float32Array(WIDTH);
  values.set(cells);
  const mean = cells.reduce((sum, v) => sum + v, 0) / CELLS;
  values[CELLS] = mean;
  values[CELLS + 1] = Math.sqrt(cells.reduce((sum, v) => sum + (v - mean) ** 2, 0) / CELLS);
  let gradient = 0;
  for (let i = 1; i < CELLS; i++) gradient += (cells[i]! - cells[i - 1]!) ** 2 / CELLS;
  values[CELLS + 2] = gradient;
  return sighting({
    top: [labelOf(cells)],
    sketch: { values, rows: 1, width: WIDTH, samples: [0] },
    ...given,
  });
}

/** The cells of a sample as calm clients ask about it. */
export function calmCells(rng: Rng): Float32Array {
  const k = rng.integer(3);
  return Float32Array.from({ length: CELLS }, (_, i) => (i % 3 === k ? 0.8 : 0.3) + 0.1 * rng.normal());
}

/** Calm calls of some clients, mixed. One in ten is sent again as it was, one in ten after a small change. */
export function calmCalls(clients: number, calls: number, seed: number): readonly Sighting[] {
  const rng = randomFrom(seed, 'calm calls');
  const last = new Map<number, Float32Array>();
  return Array.from({ length: clients * calls }, () => {
    const client = rng.integer(clients);
    const draw = rng.uniform();
    const before = draw < 0.2 ? last.get(client) : undefined;
    const cells = before === undefined ? calmCells(rng) : draw < 0.1 ? before : changed(before, 0.01, rng);
    last.set(client, cells);
    return callAbout(cells, {
      ...{
        principal: `client ${seed} ${client}`,
        address: `10.0.${seed}.${client >> 2}`,
        tenant: `tenant ${client >> 1}`,
      },
      bucket: [1, 2, 5][rng.integer(3)]!,
    });
  });
}

/** A little changed. */
export function changed(cells: Float32Array, by: number, rng: Rng): Float32Array {
  return cells.map((v) => v + by * rng.normal());
}
