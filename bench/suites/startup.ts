import { glacisVersion } from '../../src/assess/environment.ts';
import { GlacisError } from '../../src/core/error.ts';
import { compareSides } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { commandLineSide, peerSide } from '../places.ts';
import type { Row } from '../report.ts';
import { pgdRow } from './pgd.ts';

const NETWORKS = ['mnist-mlp', 'mnist-cnn'] as const;

/** Samples of the one step: a batch of the peer. */
const SAMPLES = 250;

/**
 * Times the start: `glacis --version` against `import torch`, and one attack step on one batch, from the program's start to its
 * answer, against a plain loop in PyTorch. Ours has verified the examples and written its report by then.
 */
export async function startupSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  if (options.mode !== undefined || options.debian || options.compile)
    throw new GlacisError('option/invalid', '--mode, --debian, --compile: only the gradient suite has these');
  const networks = NETWORKS.filter((name) => options.network === undefined || options.network === name);
  if (networks.length === 0) {
    const known = NETWORKS.join(', ');
    throw new GlacisError('option/invalid', `--network: expected one of ${known}, got ${options.network}`);
  }
  const rows = [await versionRow(options, progress)];
  for (const network of networks)
    rows.push(await pgdRow({ network, eps: 0.1, steps: 1, n: SAMPLES }, ['torch'], options, progress));
  return rows;
}

async function versionRow({ rounds }: BenchOptions, progress: (text: string) => void): Promise<Row> {
  const name = 'glacis --version against import torch';
  progress(name);
  const versions = { glacis: glacisVersion(), node: process.versions.node };
  const ours = commandLineSide('Glacis', ['--version'], () => [{ event: 'environment', versions }]);
  const peers = [peerSide('PyTorch', 'start.py', [])];
  // Neither side has work for a second thread.
  const figures = await compareSides(ours, peers, { rounds, threads: 1, timed: 'program', progress });
  return { name, timed: 'program', agreement: [], ...figures };
}
