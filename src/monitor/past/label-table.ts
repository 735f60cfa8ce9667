import { GlacisError } from '../../core/error.ts';
import type { TrueLabel } from '../sighting.ts';

/** A true label as a file has it: without a time, it was told right after its decision. */
export interface WrittenLabel extends Omit<TrueLabel, 'at'> {
  readonly at?: number | undefined;
}

/** Labels by their decisions, numbered as they came. */
export interface LabelTable {
  readonly size: number;
  /** Labels about a sample that already has one, and those of them that say something else. */
  readonly twice: number;
  readonly contradicting: number;
  /** Errors: `data/too-large` for more labels, or characters of ids, than it may hold. */
  add(label: WrittenLabel): void;
  /** The first label of a decision, and the next of the same one; −1 where there is none. */
  firstOf(decision: string): number;
  nextOf(number: number): number;
  /** When it was told; NaN where its file does not say. */
  timeOf(number: number): number;
  /** The label, told at `at` unless its file says when. */
  told(number: number, at: number): TrueLabel;
  /** Numbers of all labels with a time, the earliest first; of one time as they came. */
  byTime(): Uint32Array;
}

/** Labels, and characters of the ids of their decisions, that are held at most. */
const MOST = { labels: 2_000_000, characters: 2 ** 28 };

/** More than the place of any sample. */
const SAMPLES = 2 ** 20;

/** Opens an empty table. Memory: about 110 bytes a label with an id of 32 characters (measured with half a million). */
export function openLabelTable(most = MOST): LabelTable {
  const first = new Map<string, number>();
  const decisions: string[] = [];
  const next: number[] = [];
  const samples: number[] = [];
  const labels: number[] = [];
  const times: number[] = [];
  /** Of decisions with several labels: the last one, and the first of each sample, by their first. */
  const lasts = new Map<number, number>();
  const further = new Map<number, number>();
  let [characters, twice, contradicting] = [0, 0, 0];
  /** Puts a label behind the others of its decision, and counts whether its sample has one. */
  const append = (number: number, head: number): void => {
    next[lasts.get(head) ?? head] = number;
    lasts.set(head, number);
    const sample = samples[number]!;
    const key = head * SAMPLES + sample;
    const before = sample === samples[head] ? head : further.get(key);
    if (before === undefined) further.set(key, number);
    else {
      twice++;
      if (labels[before] !== labels[number]) contradicting++;
    }
  };
  return {
    get size() {
      return labels.length;
    },
    get twice() {
      return twice;
    },
    get contradicting() {
      return contradicting;
    },
    add({ decision, sample, label, at = Number.NaN }) {
      const number = labels.length;
      if (number >= most.labels) throw tooMany(`${most.labels} labels`);
      const head = first.get(decision);
      if (head === undefined) characters += decision.length;
      if (characters > most.characters) throw tooMany(`${most.characters} characters of ids`);
      decisions.push(head === undefined ? decision : decisions[head]!);
      next.push(-1);
      samples.push(sample);
      labels.push(label);
      times.push(at);
      if (head === undefined) first.set(decision, number);
      else append(number, head);
    },
    firstOf: (decision) => first.get(decision) ?? -1,
    nextOf: (number) => next[number]!,
    timeOf: (number) => times[number]!,
    told(number, at) {
      const own = times[number]!;
      return {
        ...{ decision: decisions[number]!, sample: samples[number]!, label: labels[number]! },
        at: Number.isNaN(own) ? at : own,
      };
    },
    byTime() {
      const timed: number[] = [];
      for (let i = 0; i < times.length; i++) if (!Number.isNaN(times[i]!)) timed.push(i);
      return Uint32Array.from(timed).sort((a, b) => times[a]! - times[b]! || a - b);
    },
  };
}

function tooMany(expected: string): GlacisError {
  return new GlacisError(
    'data/too-large',
    `expected at most ${expected}, got more; decisions of a shorter time need fewer`,
  );
}
