import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { type Comparison, compareSides } from '../harness.ts';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { peerSide, SHARED } from '../places.ts';
import type { Row } from '../report.ts';
import { runSide } from '../side.ts';
import { agreementOf } from './attack-answers.ts';
import { ATTACK_CASES, type AttackCase } from './attack-cases.ts';
import { commandLineOf, type Form, optionList, oursOf, peerOf } from './attack-sides.ts';
import { soonerRows } from './attack-sooner.ts';

/** A peer that is slower than the quickest by more than this in the first round sits out the others. */
const PATIENCE = 1.5;

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
      const row = await attackRow(each, form, options, progress);
      rows.push(row, ...(await soonerRows(each, row, form, options, progress)));
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
