import { stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { Sighting } from '../sighting.ts';

/** An answer that waits for its truth, as a snapshot holds it. */
export interface KeptAnswer {
  readonly id: string;
  readonly at: number;
  readonly caller: string;
  readonly top: NonNullable<Sighting['top']>;
  /** Truths that were told of each sample: 0 for none, otherwise label + 1. */
  readonly truths: ArrayLike<number>;
}

/** All that is kept of answers and their labels. */
export interface KeptAnswers {
  readonly counts: readonly [
    samples: number,
    labelled: number,
    unknown: number,
    twice: number,
    contradicting: number,
  ];
  readonly delays: Float64Array;
  /** The oldest first. */
  readonly answers: readonly KeptAnswer[];
}

const KIND = 'answers/1';

/** Samples of one answer, at most. */
const MOST = 64;

/** As bytes: about 30 bytes an answer, and its id. */
export function writeAnswers({ counts, delays, answers }: KeptAnswers): Uint8Array {
  const names = new Map<string, number>();
  const who = Int32Array.from(answers, ({ caller }) => {
    const known = names.get(caller) ?? names.size;
    names.set(caller, known);
    return known;
  });
  const flat = answers.flatMap(({ top, truths }) =>
    top.slice(0, MOST).map(([label, score], i) => [label, score, truths[i] ?? 0] as const),
  );
  const ids = answers.map(({ id }) => Buffer.from(id, 'utf8'));
  return stateToBytes({
    kind: KIND,
    plain: { counts, names: [...names.keys()] },
    arrays: {
      delays,
      ids: Buffer.concat(ids),
      lengths: Int32Array.from(ids, ({ length }) => length),
      at: Float64Array.from(answers, ({ at }) => at),
      who,
      sizes: Int32Array.from(answers, ({ top }) => Math.min(MOST, top.length)),
      labels: Int32Array.from(flat, ([label]) => label),
      scores: Float32Array.from(flat, ([, score]) => score),
      truths: Int32Array.from(flat, ([, , truth]) => truth),
    },
  });
}

/** Reads them; undefined for what {@link writeAnswers} did not write. */
export function readAnswers(bytes: Uint8Array | undefined): KeptAnswers | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  let state: ReturnType<typeof stateFromBytes>;
  try {
    state = stateFromBytes(KIND, bytes);
  } catch {
    return undefined;
  }
  const { counts, names } = (state.plain ?? {}) as { readonly counts?: unknown; readonly names?: unknown };
  const { delays, ids, lengths, at, who, sizes, labels, scores, truths } = state.arrays;
  if (
    !(
      Array.isArray(counts) &&
      counts.length === 5 &&
      counts.every((each) => Number.isSafeInteger(each) && each >= 0)
    ) ||
    !(Array.isArray(names) && names.every((each) => typeof each === 'string')) ||
    !(delays instanceof Float64Array && ids instanceof Uint8Array && lengths instanceof Int32Array) ||
    !(at instanceof Float64Array && who instanceof Int32Array && sizes instanceof Int32Array) ||
    !(labels instanceof Int32Array && scores instanceof Float32Array && truths instanceof Int32Array)
  )
    return undefined;
  const n = at.length;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const fits =
    [lengths, who, sizes].every(({ length }) => length === n) &&
    [labels, scores, truths].every(({ length }) => length === total) &&
    sizes.every((size) => size >= 1 && size <= MOST) &&
    who.every((each) => each >= 0 && each < names.length) &&
    lengths.every((length) => length >= 0) &&
    lengths.reduce((sum, length) => sum + length, 0) === ids.length;
  if (!fits) return undefined;
  let [from, sample] = [0, 0];
  const all = Buffer.from(ids.buffer, ids.byteOffset, ids.length);
  const answers = Array.from(at, (time, i): KeptAnswer => {
    const [id, first] = [all.toString('utf8', from, from + lengths[i]!), sample];
    from += lengths[i]!;
    sample += sizes[i]!;
    return {
      ...{ id, at: time, caller: names[who[i]!] as string },
      top: Array.from({ length: sizes[i]! }, (_, k) => [labels[first + k]!, scores[first + k]!] as const),
      truths: truths.slice(first, sample),
    };
  });
  return { counts: counts as unknown as KeptAnswers['counts'], delays, answers };
}
