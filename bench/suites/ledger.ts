import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { compareSides, type SideFigures } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH, CACHE } from '../places.ts';
import type { Row } from '../report.ts';

const FOLDER = join(CACHE, 'ledger');

/** What is measured of the log. */
interface Case {
  readonly mode: 'append' | 'single' | 'record' | 'verify' | 'prove';
  readonly name: (n: string) => string;
  readonly n: number;
  readonly quick: number;
  /** The figure in words, from the seconds of `n`. */
  readonly says: (seconds: number, n: number) => string;
}

const rate = (wanted: string) => (seconds: number, n: number) =>
  `${Math.round(n / seconds).toLocaleString('en-US')} entries/s (wanted ${wanted})`;
const CASES: readonly Case[] = [
  {
    mode: 'append',
    name: (n) => `append ${n} entries of 300 bytes, 4,096 outstanding, until the last is acknowledged`,
    n: 1_000_000,
    quick: 100_000,
    says: rate('100,000'),
  },
  {
    mode: 'single',
    name: (n) => `append ${n} entries one after the other`,
    n: 5000,
    quick: 1000,
    says: (seconds, n) => `${((seconds / n) * 1000).toFixed(3)} ms each`,
  },
  {
    mode: 'record',
    name: (n) => `record ${n} decisions with 3 KB of input in the recorder's thread, 256 outstanding`,
    n: 200_000,
    quick: 20_000,
    says: rate('no figure'),
  },
  {
    mode: 'verify',
    name: (n) => `verify a log of ${n} entries of 300 bytes: every entry, every tile, the signatures`,
    n: 2_000_000,
    quick: 200_000,
    says: rate('500,000'),
  },
  {
    mode: 'prove',
    name: (n) => `open a log of ${n} entries and prove one`,
    n: 10_000_000,
    quick: 1_000_000,
    says: (seconds) => `${(seconds * 1000).toFixed(2)} ms (wanted 5)`,
  },
];

/** Times the log alone: appending with group commit, recording, verifying over threads, proving. There is no peer with this format in this runtime. */
export async function ledgerSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  if (options.network !== undefined || options.debian || options.compile)
    throw new GlacisError('option/invalid', '--network, --debian, --compile: not of the ledger suite');
  mkdirSync(FOLDER, { recursive: true });
  const rows: Row[] = [];
  for (const each of CASES) {
    if (options.mode !== undefined && options.mode !== each.mode) continue;
    const n = options.quick ? each.quick : each.n;
    const name = each.name(n.toLocaleString('en-US'));
    progress(name);
    const ours = {
      name: 'Glacis',
      command: process.execPath,
      args: [join(BENCH, 'ours', 'ledger.ts'), each.mode, FOLDER, String(n), String(options.threads)],
    };
    // Only verifying has work for several threads.
    const threads = each.mode === 'verify' ? options.threads : 1;
    const figures = await compareSides(ours, [], {
      rounds: options.rounds,
      threads,
      timed: 'repeat',
      progress,
    });
    rows.push({ name, timed: 'repeat', agreement: [said(each, figures.ours, n)], ...figures });
  }
  return rows;
}

function said({ says }: Case, ours: SideFigures, n: number): string {
  return says(ours.wall, n);
}
