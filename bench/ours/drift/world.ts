import { type Rng, randomFrom } from '../../../src/core/random.ts';
import type { Sighting, TrueLabel } from '../../../src/monitor/sighting.ts';

/** Features of the table: two that go together, one that follows the hour (where there is a daily cycle), two of other shapes, two of categories. */
export const TABLE = ['income', 'debt', 'load', 'amount', 'age', 'region', 'kind', 'fixed'];

/** How calm traffic comes: evenly; with hours of the day; in bursts of one client with inputs that are alike. */
export const CALM = ['even', 'daily', 'bursts'] as const;

/** What changes, from its first sample on. */
export const CHANGES = {
  'one feature': 'income moves by half a deviation',
  covariates: 'five features move by half a deviation',
  gradual: 'income moves by up to one deviation over a day',
  'joint only': 'income and debt do not go together any more; each is as ever',
  labels: 'one class becomes half of all, its inputs as ever',
  concept: 'the truth changes for a sixth of samples; inputs and answers are as ever',
  'one client': 'one client of 40, with an eighth of the traffic, sends other inputs',
  'loss of 1 %': 'the verifying model disagrees in 3 % of samples instead of 2 %',
  'loss of 5 %': 'the verifying model disagrees in 7 % of samples instead of 2 %',
  NaN: 'income is NaN',
} as const;

/** A change of {@link CHANGES}. */
export type Change = keyof typeof CHANGES;

const DAY = 86_400_000;
export const START = 1_790_000_000_000;
/** Samples a day: one every five seconds. */
export const PER_DAY = 17_280;

/** Calls and the truths of three in ten of them, told an hour later. */
export interface Stretch {
  readonly sightings: readonly Sighting[];
  readonly labels: readonly TrueLabel[];
}

/** Traffic of some days, from `from` days after the start. */
export function stretch(
  calm: (typeof CALM)[number],
  days: number,
  from: number,
  seed: number,
  change?: Change,
): Stretch {
  const rng = randomFrom(seed, 'world', calm, from);
  const sightings: Sighting[] = [];
  const labels: TrueLabel[] = [];
  let [burst, left] = [[0, 0, 0], 0];
  let sender = 0;
  for (let i = 0; i < days * PER_DAY; i++) {
    const at = START + from * DAY + i * 5000;
    const hour = ((at % DAY) / DAY) * 2 * Math.PI;
    if (left-- <= 0) {
      left = calm === 'bursts' ? rng.integer(12) : 0;
      burst = [rng.normal(), rng.normal(), rng.normal()];
      sender = rng.integer(40);
    }
    const alike = (k: number) => (calm === 'bursts' ? 0.7 * burst[k]! + 0.714 * rng.normal() : rng.normal());
    let label = rng.integer(3);
    if (calm === 'daily' && rng.uniform() < 0.15 * (1 + Math.sin(hour))) label = 2;
    if (change === 'labels' && rng.uniform() < 0.25) label = 0;
    const shared = alike(0);
    const values = [
      shared + 0.3 * label,
      (change === 'joint only' ? rng.normal() : 0.8 * shared + 0.6 * alike(1)) - 0.3 * label,
      rng.normal() + (calm === 'daily' ? 0.8 * Math.sin(hour) : 0),
      Math.exp(0.5 * alike(2)),
      20 + 50 * rng.uniform(),
      rng.integer(5),
      rng.uniform() < 0.1 ? 1 : 0,
      7,
    ];
    const isOne = change === 'one client' && rng.uniform() < 0.125;
    const by =
      change === 'gradual'
        ? Math.min(1, i / PER_DAY)
        : change === 'one feature' || change === 'covariates'
          ? 0.5
          : isOne
            ? 2
            : 0;
    values[0]! += by;
    if (change === 'covariates') for (const k of [1, 2, 3, 4]) values[k]! += by * (k === 4 ? 14 : 1);
    if (change === 'NaN') values[0] = Number.NaN;
    const [said, score] = answer(label, values, rng);
    const id = `${calm}-${seed}-${from}-${i}`;
    const disagrees = change === 'loss of 1 %' ? 0.03 : change === 'loss of 5 %' ? 0.07 : 0.02;
    sightings.push({
      ...{
        id,
        at,
        principal: isOne ? 'client 7' : `client ${sender}`,
        tenant: undefined,
        credential: undefined,
      },
      ...{
        address: '10.0.0.1',
        model: 'credit',
        version: '1',
        digest: 'sha256:1',
        n: 1,
        outcome: 'answered',
      },
      ...{ guards: [], bucket: 2, top: [[said, score]] },
      divergence: rng.uniform() < disagrees ? 1 : 0,
      sketch: { values: Float32Array.from(values), rows: 1, width: 8, samples: [0] },
    });
    const truth = change === 'concept' && rng.uniform() < 1 / 6 ? (label + 1) % 3 : label;
    if (rng.uniform() < 0.3) labels.push({ decision: id, sample: 0, label: truth, at: at + 3_600_000 });
  }
  return { sightings, labels };
}

/** What a model that is right as often as it says answers; on inputs far from the usual it is less sure. */
function answer(label: number, values: readonly number[], rng: Rng): readonly [number, number] {
  const far = Math.min(0.3, 0.05 * Math.max(0, Math.abs(values[0]! - 0.3) - 1));
  const score = 1 - 0.35 * rng.uniform() ** 2 - (Number.isNaN(far) ? 0.3 : far);
  return [rng.uniform() < score ? label : (label + 1 + rng.integer(2)) % 3, score];
}
