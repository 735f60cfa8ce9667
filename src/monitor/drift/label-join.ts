import type { Sighting, TrueLabel } from '../sighting.ts';
import { type KeptAnswer, readAnswers, writeAnswers } from './kept-answers.ts';
import { callerOf } from './rows.ts';

/** An answer whose truth is known. */
export interface Judged {
  readonly decision: string;
  readonly caller: string;
  /** When the answer was given, and when its truth was told. */
  readonly at: number;
  readonly told: number;
  readonly label: number;
  readonly score: number;
  readonly isRight: boolean;
}

/** What became of labels. */
export interface LabelCounts {
  /** Samples that were answered; those of them with a label. */
  readonly samples: number;
  readonly labelled: number;
  /** Labels about decisions that are not remembered: too old, of another model, or of none. */
  readonly unknown: number;
  /** Labels that came again, and those of them that said something else; the first one counts. */
  readonly twice: number;
  readonly contradicting: number;
}

/** Puts labels, which come late, twice or never, to the answers that they are about. */
export interface LabelJoin {
  /** Remembers the answers. Gives those whose labels came before them. */
  see(sighting: Sighting): readonly Judged[];
  learn(label: TrueLabel): Judged | undefined;
  readonly counts: LabelCounts;
  /** Milliseconds from answer to label: median and 90 %; undefined without any. */
  delays(): { readonly median: number; readonly most: number } | undefined;
  /** What is remembered, to open it again with; undefined while no label ever came: who has none should not pay for them. Labels that wait for their decision are not in it. */
  keep(): Uint8Array | undefined;
}

/** Places where a decision may lie. */
const WAYS = 4;
/** Labels that wait for their decision. */
const MOST_EARLY = 1024;
const DELAYS = 512;
const NONE: readonly Judged[] = [];

