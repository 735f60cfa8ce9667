import { randomFrom } from '../../../src/core/random.ts';
import { clopperPearson } from '../../../src/core/statistics/clopper-pearson.ts';
import { alarmsAmong, thresholdFor } from '../../../src/detect/calibration/threshold.ts';
import {
  type ClientDetector,
  type ClientWatch,
  highestScores,
} from '../../../src/detect/clients/client-detector.ts';
import type { Observations, Watched } from '../../../src/detect/detector.ts';
import { line } from '../lines.ts';
import { type CalmKind, calmPrincipal, poolOf } from './calm-traffic.ts';
import { FROZEN } from './frozen.ts';
import type { digits } from './pictures.ts';
import type { Victim } from './victim.ts';

const MEMORY = { salt: 20_261_121, capacity: 2 ** 15, askers: 512 };

/** A detector as it is after calibration and calm traffic. */
export interface Calibrated {
  readonly name: string;
  readonly thresholds: readonly number[];
  readonly open: () => ClientWatch;
}

/** A detector that learns from calm clients, beside others on the same ones. */
export interface Candidate {
  readonly name: string;
  readonly detector: ClientDetector<unknown>;
  /** Clients of a kind that are declared as cameras: their false alarms are counted apart. */
  readonly streams?: CalmKind;
}

/** Clients that are looked at together. */
const AT_ONCE = 80;

type Part = keyof typeof FROZEN.pools;

/** How many calm clients of each part there are, and how long each is. */
export interface Size {
  readonly clients: Readonly<Record<Part, number>>;
  readonly queries: number;
}

/** What calm clients are drawn from, and whom they ask. */
export interface CalmWorld {
  readonly victim: Victim;
  readonly train: ReturnType<typeof digits>;
  readonly watched: Watched;
  /** Makes a number of clients smaller, to try things out, and never less than `least`. */
  readonly scaled: (n: number, least: number) => number;
}

/** Calibrates detectors on the same calm clients, tells what came out, and keeps each as calm traffic has left it. */
export async function calibrated(
  { victim, train, watched, scaled }: CalmWorld,
  kinds: readonly CalmKind[],
  candidates: readonly Candidate[],
  size: Size = FROZEN,
): Promise<readonly Calibrated[]> {
  const madePools = new Map<number, readonly Int32Array[]>();
  const pools = ([start, end]: readonly [number, number]): readonly Int32Array[] => {
    const made = madePools.get(start) ?? poolOf(train, start, end);
    madePools.set(start, made);
    return made;
  };
  const client = async (part: Part, kind: CalmKind, id: number): Promise<Observations> => {
    const rng = randomFrom(FROZEN.seeds[part], kind, id);
    const { x, n } = calmPrincipal(kind, train, pools(FROZEN.pools[part]), size.queries, rng);
    return { n, x, ...(await victim.look(x, n)) };
  };
  /** Calm clients of a part, some at a time. */
  async function* clients(part: Part): AsyncGenerator<readonly Observations[]> {
    const n = scaled(size.clients[part], 100);
    for (let first = 0; first < n; first += AT_ONCE) {
      const group: Observations[] = [];
      for (let id = first; id < Math.min(n, first + AT_ONCE); id++)
        group.push(await client(part, kinds[id % kinds.length]!, id));
      yield group;
    }
  }
  const fitted: Observations[] = [];
  for await (const group of clients('fit')) fitted.push(...group);
  const each = candidates.map((candidate) => {
    const fit = candidate.detector.fit(fitted, watched);
    return {
      ...candidate,
      fit,
      watch: candidate.detector.open(fit, watched, MEMORY),
      scores: [] as number[],
      held: [] as number[],
      took: 0,
    };
  });
  for await (const group of clients('threshold'))
    for (const one of each)
      one.scores.push(...highestScores(one.watch, group, `threshold ${one.scores.length}`));
  let queries = 0;
  for await (const group of clients('heldOut')) {
    for (const one of each) {
      const before = performance.now();
      one.held.push(...highestScores(one.watch, group, `held out ${one.held.length}`));
      one.took += performance.now() - before;
    }
    queries += group.reduce((sum, { n }) => sum + n, 0);
  }
  const all: Calibrated[] = [];
  for (const { name, detector, streams, fit, watch, scores, held, took } of each) {
    const thresholds = FROZEN.rates.map((rate) =>
      Math.max(1, thresholdFor(scores, rate)?.threshold ?? Number.POSITIVE_INFINITY),
    );
    const state = watch.snapshot();
    const { reference: _, ...shown } = fit as { readonly reference?: unknown };
    const tell = (guard: string, highest: readonly number[], more: object) => {
      const alarms = thresholds.map((threshold) => alarmsAmong(highest, threshold));
      const intervals = alarms.map((n) => clopperPearson(n, highest.length));
      line('calm', { guard, thresholds, clients: highest.length, alarms, intervals, ...more });
    };
    tell(name, held, { fit: shown, microseconds: (1000 * took) / queries, stateBytes: state.length });
    if (streams) {
      const highest: number[] = [];
      for (let id = 0; id < scaled(100, 20); id++) {
        const one = await client('heldOut', streams, 10_000 + id);
        let most = 0;
        for (let i = 0; i < one.n; i++)
          most = Math.max(most, watch.observe(`${streams} ${id}`, one, i, true).score);
        highest.push(most);
      }
      tell(`${name}, declared cameras`, highest, {});
    }
    all.push({ name, thresholds, open: () => detector.open(fit, watched, MEMORY, state) });
  }
  return all;
}
