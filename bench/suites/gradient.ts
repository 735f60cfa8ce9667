import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { writeNpy } from '../../src/data/npy.ts';
import { compareFiles } from '../compare.ts';
import { compareSides } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { CACHE, modelPath, ourSide, peerSide } from '../places.ts';
import type { Row } from '../report.ts';
import { runSide, type Side } from '../side.ts';

interface Network {
  readonly batch: number;
  readonly shape: readonly [number, number, number];
  /** Repetitions a round, chosen so that a round takes a few seconds. */
  readonly repeat: number;
}

const NETWORKS: Readonly<Record<string, Network>> = {
  resnet18: { batch: 64, shape: [3, 32, 32], repeat: 5 },
  'mnist-cnn': { batch: 250, shape: [1, 28, 28], repeat: 60 },
  'cifar10-resnet14': { batch: 100, shape: [3, 32, 32], repeat: 30 },
  'mnist-vit': { batch: 250, shape: [1, 28, 28], repeat: 30 },
};

const MODES = { forward: 'forward', input: 'input gradient', train: 'training step' } as const;
type Mode = keyof typeof MODES;

/**
 * Largest relative difference (Euclidean) that float32 in another order explains. A ReLU's input that rounds to the other
 * side of zero changes a gradient more than the logits; the second and third loss of a training depend on gradients.
 */
const TOLERANCE: Readonly<Record<string, number>> = { logits: 1e-4, gradient: 1e-3, losses: 1e-3 };

/** Times forward pass, input gradient and training step against PyTorch, network by network. */
export async function gradientSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const networks = chosen('network', options.network, Object.keys(NETWORKS));
  const modes = chosen('mode', options.mode, Object.keys(MODES) as Mode[]);
  const rows: Row[] = [];
  for (const network of networks) {
    await writeInputs(network);
    for (const mode of modes) rows.push(await caseOf(network, mode, options, progress));
  }
  return rows;
}

function chosen<T extends string>(
  option: string,
  wanted: string | undefined,
  known: readonly T[],
): readonly T[] {
  const found = wanted === undefined ? known : known.filter((name) => name === wanted);
  if (found.length > 0) return found;
  throw new GlacisError('option/invalid', `--${option}: expected one of ${known.join(', ')}, got ${wanted}`);
}

async function caseOf(
  network: string,
  mode: Mode,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<Row> {
  const { batch, repeat } = NETWORKS[network]!;
  const name = `${network} ${MODES[mode]}, batch ${batch}`;
  progress(name);
  const [ours, ...peers] = sidesOf(network, mode, options);
  const check = (side: Side) => runSide({ ...side, args: [...side.args, '--repeat', '0', '--warmup', '0'] });
  await check(ours!);
  const agreement: string[] = [];
  for (const peer of peers) {
    await check(peer);
    agreement.push(`${peer.name}: ${await agreementOf(network, mode, ours!.name, peer.name)}`);
  }
  for (const text of agreement) progress(`  ${text}`);
  const timing = (side: Side) => ({
    ...side,
    args: [...side.args, '--repeat', String(options.quick ? Math.ceil(repeat / 3) : repeat)],
  });
  const { rounds, threads } = options;
  const figures = await compareSides(timing(ours!), peers.map(timing), {
    rounds,
    threads,
    timed: 'repeat',
    progress,
  });
  return { name, timed: 'repeat', agreement, ...figures };
}

function sidesOf(network: string, mode: Mode, { threads, debian, compile }: BenchOptions): readonly Side[] {
  const args = (side: string) => {
    const out = outputFolder(network, mode, side);
    mkdirSync(out, { recursive: true });
    return [
      '--network',
      network,
      '--mode',
      mode,
      '--threads',
      String(threads),
      ...inputArgs(network),
      '--out',
      out,
    ];
  };
  const torch = (name: string, extra: readonly string[], python: 'pinned' | 'debian' = 'pinned') =>
    peerSide(name, 'gradient.py', [...args(name), ...extra], python);
  return [
    ourSide('Glacis', 'gradient.ts', [...args('Glacis'), '--model', modelPath(network)]),
    torch('PyTorch NCHW', ['--layout', 'nchw']),
    torch('PyTorch channels-last', ['--layout', 'channels-last']),
    ...(compile ? [torch('PyTorch compiled channels-last', ['--layout', 'channels-last', '--compile'])] : []),
    ...(debian ? [torch("Debian's PyTorch NCHW", ['--layout', 'nchw'], 'debian')] : []),
  ];
}

async function agreementOf(network: string, mode: Mode, ours: string, peer: string): Promise<string> {
  const compared = { forward: ['logits'], input: ['logits', 'gradient'], train: ['losses'] }[mode];
  const found: string[] = [];
  for (const output of compared) {
    const file = (side: string) => join(outputFolder(network, mode, side), `${output}.npy`);
    const { absolute, relative } = await compareFiles(file(ours), file(peer));
    if (!(relative <= TOLERANCE[output]!)) {
      const wanted = `a relative difference of at most ${TOLERANCE[output]}`;
      throw new GlacisError(
        'data/mismatch',
        `${network} ${mode}, ${output} against ${peer}: expected ${wanted}, got ${relative}`,
      );
    }
    found.push(
      `${output} differ by at most ${absolute.toExponential(1)}, ${relative.toExponential(1)} relative`,
    );
  }
  return found.join('; ');
}

const outputFolder = (network: string, mode: Mode, side: string): string =>
  join(CACHE, 'outputs', network, mode, side.replace(/[^A-Za-z]+/g, '-'));

const inputArgs = (network: string): readonly string[] => [
  '--input',
  join(CACHE, `${network}-input.npy`),
  '--labels',
  join(CACHE, `${network}-labels.npy`),
];

/** Uniform noise in 0–1 and random labels: the same bytes on every machine. */
async function writeInputs(network: string): Promise<void> {
  const { batch, shape } = NETWORKS[network]!;
  const rng = randomFrom(0, 'bench', network);
  const data = Float32Array.from({ length: batch * shape[0] * shape[1] * shape[2] }, () => rng.uniform());
  const labels = BigInt64Array.from({ length: batch }, () => BigInt(rng.integer(10)));
  mkdirSync(CACHE, { recursive: true });
  const [, input, , label] = inputArgs(network);
  await writeNpy(input!, { data, shape: [batch, ...shape] });
  await writeNpy(label!, { data: labels, shape: [batch] });
}
