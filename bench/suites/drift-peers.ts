import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { medianDistance } from '../../src/monitor/statistics/radial-kernel.ts';
import { describeMachine } from '../machine.ts';
import { BENCH, ourSide } from '../places.ts';
import { linesOf, type SideEvent } from '../side.ts';
import { driftPeersPage } from './drift-peers-page.ts';

const WIDTH = 8;
const ROWS = 1000;
const SEED = 41;

/** What the windows are like beside the reference. */
const CASES = {
  calm: () => {},
  'one feature': (row: Float32Array) => {
    row[0]! += 0.2;
  },
  'joint only': (row: Float32Array, other: Float32Array) => {
    row[1] = other[1]!;
  },
  categories: (row: Float32Array, other: Float32Array, u: number) => {
    if (u < 0.1) row[7] = 0;
    row[0] = other[0]!;
  },
} as const;

/**
 * The statistics of the monitors of drift beside alibi-detect's and evidently's, on the same tables: bench/results/drift-peers.json and .md. Needs bench/peers/drift/setup.sh. Times are of CPU, so that a busy machine does little
 * harm. Errors: `run/failed`.
 */
export async function driftPeersSuite(progress: (text: string) => void): Promise<void> {
  const python = join(BENCH, 'peers', 'drift', 'venv', 'bin', 'python');
  if (!existsSync(python))
    throw new GlacisError('run/failed', `${python}: expected Python; run bench/peers/drift/setup.sh first`);
  const folder = mkdtempSync(join(tmpdir(), 'glacis-drift-peers-'));
  try {
    const reference = tableOf('reference', CASES.calm);
    writeFileSync(join(folder, 'reference.f32'), reference);
    const bandwidth = medianDistance(reference, ROWS, WIDTH, randomFrom(SEED, 'bandwidth'));
    writeFileSync(join(folder, 'sigma.txt'), String(Math.fround(bandwidth)));
    const names = Object.keys(CASES).map((name) => name.replaceAll(' ', '-'));
    for (const [name, change] of Object.entries(CASES))
      writeFileSync(join(folder, `${name.replaceAll(' ', '-')}.f32`), tableOf(name, change));
    const lines: SideEvent[] = [];
    const peers = {
      name: 'peers',
      command: python,
      args: [join(BENCH, 'peers', 'drift', 'figures.py'), folder, ...names],
    };
    // The peers first: they say which centres they drew.
    for (const side of [peers, ourSide('Glacis', 'drift-statistics.ts', [folder, ...names])])
      for await (const line of linesOf(side)) {
        lines.push(line);
        progress(String(line.id ?? line.event));
      }
    const machine = describeMachine();
    const about = { date: new Date().toISOString(), machine };
    const path = join(BENCH, 'results', 'drift-peers');
    writeFileSync(
      `${path}.json`,
      `${JSON.stringify({ schema: 'glacis.drift-peers/1', ...about, lines }, null, 1)}\n`,
    );
    writeFileSync(`${path}.md`, driftPeersPage(lines, about));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rows of eight features: two that go together, three of other shapes, two that are normal, one of eight categories. */
function tableOf(
  name: string,
  change: (row: Float32Array, other: Float32Array, u: number) => void,
): Float32Array {
  const rng = randomFrom(SEED, 'table', name);
  const draw = () => {
    const shared = rng.normal();
    return Float32Array.of(
      ...[
        shared,
        0.8 * shared + 0.6 * rng.normal(),
        rng.uniform(),
        Math.exp(rng.normal()),
        rng.uniform() ** 2,
      ],
      ...[rng.normal(), rng.normal(), Math.floor(8 * rng.uniform() ** 1.5)],
    );
  };
  const values = new Float32Array(ROWS * WIDTH);
  for (let i = 0; i < ROWS; i++) {
    const row = draw();
    change(row, draw(), rng.uniform());
    values.set(row, i * WIDTH);
  }
  return values;
}
