import { randomFrom } from '../../../src/core/random.ts';
import type { Sighting } from '../../../src/monitor/sighting.ts';
import { planSketch } from '../../../src/monitor/sketch/sketch-plan.ts';
import { type CalmKind, calmPrincipal, poolOf } from '../stateful/calm-traffic.ts';
import { DIGIT, type Pictures } from '../stateful/pictures.ts';
import type { Victim } from '../stateful/victim.ts';

/** The sketches of the victim's samples. */
export const PLAN = planSketch({ sampleDims: [1, 28, 28], datatype: 'FP32' });

const DAY = 86_400_000;

/** Calm traffic of some days. */
export interface TrafficSetting {
  readonly name: string;
  readonly principals: number;
  /** Requests of one principal. */
  readonly requests: number;
  /** First and last picture of the training part that may be sent. */
  readonly pool: readonly [from: number, to: number];
  readonly seed: number;
  readonly start: number;
  readonly days: number;
  /** Whether everything darkens, loses contrast and moves slowly in the second half, and one principal in ten faster. */
  readonly drifts: boolean;
}

/** Who sends what: half send other digits each time, the others retry, save again, or film. */
export function kindOf(principal: number): CalmKind {
  const place = principal % 10;
  return place < 5 ? 'plain' : place < 7 ? 'retries' : place < 9 ? 'resaves' : 'camera';
}

/** A request before the model saw it. */
interface Request {
  readonly at: number;
  readonly principal: number;
  readonly query: number;
}

/** A sighting without the model's word about it, and the sample itself. */
export interface CalmCall {
  readonly sighting: Sighting;
  readonly x: Float32Array;
}

/** When a principal asks: evenly over office hours, around the clock, or in bursts, by its number. */
function timesOf(principal: number, { requests, start, days, seed }: TrafficSetting): readonly number[] {
  const rng = randomFrom(seed, 'times', principal);
  const times: number[] = [];
  const way = principal % 3;
  while (times.length < requests) {
    const day = Math.floor(rng.uniform() * days);
    const hour = way === 0 ? 8 + 9 * rng.uniform() : 24 * rng.uniform();
    const at = start + day * DAY + (hour * DAY) / 24;
    const burst = way === 2 ? 20 + rng.integer(200) : 1 + rng.integer(3);
    for (let i = 0; i < burst && times.length < requests; i++)
      times.push(Math.round(at + i * (way === 2 ? 200 + 100 * rng.uniform() : 5000 * rng.uniform())));
  }
  return times.sort((a, b) => a - b);
}

/**
 * The calls of calm clients in order of time, with the model's answers, block by block so that memory stays small. Four principals share an address, as behind an office's router, and each tenant has three.
 */
export async function* calmTraffic(
  setting: TrafficSetting,
  pictures: Pictures,
  victim: Victim,
): AsyncGenerator<readonly CalmCall[]> {
  const { principals, requests, pool, seed, name, start, days } = setting;
  const lists = poolOf(pictures, ...pool);
  const queries = Array.from({ length: principals }, (_, id) =>
    calmPrincipal(kindOf(id), pictures, lists, requests, randomFrom(seed, 'principal', id)),
  );
  const order: Request[] = [];
  for (let id = 0; id < principals; id++)
    for (const [query, at] of timesOf(id, setting).entries()) order.push({ at, principal: id, query });
  order.sort((a, b) => a.at - b.at);
  const BLOCK = 1024;
  for (let from = 0; from < order.length; from += BLOCK) {
    const block = order.slice(from, from + BLOCK);
    const x = new Float32Array(block.length * DIGIT);
    for (const [i, { principal, query, at }] of block.entries()) {
      const own = queries[principal]!.x.subarray(query * DIGIT, (query + 1) * DIGIT);
      const out = x.subarray(i * DIGIT, (i + 1) * DIGIT);
      out.set(own);
      if (setting.drifts)
        drift(out, Math.max(0, (2 * (at - start)) / (days * DAY) - 1), principal % 10 === 3);
    }
    const { scores } = await victim.look(x, block.length);
    yield block.map(({ at, principal }, i) => {
      const sample = x.subarray(i * DIGIT, (i + 1) * DIGIT);
      return {
        x: sample,
        sighting: sightingOf(
          {
            id: `${name}-${from + i}`,
            at,
            principal: `${name} ${principal}`,
            tenant: `${name} tenant ${Math.floor(principal / 3)}`,
            credential: `${name} key ${principal}`,
            address: `10.${seed % 256}.0.${Math.floor(principal / 4)}`,
          },
          sample,
          scores.subarray(i * 10, (i + 1) * 10),
        ),
      };
    });
  }
}

/** Darker and less contrast: lamps age. The fast ones go twice as far. */
function drift(x: Float32Array, progress: number, fast: boolean): void {
  const far = progress * (fast ? 1.5 : 1);
  const [gain, lift] = [1 - 0.3 * far, 0.08 * far];
  for (let i = 0; i < x.length; i++) x[i] = Math.min(1, lift + gain * x[i]!);
}

/** Sketches a sample and puts the model's probabilities beside it. */
export function sightingOf(
  who: Pick<Sighting, 'id' | 'at' | 'principal' | 'tenant' | 'credential' | 'address'>,
  x: Float32Array,
  logits: Float32Array,
): Sighting {
  const values = new Float32Array(PLAN.features.length);
  PLAN.read(x, 0, values, 0);
  let best = 0;
  for (let k = 1; k < 10; k++) if (logits[k]! > logits[best]!) best = k;
  return {
    ...who,
    ...{
      model: 'digits',
      version: '1',
      digest: 'sha256:victim',
      n: 1,
      outcome: 'answered',
      guards: [],
      bucket: 5,
    },
    top: [[best, logits[best]!]],
    sketch: { values, rows: 1, width: values.length, samples: [0] },
  };
}
