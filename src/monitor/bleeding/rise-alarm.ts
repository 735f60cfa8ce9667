import type { Rng } from '../../core/random.ts';
import type { Alarm } from '../alarm.ts';
import { percent } from '../drift/column.ts';
import type { Spread } from '../drift/spread.ts';
import { shown } from '../drift/window-test.ts';
import { detectionDelays } from './detection-delay.ts';
import type { Rise } from './mean-stream.ts';
import type { NumberSource } from './number-source.ts';

/** A loss from which it is grave. */
const GRAVE = 0.05;

/** What an alarm of a rise says beside the rise itself. */
export interface RiseWords
  extends Pick<Alarm, 'id' | 'monitor' | 'model' | 'version' | 'digest' | 'subject' | 'title'> {
  /** What the source of the numbers has to say. */
  readonly told: ReturnType<NonNullable<NumberSource['tell']>>;
}

/** The alarm of a rise, with how long smaller losses would go on unseen (simulated, by `rng`). */
export function alarmOfRise(
  rise: Rise,
  spread: Spread,
  { told, title, ...words }: RiseWords,
  rng: Rng,
): Alarm {
  const { rows, mean, usual, n, runLength, baseline } = rise;
  const means =
    told?.means ??
    `${percent(mean)} on average over the last ${rows.n} samples, usually ${percent(usual.mean)} (up to ${percent(usual.most)} counts as usual; ${usual.why})`;
  const loss = mean - usual.mean;
  const own = Math.min(1, loss);
  const delays = detectionDelays({
    ...{ calm: baseline.some, usual: usual.most, runLength, rng },
    ...{ losses: [0.01, 0.05], runs: 5, most: 50_000 },
  });
  return {
    ...words,
    ...{ title, at: rows.at[rows.n - 1]!, kind: spread.kind, principals: spread.principals },
    // Where few are behind it, it may be their own change: rules act by themselves from high on.
    severity: spread.kind === 'drift' && own >= GRAVE ? 'high' : 'medium',
    why: `${title}: ${means}. It seems to have begun ${n} samples ago. Such evidence comes by chance at most once in ${shown(runLength)} samples. ${told?.why ?? ''} ${spread.why}`.replaceAll(
      '  ',
      ' ',
    ),
    ...{
      score: rise.evidence,
      threshold: rise.threshold,
      first: rise.since,
      last: rows.at[rows.n - 1]!,
      queries: n,
    },
    decisions: telling(rows.values, rows.decisions),
    atlas: spread.kind === 'attack' ? ['AML.T0040'] : [],
    figures: {
      ...{ loss: own, mean, usual: usual.mean, samples: n },
      delayOfOnePercent: delays[0]?.median ?? 'not found',
      delayOfFivePercent: delays[1]?.median ?? 'not found',
      ...told?.figures,
      ...spread.figures,
    },
  };
}

/** Decisions with the largest numbers, the largest first. */
function telling(values: Float32Array, decisions: readonly string[]): readonly string[] {
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
  return [...new Set(order.map((i) => decisions[i]!))].slice(0, 64);
}
