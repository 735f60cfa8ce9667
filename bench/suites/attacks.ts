import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { type Comparison, compareSides, type SideFigures } from '../harness.ts';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { CACHE, commandLineSide, dataPath, modelPath, ourSide, peerSide, SHARED } from '../places.ts';
import type { Row } from '../report.ts';
import { type Answer, runSide, type Side, type SideEvent } from '../side.ts';
import { ATTACK_CASES, type AttackCase, type AttackPeer } from './attack-cases.ts';

const NAMES = { torchattacks: 'torchattacks', foolbox: 'Foolbox', art: 'ART' } as const;

/** A peer that is slower than the quickest by more than this in the first round sits out the others. */
const PATIENCE = 1.5;

/** In what form the peers run a network best, and how many threads that keeps busy. */
interface Form {
  readonly layout: 'nchw' | 'channels-last';
  readonly batch: number;
  readonly threadsUsed: number;
}

/** Samples and batches that the peers' best form is sought with. */
const TRIALS = {
  'mnist-cnn': [500, [100, 250, 500]],
  'cifar10-resnet14': [200, [25, 50, 100, 200]],
} as const;

/**
 * Times attacks in one process after a warm start against the libraries that have them too, hyper-parameters being the same, and one from
 * the command line. A ratio counts where our answer (robust accuracy, or the median distance where the nearest example is sought)
 * is not worse than the peer's. A case that fails is told to `fail`, and the others go on.
 */
export async function attacksSuite(
  options: BenchOptions,
  progress: (text: string) => void,
  fail: (text: string) => void,
): Promise<readonly Row[]> {
  if (options.mode !== undefined || options.debian || options.compile)
    throw new GlacisError('option/invalid', '--mode, --debian, --compile: only the gradient suite has these');
  const cases = chosen(options);
  const forms = new Map<string, Form>();
  const rows: Row[] = [];
  for (const each of cases) {
    const { network } = each;
    let form = forms.get(network);
    if (!form) {
      form = await bestForm(network, options, progress);
      forms.set(network, form);
    }
    try {
      rows.push(await attackRow(each, form, options, progress));
    } catch (thrown) {
      // What took minutes is not thrown away for one case.
      if (!(thrown instanceof GlacisError)) throw thrown;
      fail(`${network} ${each.name}: ${thrown.message} (${thrown.code})`);
    }
  }
  return rows;
}

function chosen({ only, network, n }: BenchOptions): readonly AttackCase[] {
  const names = [...new Set(ATTACK_CASES.map(({ name }) => name))];
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new GlacisError('option/invalid', `--only: expected ${names.join(', ')}, got '${unknown}'`);
  const cases = ATTACK_CASES.filter(
    (each) =>
      (only ? only.includes(each.name) : !each.extra) && (network === undefined || network === each.network),
  );
  if (cases.length === 0)
    throw new GlacisError(
      'option/invalid',
      '--network: expected mnist-cnn or cifar10-resnet14, or no --only',
    );
  return n === undefined ? cases : cases.map((each) => ({ ...each, n: Math.min(n, each.n) }));
}

/** Tries both memory layouts with several batches on one gradient step: all of a peer's attacks then run in the quickest form. */
async function bestForm(
  network: AttackCase['network'],
  { threads, n: most }: Pick<BenchOptions, 'threads' | 'n'>,
  progress: (text: string) => void,
): Promise<Form> {
  const [usual, batches] = TRIALS[network];
  const n = Math.min(usual, most ?? usual);
  const eps = 0.1;
  let best: (Form & { readonly wall: number }) | undefined;
  for (const layout of ['nchw', 'channels-last'] as const) {
    for (const batch of batches) {
      if (batch > n && best) continue;
      const settings = {
        library: 'torchattacks',
        attack: 'fgsm',
        settings: JSON.stringify({ norm: 'linf', eps }),
      };
      const size = { network, data: join(SHARED, 'data'), n, layout, batch, threads, warmup: n, repeat: 5 };
      const run = await runSide(peerSide('torchattacks', 'attacks.py', optionList({ ...settings, ...size })));
      const wall = median(run.repeats.map((repeat) => repeat.wall));
      const threadsUsed = median(run.repeats.map((repeat) => repeat.cpu / repeat.wall));
      progress(`${network}: peers ${layout}, batch ${batch}: ${(wall * 1000).toFixed(1)} ms`);
      if (!best || wall < best.wall) best = { layout, batch, threadsUsed, wall };
    }
  }
  return best!;
}

async function attackRow(
  each: AttackCase,
  form: Form,
  { rounds, threads }: Pick<BenchOptions, 'rounds' | 'threads'>,
  progress: (text: string) => void,
): Promise<Row> {
  const { network, name, n, norm, eps, program = false } = each;
  const radius = eps === undefined ? 'nearest' : `eps ${Number(eps.toPrecision(3))}`;
  const title = `${network} ${name}, ${norm} ${radius}, ${n} samples`;
  progress(title);
  const timed = program ? 'program' : 'repeat';
  const { ours, comparisons } = await compareSides(
    program ? commandLineOf(each, threads) : oursOf(each, threads),
    each.peers.map((peer) => peerOf(each, peer, form, threads)),
    // How many threads are busy is the libraries' own affair here; that they could be, the search for the best form has shown.
    { rounds: Math.min(rounds, each.rounds ?? rounds), threads: 1, timed, progress, patience: PATIENCE },
  );
  const idle =
    form.threadsUsed >= 0.8 * threads
      ? []
      : [`PyTorch's gradient step used ${form.threadsUsed.toFixed(2)} of ${threads} threads`];
  const agreement: string[] = [`\`${each.ours}\`; peers ${JSON.stringify(each.settings)}`];
  const judged = comparisons.map((comparison, i): Comparison => {
    const { text, isWorse } = agreementOf(each, ours, comparison.peer);
    agreement.push(text);
    const worse = isWorse ? [`our answer is worse than ${comparison.peer.name}'s`] : [];
    return {
      ...comparison,
      invalid: [...comparison.invalid, ...idle, ...worse],
      wanted: each.peers[i]!.wanted,
    };
  });
  return { name: title, timed, agreement, ours, comparisons: judged };
}

