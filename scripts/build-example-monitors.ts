/**
 * `node scripts/run.mjs scripts/build-example-monitors.ts [FILE]`: what the monitors of the demo take for calm. Twelve clients as the demo has them, asking the hardened network about
 * pictures that nobody has seen, half an hour of it; written to examples/traffic-signs/monitors.json, or to FILE. Two minutes on two cores.
 */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BETWEEN, HONEST } from '../src/cli/demo/honest.ts';
import { randomFrom } from '../src/core/random.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../src/data/traffic-signs/render.ts';
import { calibratePast } from '../src/monitor/past/calibrate-past.ts';
import { pastFromSightings } from '../src/monitor/past/open-past.ts';
import type { Sighting } from '../src/monitor/sighting.ts';
import { planSketch } from '../src/monitor/sketch/sketch-plan.ts';
import { readModel } from '../src/onnx/read.ts';
import { elementCount } from '../src/onnx/tensor.ts';
import { startEngine } from '../src/runtime/engine.ts';
import { openOnLanes } from '../src/runtime/sharded.ts';

/** Calls of all clients, and pictures of a run. */
const CALLS = 24_000;
const BATCH = 64;
const SEED = 20_261_122;
/** When the made-up half hour began: any time will do. */
const BEGIN = Date.UTC(2026, 0, 1);

const example = new URL('../examples/traffic-signs/', import.meta.url);
const out = process.argv[2] ?? fileURLToPath(new URL('monitors.json', example));
const file = await readModel(fileURLToPath(new URL('hardened.onnx', example)));
const engine = startEngine({ threads: 2 });
const [session] = await openOnLanes(engine, file, 1);
const size = elementCount(SIGN_SHAPE);
const plan = planSketch({ sampleDims: SIGN_SHAPE, datatype: 'FP32' });

/** Times of all calls: each client by itself, at times that nobody could foresee. */
const times = HONEST.flatMap((principal, client) => {
  const rng = randomFrom(SEED, 'times', client);
  let at = BEGIN;
  return Array.from({ length: Math.ceil(CALLS / HONEST.length) }, () => {
    at -= BETWEEN * Math.log(1 - rng.uniform());
    return { principal, at };
  });
}).sort((a, b) => a.at - b.at);

const sightings: Sighting[] = [];
for (let start = 0; start < times.length; start += BATCH) {
  const n = Math.min(BATCH, times.length - start);
  const { x } = renderSplit({ seed: SEED, split: 'test', n, start });
  const data = Float32Array.from(x, (value) => value / 255);
  const answers = await session!.run({
    input: { dtype: 'float32', dims: [n, ...SIGN_SHAPE], data },
  });
  const scores = Object.values(answers)[0]!.data as Float32Array;
  for (let i = 0; i < n; i++)
    sightings.push(sightingOf(start + i, data.subarray(i * size, (i + 1) * size), scores, i));
  if (start % (50 * BATCH) === 0) process.stderr.write(`${start} of ${times.length} calls\n`);
}
await engine.close();

const measured = await calibratePast(pastFromSightings(sightings), {
  choice: { kinds: {}, only: {}, calibration: {} },
  model: 'signs',
  sampleDims: SIGN_SHAPE,
  seed: SEED,
});
writeFileSync(out, `${JSON.stringify(measured)}\n`);
process.stderr.write(`written: ${out}\n`);

function sightingOf(call: number, x: Float32Array, scores: Float32Array, row: number): Sighting {
  const { principal, at } = times[call]!;
  const classes = SIGN_CLASSES.length;
  const own = scores.subarray(row * classes, (row + 1) * classes);
  const most = Math.max(...own);
  const label = own.indexOf(most);
  const sum = own.reduce((total, value) => total + Math.exp(value - most), 0);
  const values = new Float32Array(plan.features.length);
  plan.read(x, 0, values, 0);
  let [total, squares, least, highest] = [0, 0, 1, 0];
  for (const value of x) {
    total += value;
    squares += value * value;
    least = Math.min(least, value);
    highest = Math.max(highest, value);
  }
  const mean = total / x.length;
  return {
    id: createHash('sha256').update(String(call)).digest('hex').slice(0, 32),
    ...{
      at: Math.round(at),
      principal,
      tenant: 'demo',
      credential: `key-${principal}`,
      address: '127.0.0.1',
    },
    ...{
      model: 'signs',
      version: '1',
      digest: file.file.digest,
      n: 1,
      outcome: 'answered',
      detail: 'scores',
    },
    guards: [],
    input: {
      shape: [1, ...SIGN_SHAPE],
      ...{ mean, least, most: highest, deviation: Math.sqrt(Math.max(0, squares / x.length - mean * mean)) },
    },
    top: [[label, 1 / sum]],
    bucket: 10,
    sketch: { values, rows: 1, width: values.length, samples: [0] },
  };
}
