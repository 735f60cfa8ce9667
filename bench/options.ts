import { parseArgs } from 'node:util';
import { GlacisError } from '../src/core/error.ts';

/** What can be measured. */
const SUITES = ['gradient', 'pgd', 'startup', 'memory'] as const;

/** One of {@link SUITES}. */
export type Suite = (typeof SUITES)[number];

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly suite: Suite;
  /** Fewer rounds and repetitions: for trying things out, not for figures to quote. */
  readonly quick: boolean;
  /** Measure although other programs use the machine; the rows then say so. */
  readonly force: boolean;
  /** Only this network; all of the suite's when absent. */
  readonly network?: string;
  /** Only this mode of the gradient suite. */
  readonly mode?: string;
  readonly rounds: number;
  readonly threads: number;
  /** Also Debian's PyTorch (`apt-get install python3-torch`), run with /usr/bin/python3. */
  readonly debian: boolean;
  /** Also `torch.compile`. */
  readonly compile: boolean;
}

/** How to call the benchmarks. */
export const USAGE = `npm run bench -- gradient|pgd|startup|memory [options]
  --quick            two rounds, few repetitions
  --network NAME     only this network
  --mode NAME        gradient suite: only forward, input or train; memory: input or train
  --rounds N         rounds of ours, peer, ours, peer, … (5; 7 of startup; 2 with --quick)
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
      `suite: expected gradient, pgd, startup or memory, got ${positionals.join(' ') || 'nothing'}\n${USAGE}`,
    );
  }
  const { quick = false, force = false, debian = false, compile = false, network, mode } = values;
  return {
    suite,
    quick,
    force,
    debian,
    compile,
    ...(network !== undefined && { network }),
    ...(mode !== undefined && { mode }),
    rounds: count('rounds', values.rounds ?? (quick ? '2' : suite === 'startup' ? '7' : '5')),
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
    network: text,
    mode: text,
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