/** Attacks that seek the nearest example are given a radius too, which limits nothing. */
const NO_LIMIT = 1;

function oursOf(
  { network, ours, norm, eps = NO_LIMIT, n, warmup = n, repeat = 1 }: AttackCase,
  threads: number,
): Side {
  const size = { norm, eps, n, warmup: Math.min(n, warmup), repeat, threads };
  const options = optionList({ model: modelPath(network), data: dataPath(network), attack: ours, ...size });
  return ourSide('Glacis', 'attack.ts', options);
}

function commandLineOf({ network, ours, norm, eps = NO_LIMIT, n }: AttackCase, threads: number): Side {
  const folder = join(CACHE, 'outputs', 'attack');
  mkdirSync(folder, { recursive: true });
  const json = join(folder, 'summary.json');
  const options = optionList({
    data: dataPath(network),
    norm,
    eps,
    n,
    threads,
    out: join(folder, 'examples.npz'),
    json,
  });
  return commandLineSide('glacis attack', ['attack', ours, modelPath(network), ...options, '--quiet'], () =>
    answerIn(json),
  );
}

/** What the peers' programs print, read from the summary that `glacis attack` writes. */
function answerIn(path: string): readonly SideEvent[] {
  const { cleanAccuracy, robustAccuracy } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly cleanAccuracy: number;
    readonly robustAccuracy: number;
  };
  return [
    { event: 'environment', versions: { node: process.versions.node } },
    { event: 'accuracy', clean: cleanAccuracy, robust: robustAccuracy },
  ];
}

function peerOf(each: AttackCase, peer: AttackPeer, form: Form, threads: number): Side {
  const { network, theirs: attack, norm, eps, n, warmup = n, repeat = 1, program = false } = each;
  const { library, batch = form.batch, way } = peer;
  const settings = JSON.stringify({ norm, ...(eps !== undefined && { eps }), ...each.settings });
  const cold = program ? 0 : Math.min(n, warmup);
  const size = { n, layout: form.layout, batch, threads, warmup: cold, repeat };
  const options = optionList({ library, attack, network, data: join(SHARED, 'data'), settings, ...size });
  return peerSide(way ? `${NAMES[library]}, ${way}` : NAMES[library], 'attacks.py', options);
}

const optionList = (options: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);

/** Compares the answers. Errors: `data/mismatch` when the two did not attack the same samples. */
function agreementOf(
  { eps, tolerance }: AttackCase,
  ours: SideFigures,
  peer: SideFigures,
): { readonly text: string; readonly isWorse: boolean } {
  const [own, other] = [answerOf(ours, 'every round the same'), answerOf(peer)];
  if (!(Math.abs(own.clean - other.clean) <= 1e-9))
    throw new GlacisError(
      'data/mismatch',
      `${peer.name}: expected the same clean accuracy, got ${own.clean} against ${other.clean}`,
    );
  const asked = (answer: Answer) =>
    answer.asked === undefined ? '' : ` in ${Math.round(answer.asked)} queries`;
  const bySample = `${asked(own)}, ${peer.name}:`;
  const robust = `robust accuracy ${own.robust.toFixed(3)}${bySample} ${other.robust.toFixed(3)}${asked(other)}`;
  const weaker = (is: boolean) => (is ? '; its answer is the weaker one' : '');
  if (eps !== undefined) {
    const text = robust + weaker(own.robust < other.robust - tolerance);
    return { text, isWorse: !(own.robust <= other.robust + tolerance) };
  }
  const [near, far] = [own.median ?? Number.POSITIVE_INFINITY, other.median ?? Number.POSITIVE_INFINITY];
  const text = `median distance ${near.toFixed(4)} against ${far.toFixed(4)}, ${robust}`;
  const isFar = far === Number.POSITIVE_INFINITY;
  return {
    text: text + weaker(near < far * (1 - tolerance)),
    isWorse: near === Number.POSITIVE_INFINITY || !(isFar || near <= far * (1 + tolerance)),
  };
}

/** What the rounds answered: the median, since peers' draws may differ; ours have to be the same. */
function answerOf({ name, runs }: SideFigures, strict?: 'every round the same'): Answer {
  const answers = runs.flatMap(({ accuracy }) => (accuracy ? [accuracy] : []));
  const [first] = answers;
  if (!first) throw new GlacisError('data/mismatch', `${name}: expected an accuracy line`);
  const others = answers.filter(
    ({ clean, robust, median: far }) =>
      clean !== first.clean || robust !== first.robust || far !== first.median,
  );
  if (strict && others.length > 0)
    throw new GlacisError(
      'data/mismatch',
      `${name}: expected one answer in every round, got ${JSON.stringify([first, ...others])}`,
    );
  const far = median(answers.map((answer) => answer.median ?? Number.POSITIVE_INFINITY));
  return {
    ...first,
    robust: median(answers.map(({ robust }) => robust)),
    median: Number.isFinite(far) ? far : null,
  };
}
