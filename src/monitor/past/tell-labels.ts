import type { TrueLabel } from '../sighting.ts';
import type { PastBatch } from './batch.ts';
import { openBatchReader } from './batch-sightings.ts';
import type { LabelTable } from './label-table.ts';
import type { Past } from './open-past.ts';

/** Labels that are told once `after` decisions of their batch were seen. Plain data: it crosses threads. */
export interface LabelsAfter {
  readonly after: number;
  readonly labels: readonly TrueLabel[];
}

/** What became of the labels of past decisions. */
export interface PastLabelCounts {
  readonly labels: number;
  /** Of no decision that was read. */
  readonly unknown: number;
  /** About a sample that already had one, and those of them that say something else; the first that is told counts. */
  readonly twice: number;
  readonly contradicting: number;
}

/** True labels of past decisions. */
export interface PastLabels {
  /**
   * The decisions, with each label told in its place: once the time of the decisions passes its own, or right after its decision where it has no time, or where its time had passed before. After the last decision
   * the rest is told: what came later, and at the end what is of no decision here. Errors: those of the past.
   */
  tellIn(past: Past): Past;
  /** Of the decisions that were read last. */
  counts(): PastLabelCounts;
}

/** Labels that are told together at most. */
const TOGETHER = 4096;

/** What has become of a label: nothing yet; its time has passed; its decision has come; it was told. */
const [WAITING, DUE, SEEN, TOLD] = [0, 1, 2, 3];

/** Opens labels that were read. Cost: two look-ups a decision, and a second reading of its record. */
export function openPastLabels(table: LabelTable): PastLabels {
  let unknown = 0;
  return {
    tellIn: (past) => ({
      async *batches(signal) {
        const reader = openBatchReader();
        const told = openTelling(table);
        for await (const batch of past.batches(signal)) {
          const labels: LabelsAfter[] = [];
          for (const [i, { id, at }] of reader.sightings(batch).entries()) {
            const before = told.before(at);
            if (before.length > 0) labels.push({ after: i, labels: before });
            const now = told.of(id, at);
            if (now.length > 0) labels.push({ after: i + 1, labels: now });
          }
          yield labels.length === 0 ? batch : { ...batch, labels };
        }
        const rest = told.rest();
        unknown = rest.unknown.length;
        for (const labels of [rest.known, rest.unknown])
          for (let i = 0; i < labels.length; i += TOGETHER) yield onlyLabels(labels.slice(i, i + TOGETHER));
      },
    }),
    counts: () => ({
      ...{ labels: table.size, unknown },
      ...{ twice: table.twice, contradicting: table.contradicting },
    }),
  };
}

/** Which labels are told when, as decisions come. */
function openTelling(table: LabelTable) {
  const states = new Uint8Array(table.size);
  const byTime = table.byTime();
  let [next, last] = [0, 0];
  return {
    /** Of decisions that have come: what is told before one of this time. */
    before(at: number): readonly TrueLabel[] {
      const found: TrueLabel[] = [];
      for (; next < byTime.length && table.timeOf(byTime[next]!) < at; next++) {
        const number = byTime[next]!;
        if (states[number] === SEEN) {
          found.push(table.told(number, at));
          states[number] = TOLD;
        } else if (states[number] === WAITING) states[number] = DUE;
      }
      return found;
    },
    /** A decision comes: what is told right after it. */
    of(decision: string, at: number): readonly TrueLabel[] {
      last = at;
      const found: TrueLabel[] = [];
      const first = table.firstOf(decision);
      // It has come before, with all its labels.
      if (states[first] === SEEN || states[first] === TOLD) return found;
      for (let number = first; number >= 0; number = table.nextOf(number)) {
        const isNow = states[number] === DUE || Number.isNaN(table.timeOf(number));
        states[number] = isNow ? TOLD : SEEN;
        if (isNow) found.push(table.told(number, at));
      }
      return found;
    },
    /** There are no more decisions. */
    rest() {
      const known: TrueLabel[] = [];
      const unknown: TrueLabel[] = [];
      for (; next < byTime.length; next++)
        if (states[byTime[next]!] === SEEN) known.push(table.told(byTime[next]!, last));
      for (let number = 0; number < table.size; number++)
        if (states[number] === WAITING || states[number] === DUE) unknown.push(table.told(number, last));
      return { known, unknown };
    },
  };
}

function onlyLabels(labels: readonly TrueLabel[]): PastBatch {
  return {
    ...{ count: 0, numbers: new Float64Array(0), floats: new Float32Array(0), ids: new Uint8Array(0) },
    ...{ texts: [], textsFrom: 0, skipped: 0, features: undefined },
    labels: [{ after: 0, labels }],
  };
}