/** Opens one that remembers about the last `most` calls. Memory: about 60 bytes a call, and their ids. Cost: some 100 ns a call, less while no label ever came. */
export function openLabelJoin(most: number, kept?: Uint8Array): LabelJoin {
  const sets = 2 ** Math.max(4, Math.ceil(Math.log2(most / WAYS)));
  const places = sets * WAYS;
  // What is known of the last calls, one after another; where a call lies is found by a hash of its id: pairs of place + 1 and a second hash, four a set.
  const table = new Int32Array(2 * places);
  const at = new Float64Array(places);
  const labels = new Int32Array(places);
  const scores = new Float32Array(places);
  const callers = new Array<string>(places).fill('');
  const ids = new Array<string>(places).fill('');
  /** Of calls with more than one sample. */
  const tops = new Array<Sighting['top']>(places).fill(undefined);
  /** Truths that were told, sample by sample; 0 is none, otherwise label + 1. */
  const truths = new Map<number, Int32Array>();
  const truth = new Int32Array(places);
  const early = new Map<string, TrueLabel[]>();
  const delays = new Float64Array(DELAYS);
  let [seen, samples, labelled, unknown, twice, contradicting] = [0, 0, 0, 0, 0, 0];
  let [set, tag] = [0, 0];
  // Without a label nothing is looked for: places are entered in the table from the first one on.
  let isIndexed = false;
  const hash = (id: string) => {
    let a = 0x811c9dc5;
    let b = 0x9747b28c;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 13);
    }
    set = ((a ^ (a >>> 15)) & (sets - 1)) * 2 * WAYS;
    tag = b | 0;
  };
  /** The place of a decision that is remembered, or −1. Its text counts: two may share hashes by somebody's will. */
  const find = (id: string): number => {
    for (let way = set; way < set + 2 * WAYS; way += 2)
      if (table[way]! > 0 && table[way + 1] === tag && ids[table[way]! - 1] === id) return table[way]! - 1;
    return -1;
  };
  /** Enters a place under the hashes of now, in the way of the call that is oldest: how long ago each came follows from its place. */
  const enter = (place: number) => {
    let [way, age] = [set, -1];
    for (let other = set; other < set + 2 * WAYS && age < places; other += 2) {
      const of = table[other]! - 1;
      const since = of < 0 || of === place ? places : (place - of + places) % places;
      if (since > age) [way, age] = [other, since];
    }
    table[way] = place + 1;
    table[way + 1] = tag;
  };
  const index = () => {
    isIndexed = true;
    for (let i = Math.max(0, seen - places); i < seen; i++) {
      hash(ids[i % places]!);
      if (find(ids[i % places]!) < 0) enter(i % places);
    }
  };
  const judge = (place: number, { decision, sample, label, at: told }: TrueLabel): Judged | undefined => {
    const top = tops[place];
    const said =
      top === undefined
        ? sample === 0
          ? ([labels[place]!, scores[place]!] as const)
          : undefined
        : top[sample];
    if (said === undefined) {
      unknown++;
      return undefined;
    }
    let of: Int32Array = truth;
    if (top !== undefined) {
      of = truths.get(place) ?? new Int32Array(top.length);
      truths.set(place, of);
    }
    const index = top === undefined ? place : sample;
    if (of[index] !== 0) {
      twice++;
      if (of[index] !== label + 1) contradicting++;
      return undefined;
    }
    of[index] = label + 1;
    delays[labelled++ % DELAYS] = Math.max(0, told - at[place]!);
    return {
      ...{ decision, caller: callers[place]!, at: at[place]!, told },
      ...{ label: said[0], score: said[1], isRight: said[0] === label },
    };
  };
  /** Remembers a call; gives its place. */
  const remember = (id: string, time: number, caller: string, top: NonNullable<Sighting['top']>): number => {
    const place = seen++ % places;
    if (isIndexed) enter(place);
    at[place] = time;
    callers[place] = caller;
    ids[place] = id;
    truth[place] = 0;
    if (tops[place] !== undefined) truths.delete(place);
    if (top.length === 1) {
      labels[place] = top[0]![0];
      scores[place] = top[0]![1];
      tops[place] = undefined;
    } else tops[place] = top;
    return place;
  };
  const before = readAnswers(kept);
  if (before !== undefined) {
    isIndexed = true;
    [samples, labelled, unknown, twice, contradicting] = before.counts;
    delays.set(before.delays.slice(0, DELAYS));
    for (const { id, at: time, caller, top, truths: told } of before.answers) {
      hash(id);
      const place = remember(id, time, caller, top);
      if (top.length === 1) truth[place] = told[0]!;
      else if (Array.from(told).some((each) => each !== 0)) truths.set(place, Int32Array.from(told));
    }
  }
  return {
    keep() {
      if (!isIndexed) return undefined;
      const answers = Array.from({ length: Math.min(seen, places) }, (_, i): KeptAnswer => {
        const place = (Math.max(0, seen - places) + i) % places;
        const top = tops[place] ?? [[labels[place]!, scores[place]!] as const];
        const told = tops[place] === undefined ? [truth[place]!] : (truths.get(place) ?? top.map(() => 0));
        return { id: ids[place]!, at: at[place]!, caller: callers[place]!, top, truths: told };
      });
      return writeAnswers({
        counts: [samples, labelled, unknown, twice, contradicting],
        delays: delays.slice(0, Math.min(labelled, DELAYS)),
        answers,
      });
    },
    get counts() {
      return { samples, labelled, unknown, twice, contradicting };
    },
    see(sighting) {
      const { top, id } = sighting;
      if (top === undefined || top.length === 0 || sighting.outcome !== 'answered') return NONE;
      if (isIndexed) {
        hash(id);
        // Nobody's answers are taken twice.
        if (find(id) >= 0) return NONE;
      }
      samples += top.length;
      const place = remember(id, sighting.at, callerOf(sighting), top);
      if (early.size === 0) return NONE;
      const waiting = early.get(id);
      if (waiting === undefined) return NONE;
      early.delete(id);
      unknown -= waiting.length;
      return waiting.flatMap((label) => judge(place, label) ?? []);
    },
    learn(label) {
      const isOne = Number.isInteger(label.label) && label.label >= 0 && label.label < 2 ** 30;
      if (!isOne || !Number.isInteger(label.sample) || label.sample < 0 || !Number.isFinite(label.at)) {
        unknown++;
        return undefined;
      }
      if (!isIndexed) index();
      hash(label.decision);
      const place = find(label.decision);
      if (place >= 0) return judge(place, label);
      unknown++;
      const waiting = early.get(label.decision) ?? [];
      if (waiting.length < 64) waiting.push(label);
      early.set(label.decision, waiting);
      if (early.size > MOST_EARLY) early.delete(early.keys().next().value!);
      return undefined;
    },
    delays() {
      const known = Math.min(labelled, DELAYS);
      if (known === 0) return undefined;
      const sorted = delays.slice(0, known).sort();
      return { median: sorted[known >> 1]!, most: sorted[Math.min(known - 1, Math.floor(0.9 * known))]! };
    },
  };
}
