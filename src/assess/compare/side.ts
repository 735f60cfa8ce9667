import { dirname, relative, resolve } from 'node:path';
import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { openFile } from '../../data/byte-source.ts';
import { decidedPrefix } from '../record.ts';
import type { Assessment, EvasionResult } from '../result.ts';
import { parseAssessment } from '../result-json.ts';
import { type Outcomes, readOutcomes } from './read-outcomes.ts';

/** Bytes of a result file: far more than an assessment writes. */
const MOST_BYTES = 2 ** 28;
/** Samples times results of one assessment, so that a made-up file cannot fill the memory. */
const MOST_OUTCOMES = 2 ** 27;
/** Accuracies are fractions of n; what differs by more is another number. */
const ROUNDING = 1e-9;

/** One attack at one budget, sample by sample. */
export interface Run {
  readonly result: EvasionResult;
  /** 1 where the model is right before and under the attack; of length `result.n`. */
  readonly robust: Uint8Array;
}

/** One of the assessments to compare, with what happened to every sample. */
export interface Side {
  readonly file: string;
  readonly assessment: Assessment;
  /** Number of each sample in the data. */
  readonly index: Int32Array;
  /** Labels: class numbers or targets, one or several a sample. */
  readonly labels: Int32Array | Float32Array;
  /** 1 where the model is right without an attack. */
  readonly cleanCorrect: Uint8Array;
  /** One entry a result, in their order. */
  readonly runs: readonly Run[];
}

/** How to read a side. */
export interface SideOptions {
  /** Folder below which the per-sample files must lie; the result's own without. */
  readonly root?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads an assessment and the per-sample files that it names, and holds them against each other: a file that gives other
 * figures than its result belongs to another run. Everything read is attacker-controlled.
 *
 * Errors: `data/unreadable`, `result/invalid`, `data/too-large`, `data/mismatch` (nothing to compare), `run/cancelled`.
 */
export async function openSide(file: string, options: SideOptions = {}): Promise<Side> {
  const assessment = parseAssessment(await textOf(file), file);
  const { n } = assessment.data;
  const results = assessment.results.filter(({ suite }) => suite === 'evasion');
  if (results.length === 0)
    throw new GlacisError('data/mismatch', `${file}: expected results of attacks to compare, got none`);
  if (results.length * n > MOST_OUTCOMES)
    throw new GlacisError(
      'data/too-large',
      `${file}: expected at most ${MOST_OUTCOMES} outcomes, got ${results.length} results of ${n} samples`,
    );
  const robust = new Map<EvasionResult, Uint8Array>();
  let first: Outcomes | undefined;
  // One file at a time: an attack on the nearest example gives several results with one file.
  for (const [perSample, sharing] of Map.groupBy(results, (each) => each.perSample)) {
    throwIfCancelled(options.signal, 'compare');
    const outcomes = await read(file, perSample, n, options);
    first ??= outcomes;
    if (!sameSamples(first, outcomes))
      throw new GlacisError(
        'result/invalid',
        `${file}: expected the same samples and clean answers in every per-sample file, got others in ${shown(perSample)}`,
      );
    for (const result of sharing) robust.set(result, robustOf(result, outcomes, file));
  }
  const { index, labels, cleanCorrect } = first!;
  const runs = results.map((result) => ({ result, robust: robust.get(result)! }));
  return { file, assessment, index, labels, cleanCorrect, runs };
}

async function textOf(file: string): Promise<string> {
  const source = await openFile(file);
  try {
    if (source.size > MOST_BYTES)
      throw new GlacisError(
        'data/too-large',
        `${file}: expected at most ${MOST_BYTES} bytes of JSON, got ${source.size}`,
      );
    return new TextDecoder().decode(await source.read(0, source.size));
  } finally {
    await source.close();
  }
}

function read(file: string, perSample: string, n: number, { root, signal }: SideOptions): Promise<Outcomes> {
  const own = dirname(resolve(file));
  if (root === undefined) return readOutcomes(own, perSample, n, file, signal);
  // With a root of the user's own, a name may lead out of the result's folder, but not out of the root.
  const location = relative(resolve(root), resolve(own, perSample)).replaceAll('\\', '/');
  return readOutcomes(resolve(root), location, n, file, signal);
}

function sameSamples(a: Outcomes, b: Outcomes): boolean {
  return (
    sameValues(a.index, b.index) &&
    sameValues(a.labels, b.labels) &&
    sameValues(a.cleanCorrect, b.cleanCorrect)
  );
}

/** Whether two arrays hold the same numbers. */
export function sameValues(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Who is right under the attack, if the file says what the result says. */
function robustOf(result: EvasionResult, outcomes: Outcomes, file: string): Uint8Array {
  const { n } = result;
  const { cleanCorrect, success } = outcomes;
  const fell = result.minimum === undefined ? success : fellWithin(result, outcomes);
  const robust = cleanCorrect.slice(0, n).map((right, i) => (right && !fell[i] ? 1 : 0));
  const share = (flags: Uint8Array) => flags.subarray(0, n).reduce((sum, flag) => sum + flag, 0) / n;
  const differing =
    decidedPrefix(outcomes) !== n
      ? `n ${decidedPrefix(outcomes)}`
      : Math.abs(share(cleanCorrect) - result.cleanAccuracy) > ROUNDING
        ? `clean accuracy ${share(cleanCorrect)}`
        : Math.abs(share(robust) - result.robustAccuracy) > ROUNDING
          ? `robust accuracy ${share(robust)}`
          : undefined;
  if (differing !== undefined)
    throw new GlacisError(
      'result/invalid',
      `${file}: ${shown(result.perSample)}: expected the outcomes of ${result.attack} with n ${n}, clean accuracy ${result.cleanAccuracy}, robust accuracy ${result.robustAccuracy}, got ${differing}; was the file written by another run?`,
    );
  return robust;
}

/**
 * Who fell within eps to an attack that looks for the nearest example. The runner's slack for rounding depends on the
 * input's range, which a result does not hold; so those nearest are taken, as many as the result counted, if they are near
 * enough.
 */
function fellWithin(
  { n, eps, cleanAccuracy, robustAccuracy }: EvasionResult,
  outcomes: Outcomes,
): Uint8Array {
  const { cleanCorrect, success, distance } = outcomes;
  const candidates = Array.from({ length: n }, (_, i) => i)
    .filter((i) => cleanCorrect[i] && success[i] && distance[i]! <= eps * 1.01 + 1e-6)
    .sort((a, b) => distance[a]! - distance[b]!);
  const fell = new Uint8Array(success.length);
  for (const i of candidates.slice(0, Math.round((cleanAccuracy - robustAccuracy) * n))) fell[i] = 1;
  for (const i of candidates) if (distance[i]! <= eps) fell[i] = 1;
  return fell;
}

function shown(perSample: string): string {
  return JSON.stringify(perSample.slice(0, 120).toWellFormed());
}
