import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { compareSides, type SideFigures } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { modelPath, ourSide, peerSide, SHARED } from '../places.ts';
import type { Row } from '../report.ts';
import type { Side } from '../side.ts';

/** Threat model and size: the first 1,000 MNIST test images, 40 steps from the image itself. */
const CASE = { eps: 0.1, stepSize: 0.01, steps: 40, n: 1000, batch: 250 } as const;

const NETWORKS = ['mnist-cnn', 'mnist-vit'] as const;

/**
 * Most that two robust accuracies may differ. The peers judge the last iterate, Glacis the first that fools the model, so ours
 * may be lower by the samples that were fooled on the way and came back.
 */
const TOLERANCE = 0.01;

/** Times a whole robust-accuracy evaluation, program start included, against torchattacks and Foolbox. */
export async function pgdSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const networks = NETWORKS.filter((name) => options.network === undefined || options.network === name);
  if (networks.length === 0) {
    throw new GlacisError(
      'option/invalid',
      `--network: expected one of ${NETWORKS.join(', ')}, got ${options.network}`,
    );
  }
  if (options.mode !== undefined)
    throw new GlacisError('option/invalid', '--mode: only the gradient suite has modes');
  const rows: Row[] = [];
  for (const network of networks) {
    const name = `${network} PGD-${CASE.steps}, eps ${CASE.eps}, ${CASE.n} samples, batch ${CASE.batch}`;
    progress(name);
    const [ours, ...peers] = sidesOf(network, options);
    const { rounds, threads } = options;
    // A whole program has no answer before it has run, so here the answers are compared after the rounds, before a report.
    const figures = await compareSides(ours!, peers, { rounds, threads, timed: 'program', progress });
    const agreement = figures.comparisons.map(({ peer }) => agreementOf(figures.ours, peer));
    rows.push({ name, timed: 'program', agreement, ...figures });
  }
  return rows;
}

function sidesOf(network: string, { threads, debian, compile }: BenchOptions): readonly Side[] {
  if (debian || compile)
    throw new GlacisError('option/invalid', '--debian, --compile: only the gradient suite has these peers');
  const data = join(SHARED, 'data', 'mnist');
  const { eps, stepSize, steps, n, batch } = CASE;
  const common = Object.entries({ eps, 'step-size': stepSize, steps, n, batch, threads }).flatMap(
    ([key, value]) => [`--${key}`, String(value)],
  );
  const images = `${join(data, 't10k-images-idx3-ubyte.gz')},${join(data, 't10k-labels-idx1-ubyte.gz')}`;
  const library = (name: string) => ['--library', name, '--network', network, '--data', data, ...common];
  return [
    ourSide('Glacis', 'pgd.ts', ['--model', modelPath(network), '--data', images, ...common]),
    peerSide('torchattacks', 'pgd.py', library('torchattacks')),
    peerSide('Foolbox', 'pgd.py', library('foolbox')),
  ];
}

function agreementOf(ours: SideFigures, peer: SideFigures): string {
  const [own, other] = [accuracyOf(ours), accuracyOf(peer)];
  const clean = Math.abs(own.clean - other.clean);
  if (!(clean <= 1e-9) || !(Math.abs(own.robust - other.robust) <= TOLERANCE)) {
    const got = `clean ${own.clean} and robust ${own.robust} against ${other.clean} and ${other.robust}`;
    throw new GlacisError(
      'data/mismatch',
      `${peer.name}: expected the same clean accuracy and robust within ${TOLERANCE}, got ${got}`,
    );
  }
  return `robust accuracy ${own.robust.toFixed(3)} against ${peer.name}'s ${other.robust.toFixed(3)}, clean ${own.clean.toFixed(3)} on both`;
}

/** The accuracy that every round gave: a side that answers differently from round to round is not measured. */
function accuracyOf({ name, runs }: SideFigures): { readonly clean: number; readonly robust: number } {
  const [first, ...rest] = runs.map(({ accuracy }) => accuracy);
  if (first && rest.every((other) => other?.clean === first.clean && other.robust === first.robust))
    return first;
  throw new GlacisError(
    'data/mismatch',
    `${name}: expected one accuracy in every round, got ${JSON.stringify([first, ...rest])}`,
  );
}
