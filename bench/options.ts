import { parseArgs } from 'node:util';
import { GlacisError } from '../src/core/error.ts';

/** What can be measured. */
const SUITES = [
  'gradient',
  'pgd',
  'attacks',
  'startup',
  'memory',
  'strength',
  'training',
  'supply',
  'guards',
  'stateful-guards',
  'steal',
  'gateway',
  'serving',
  'ledger',
  'drift',
  'drift-peers',
  'monitors',
  'console',
] as const;

/** One of {@link SUITES}. */
export type Suite = (typeof SUITES)[number];

/** Rounds of a suite unless they are given. */
const ROUNDS: Readonly<Record<Suite, { readonly usual: string; readonly quick: string }>> = {
  gradient: { usual: '5', quick: '2' },
  pgd: { usual: '5', quick: '2' },
  attacks: { usual: '3', quick: '1' },
  startup: { usual: '7', quick: '2' },
  memory: { usual: '5', quick: '2' },
  strength: { usual: '1', quick: '1' },
  training: { usual: '3', quick: '1' },
  supply: { usual: '5', quick: '2' },
  guards: { usual: '1', quick: '1' },
  'stateful-guards': { usual: '1', quick: '1' },
  steal: { usual: '1', quick: '1' },
  gateway: { usual: '3', quick: '1' },
  serving: { usual: '3', quick: '1' },
  ledger: { usual: '3', quick: '1' },
  drift: { usual: '1', quick: '1' },
  'drift-peers': { usual: '1', quick: '1' },
  monitors: { usual: '1', quick: '1' },
  console: { usual: '1', quick: '1' },
};

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly suite: Suite;
  /** Fewer rounds and repetitions: for trying things out, not for figures to quote. */
  readonly quick: boolean;
  /** Measure although other programs use the machine; the rows then say so. */
  readonly force: boolean;
  /** Only this network; all of the suite's when absent. */
  readonly network?: string;
  /** Only this mode of the gradient, memory or training suite. */
  readonly mode?: string;
  /** Only these cases of the attacks suite, or these attacks of the strength suite. */
  readonly only?: readonly string[];
  /** Most samples of a case of the attacks suite: to try things out. */
  readonly n?: number;
  /** Strength suite: our attacks once more, where only they have changed. */
  readonly again: boolean;
  readonly rounds: number;
  readonly threads: number;
  /** Also Debian's PyTorch (`apt-get install python3-torch`), run with /usr/bin/python3. */
  readonly debian: boolean;
  /** Also `torch.compile`. */
  readonly compile: boolean;
}

/** How to call the benchmarks. */
export const USAGE = `npm run bench -- gradient|pgd|attacks|startup|memory|strength|training|supply|guards|stateful-guards|steal|gateway|serving|ledger|drift|monitors [options]
  --quick            two rounds (attacks, training: one), few repetitions
  --network NAME     only this network
  --mode NAME        gradient suite: only forward, input or train; memory: input or train;
                     training: nothing, pgd or private; gateway: binary, json or grpc; guards: development, cost
                     or exact; serving: peer, costs, monitors
                     or latency; steal: answers or gateway
  --only NAMES       attacks suite: only these cases, for example pgd-40,cw-l2; strength suite: only these attacks
  --again            strength suite: our attacks once more
  --n N              attacks suite: at most N samples a case
  --rounds N         rounds of ours, peer, ours, peer, … (5; 7 of startup, 3 of attacks and training; 2 with --quick)
  --threads N        threads of every side (2)
  --debian           also Debian's python3-torch
  --compile          also torch.compile
  --force            measure on a busy machine; the rows say so`;

/** Reads the command line. Errors: `option/unknown`, `option/invalid`. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(argv);
  const suite = SUITES.find((name) => name === positionals[0]);
  if (positionals.length !== 1 || !suite) {
    throw new GlacisError(
      'option/invalid',
      `suite: expected ${SUITES.slice(0, -1).join(', ')} or ${SUITES.at(-1)}, got ${positionals.join(' ') || 'nothing'}\n${USAGE}`,
    );
  }
  const { quick = false, force = false, debian = false, compile = false, again = false } = values;
  const { network, mode, only, n } = values;
  if (suite !== 'attacks' && n !== undefined)
    throw new GlacisError('option/invalid', '--n: only the attacks suite has it');
  if (suite !== 'attacks' && suite !== 'strength' && only !== undefined)
    throw new GlacisError('option/invalid', '--only: only the attacks and strength suites have it');
  if (suite !== 'strength' && again)
    throw new GlacisError('option/invalid', '--again: only the strength suite has it');
  return {
    suite,
    quick,
    force,
    debian,
    compile,
    again,
    ...(network !== undefined && { network }),
    ...(mode !== undefined && { mode }),
    ...(only !== undefined && { only: only.split(',') }),
    ...(n !== undefined && { n: count('n', n) }),
    rounds: count('rounds', values.rounds ?? ROUNDS[suite][quick ? 'quick' : 'usual']),
    threads: count('threads', values.threads ?? '2'),
  };
}

function parsed(argv: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const options = {
    quick: flag,
    force: flag,
    debian: flag,
    compile: flag,
    again: flag,
    network: text,
    mode: text,
    only: text,
    n: text,
    rounds: text,
    threads: text,
  };
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new GlacisError('option/unknown', `${cause instanceof Error ? cause.message : cause}\n${USAGE}`, {
      cause,
    });
  }
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new GlacisError('option/invalid', `--${name}: expected a count from 1, got ${text}`);
  return Number(text);
}
