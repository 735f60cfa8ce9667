import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { compareSides, type SideFigures } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { CACHE, commandLineSide, modelPath, peerSide, SHARED } from '../places.ts';
import type { Row } from '../report.ts';
import type { Side, SideEvent } from '../side.ts';

/** One evaluation: the first `n` MNIST test images, `steps` steps from the image itself. */
interface PgdCase {
  readonly network: string;
  readonly eps: number;
  readonly steps: number;
  readonly n: number;
}

const STEP_SIZE = 0.01;
/** The peers' batch; Glacis chooses its own, as it does for a user. */
const PEER_BATCH = 250;

/** At eps 0.1 the transformer falls after a few steps on nearly every sample, the convolutional network on few after 40. */
const CASES: readonly PgdCase[] = [
  { network: 'mnist-cnn', eps: 0.1, steps: 40, n: 1000 },
  { network: 'mnist-vit', eps: 0.1, steps: 40, n: 1000 },
];

/** How our time grows with steps and samples, where little falls and nothing ends early. */
const GROWTH: readonly PgdCase[] = [
  { network: 'mnist-cnn', eps: 0.1, steps: 20, n: 1000 },
  { network: 'mnist-cnn', eps: 0.1, steps: 80, n: 1000 },
  { network: 'mnist-cnn', eps: 0.1, steps: 40, n: 250 },
  { network: 'mnist-cnn', eps: 0.1, steps: 40, n: 500 },
];

/** The peers that {@link pgdRow} knows, and how tables call them. */
const LIBRARIES = { torchattacks: 'torchattacks', foolbox: 'Foolbox', torch: 'PyTorch' } as const;
type Library = keyof typeof LIBRARIES;

/**
 * Most that two robust accuracies may differ. The peers judge the last iterate, Glacis the first that fools the model, so ours
 * may be lower by the samples that were fooled on the way and came back.
 */
const TOLERANCE = 0.01;

/** Times a whole robust-accuracy evaluation, `glacis assess` from its start to its end, against torchattacks and Foolbox. */
export async function pgdSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const wanted = ({ network }: PgdCase) => options.network === undefined || options.network === network;
  const cases = CASES.filter(wanted);
  if (cases.length === 0) {
    const known = CASES.map(({ network }) => network).join(', ');
    throw new GlacisError('option/invalid', `--network: expected one of ${known}, got ${options.network}`);
  }
  if (options.mode !== undefined || options.debian || options.compile)
    throw new GlacisError('option/invalid', '--mode, --debian, --compile: only the gradient suite has these');
  const rows: Row[] = [];
  for (const of of cases) rows.push(await pgdRow(of, ['torchattacks', 'foolbox'], options, progress));
  for (const of of GROWTH.filter(wanted)) rows.push(await pgdRow(of, [], options, progress));
  return rows;
}

/** Times one case, ours and the libraries in turn, and compares the answers. */
export async function pgdRow(
  of: PgdCase,
  libraries: readonly Library[],
  { rounds, threads }: Pick<BenchOptions, 'rounds' | 'threads'>,
  progress: (text: string) => void,
): Promise<Row> {
  const name = `${of.network} PGD-${of.steps}, eps ${of.eps}, ${of.n} samples`;
  progress(name);
  const peers = libraries.map((library) => peerOf(of, library, threads));
  // One step is over before its threads are warm: how many it kept busy says nothing.
  const settings = { rounds, threads: of.steps > 1 ? threads : 1, timed: 'program', progress } as const;
  // A whole program has no answer before it has run, so here the answers are compared after the rounds, before a report.
  const figures = await compareSides(oursOf(of, threads), peers, settings);
  const agreement = figures.comparisons.map(({ peer }) => agreementOf(figures.ours, peer));
  return { name, timed: 'program', agreement, ...figures };
}

const mnist = (): string => join(SHARED, 'data', 'mnist');

function oursOf({ network, eps, steps, n }: PgdCase, threads: number): Side {
  const out = join(CACHE, 'outputs', 'assess', network);
  mkdirSync(out, { recursive: true });
  const files = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'].map((file) => join(mnist(), file));
  const json = join(out, 'result.json');
  const attacks = `pgd(steps=${steps}, stepSize=${STEP_SIZE}, restarts=0)`;
  const options = optionList({ data: files.join(), n, eps, attacks, threads, out, json });
  return commandLineSide('Glacis', ['assess', modelPath(network), ...options, '--quiet'], () =>
    answerIn(json),
  );
}

function peerOf({ network, eps, steps, n }: PgdCase, library: Library, threads: number): Side {
  const size = { eps, 'step-size': STEP_SIZE, steps, n, batch: PEER_BATCH, threads };
  const options = optionList({ library, network, data: mnist(), ...size });
  return peerSide(LIBRARIES[library], 'pgd.py', options);
}

const optionList = (options: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);

/** What the peers' programs print, read from the result that `glacis assess` writes. */
function answerIn(path: string): readonly SideEvent[] {
  const result = JSON.parse(readFileSync(path, 'utf8')) as {
    environment: { glacis: string; onnxruntime: string; node: string; threads: number };
    results: readonly { cleanAccuracy: number; robustAccuracy: number }[];
  };
  const { threads, ...versions } = result.environment;
  const { cleanAccuracy: clean, robustAccuracy: robust } = result.results[0]!;
  return [
    { event: 'environment', versions, threads },
    { event: 'accuracy', clean, robust },
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
