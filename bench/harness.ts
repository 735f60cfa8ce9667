import { median } from './median.ts';
import { runSide, type Side, type SideRun } from './side.ts';

/** A core's share that other programs may use before a comparison no longer counts. */
export const MAX_FOREIGN_CORES = 0.3;

/** A side that is to use `t > 1` threads but whose CPU time is below this share of `t` times its wall time did not. */
const MIN_THREAD_USE = 0.8;

/** One side's figures over all rounds: medians, in seconds and bytes. */
export interface SideFigures {
  readonly name: string;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly wall: number;
  readonly cpu: number;
  readonly peakRssBytes: number;
  /** CPU time over wall time where work was timed (the whole program where nothing was timed inside). */
  readonly threadsUsed: number;
  readonly runs: readonly SideRun[];
}

/** Ours against one peer. */
export interface Comparison {
  readonly peer: SideFigures;
  /** Median over rounds of peer's wall time over ours: above 1 we are faster. */
  readonly ratio: number;
  /** Smallest and largest round. */
  readonly range: readonly [number, number];
  /** The same with CPU time. */
  readonly cpuRatio: number;
  /** The peer's peak resident memory over ours, medians of the rounds. */
  readonly memoryRatio: number;
  /** Why the ratio does not count; empty when it does. */
  readonly invalid: readonly string[];
  /** The ratio that was aimed at, where there is one. */
  readonly wanted?: number;
}

/** What is timed: the median repetition inside the program, or the whole program from its start. */
export type Timed = 'repeat' | 'program';

/**
 * Runs ours, then each peer, and again, `rounds` times, and compares them round by round, so that a drift of the
 * machine's speed meets both sides alike. With `patience`, a peer that took more than so many times as long as the quickest peer in the
 * first round sits out the others.
 */
export async function compareSides(
  ours: Side,
  peers: readonly Side[],
  {
    rounds,
    threads,
    timed,
    progress,
    patience = Number.POSITIVE_INFINITY,
  }: {
    rounds: number;
    threads: number;
    timed: Timed;
    progress: (text: string) => void;
    patience?: number;
  },
): Promise<{ ours: SideFigures; comparisons: readonly Comparison[] }> {
  const sides = [ours, ...peers];
  const runs = sides.map((): SideRun[] => []);
  for (let round = 0; round < rounds; round++) {
    const quickest = Math.min(
      ...runs.slice(1).map(([first]) => (first ? timeOf(first, timed).wall : Infinity)),
    );
    for (const [index, side] of sides.entries()) {
      if (index > 0 && round > 0 && timeOf(runs[index]![0]!, timed).wall > patience * quickest) continue;
      const run = await runSide(side);
      runs[index]!.push(run);
      const { wall, cpu } = timeOf(run, timed);
      progress(
        `  round ${round + 1}/${rounds} ${side.name}: ${ms(wall)} ms wall, ${ms(cpu)} ms CPU, others ${run.foreignCores.toFixed(2)} cores`,
      );
    }
  }
  const [own, ...others] = sides.map((side, index) => figuresOf(side.name, runs[index]!, timed));
  return { ours: own!, comparisons: others.map((peer) => comparisonOf(own!, peer, timed, threads)) };
}

const ms = (seconds: number): string => (seconds * 1000).toFixed(1);

function timeOf(run: SideRun, timed: Timed): { wall: number; cpu: number } {
  if (timed === 'program') return run;
  return {
    wall: median(run.repeats.map(({ wall }) => wall)),
    cpu: median(run.repeats.map(({ cpu }) => cpu)),
  };
}

function figuresOf(name: string, runs: readonly SideRun[], timed: Timed): SideFigures {
  const times = runs.map((run) => timeOf(run, timed));
  return {
    name,
    environment: runs[0]!.environment,
    wall: median(times.map(({ wall }) => wall)),
    cpu: median(times.map(({ cpu }) => cpu)),
    peakRssBytes: median(runs.map(({ peakRssBytes }) => peakRssBytes)),
    // A program's start runs on one thread on every side, so thread use is judged where the work is, inside.
    threadsUsed: median(runs.map(threadsUsedIn)),
    runs,
  };
}

function threadsUsedIn({ repeats, wall, cpu }: SideRun): number {
  const spans = repeats.length > 0 ? repeats : [{ wall, cpu }];
  return sum(spans.map((span) => span.cpu)) / sum(spans.map((span) => span.wall));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function comparisonOf(ours: SideFigures, peer: SideFigures, timed: Timed, threads: number): Comparison {
  const rounds = peer.runs.map((run, round) => ({
    peer: timeOf(run, timed),
    own: timeOf(ours.runs[round]!, timed),
  }));
  const ratios = rounds.map((round) => round.peer.wall / round.own.wall);
  return {
    peer,
    ratio: median(ratios),
    range: [Math.min(...ratios), Math.max(...ratios)],
    cpuRatio: median(rounds.map((round) => round.peer.cpu / round.own.cpu)),
    memoryRatio: peer.peakRssBytes / ours.peakRssBytes,
    invalid: [ours, peer].flatMap((side) => objections(side, threads)),
  };
}

/**
 * Why a side's figures do not count. Not-a-number counts against it. A side that times nothing inside, our own command line,
 * is not asked for its threads: those that it leaves idle are to its own loss.
 */
export function objections(side: SideFigures, threads: number): readonly string[] {
  const found: string[] = [];
  const timedInside = side.runs.some(({ repeats }) => repeats.length > 0);
  if (timedInside && threads > 1 && !(side.threadsUsed >= MIN_THREAD_USE * threads)) {
    found.push(`${side.name} used ${side.threadsUsed.toFixed(2)} of ${threads} threads`);
  }
  const disturbed = side.runs.filter((run) => !(run.foreignCores <= MAX_FOREIGN_CORES));
  if (disturbed.length > 0) {
    const most = Math.max(...disturbed.map((run) => run.foreignCores));
    found.push(
      `other programs used up to ${most.toFixed(2)} cores beside ${side.name} in ${disturbed.length} of ${side.runs.length} rounds`,
    );
  }
  return found;
}
