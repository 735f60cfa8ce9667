import { type Recent, recent } from '../../detect/queries/recent.ts';
import { type CalmRows, calmRowReader, ROW } from './calm-rows.ts';
import { type Asker, freshAsker, type Spread, strangeness, takeRow } from './extraction-evidence.ts';
import { type SketchedRow, whoOf } from './sketched-rows.ts';

/** Each client is suspected with this chance beforehand, when all are judged together. */
const PRIOR = 1 / 32;

/** Who asked within a day is there. */
export const DAY = 86_400_000;

/** Milliseconds from which a client has a say in what is usual now: many fresh keys must not make their own ways the usual ones. */
const SETTLED = DAY / 4;

/** Fewest clients that have something in common. */
export const FEWEST_CLIENTS = 8;

/** Rows between two looks at what all clients have in common, and clients that are looked at. */
const LOOK = 256;
const MOST_LOOKED = 256;

/** What calm clients ask. */
export interface UsualAsking {
  readonly rows: CalmRows;
  /** Squared length beyond which a row is odd, and the share of a calm client's rows that may be. */
  readonly odd: number;
  readonly usual: number;
  readonly spread: Spread;
}

/** The clients, and what they have in common. */
export interface Askers {
  readonly known: Recent<string, Asker>;
  /** What all have in common now. */
  readonly common: Float64Array;
  /** ln of the evidence that some of them together are one attacker. */
  readonly together: () => number;
  /** The share of odd rows that is usual now. */
  readonly usual: () => number;
  /** Gives who asked, where the row says something. */
  take(sketched: SketchedRow): Asker | undefined;
}

/** Opens it: at most `clients` are remembered. */
export function openAskers(fit: UsualAsking, clients: number): Askers {
  const read = calmRowReader(fit.rows);
  const known = recent<string, Asker>(clients);
  const row = new Float32Array(ROW);
  const common = new Float64Array(ROW);
  const lag = new Float64Array(ROW);
  const column = new Float64Array(MOST_LOOKED);
  const spread: Spread = fit.spread;
  let [usual, looked, taken, sum, now] = [fit.usual, 0, 0, 0, 0];
  /** What all have in common now, and how often they are odd: medians, so that less than half of them cannot move it. */
  const look = (): void => {
    looked = taken;
    const voters: Asker[] = [];
    let all = 0;
    for (const [, asker] of known.entries()) {
      if (asker.counted >= 16 && now - asker.last < DAY && now - asker.first > SETTLED) voters.push(asker);
      all += togetherOf(asker);
    }
    sum = all;
    // Who asked last stands last.
    voters.splice(0, voters.length - MOST_LOOKED);
    if (voters.length < FEWEST_CLIENTS) return;
    for (let i = 0; i < ROW; i++) {
      for (const [v, { mean }] of voters.entries()) column[v] = mean[i]!;
      const sorted = column.subarray(0, voters.length).sort();
      common[i] = sorted[voters.length >> 1]!;
    }
    const long = voters.filter(({ n, nBefore }) => n + nBefore >= 16);
    for (let i = 0; long.length >= FEWEST_CLIENTS && i < ROW; i++) {
      for (const [v, asker] of long.entries())
        column[v] = (asker.now[i]! + asker.before[i]!) / (asker.n + asker.nBefore);
      lag[i] = column.subarray(0, long.length).sort()[long.length >> 1]!;
    }
    for (const [v, { odd, rows }] of voters.entries()) column[v] = odd / Math.max(1, rows);
    const share = column.subarray(0, voters.length).sort()[Math.floor(0.6 * voters.length)]!;
    usual = Math.min(0.9, Math.max(fit.usual, 2 * share));
  };
  return {
    known,
    common,
    together: () => sum,
    usual: () => usual,
    take(sketched: SketchedRow): Asker | undefined {
      const { sighting } = sketched;
      const asker = known.at(whoOf(sighting), () => freshAsker(whoOf(sighting), sighting.at));
      read(sketched, row);
      const isOdd = strangeness(asker, row, common) > fit.odd;
      const before = togetherOf(asker);
      now = Math.max(now, sighting.at);
      asker.last = Math.max(asker.last, sighting.at);
      if (!takeRow(asker, row, fit.odd, { spread, usual, common, lag })) return undefined;
      if (isOdd || asker.shown.length === 0) {
        asker.shown.unshift(sighting.id);
        if (asker.shown.length > 16) asker.shown.pop();
      }
      sum += togetherOf(asker) - before;
      taken++;
      if (taken - looked >= LOOK) look();
      return asker;
    },
  };
}

/** ln of the part of one client in the evidence that some clients together are one attacker: `E = Π (1 − q + q E_c)`, again of mean 1 at most where all are calm. */
function togetherOf({ part }: Asker): number {
  return part > 30 ? part + Math.log(PRIOR) : Math.log(1 - PRIOR + PRIOR * Math.exp(Math.max(-50, part)));
}
