import { GlacisError } from '../../core/error.ts';
import type { GuardedInput } from '../guard.ts';
import type { Scores } from '../output-guard.ts';
import { Refused } from '../refusal.ts';
import { keyedHash } from '../respond/keyed-hash.ts';
import { likeliest } from '../respond/likeliest.ts';
import { asProbabilities } from '../respond/probabilities.ts';
import { sampleDigests } from '../respond/sample-digests.ts';
import type { ModelAnswer, ServedModel } from '../served-model.ts';
import type { Verified, Verifier } from '../stages.ts';
import type { VerifyConfig } from './config-schema.ts';
import { divergences } from './divergence.ts';
import type { NewReview, ReviewQueue, ReviewSample } from './reviews.ts';
import { inputFor, scoresFrom, suited } from './second-model.ts';

/** Samples that a review shows. */
const MOST_SHOWN = 16;
const DRAWN = 2 ** 48;

/** What {@link openVerifier} needs beside its configuration. */
export interface VerifierSurroundings {
  readonly first: ServedModel;
  readonly second: ServedModel;
  /** At least 32 random bytes that outlive a restart. */
  readonly secret: Uint8Array;
  /** Needed for the action `hold`. */
  readonly reviews?: ReviewQueue | undefined;
  /** Is told when the second model does not answer, where that does not end the call. */
  readonly failed: (where: string, thrown: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * A second model that looks at decisions of the first: all, or a share drawn by HMAC of the decision's id, which a caller neither
 * chooses nor can predict. Where their answers are farther apart than the threshold, the policy flags, holds or refuses. A held
 * call waits in the queue; when a person has released it, the same principal gets the answer by asking again (same model, same
 * inputs), and nothing but that. Whatever keeps the check from being made (the second model down or late, scores that are none,
 * the queue full, the store gone) refuses, unless the policy says `down: pass`, which speaks for the second model alone.
 *
 * `check` throws `Refused`: `held`, `unacceptable`, `unavailable`. Errors: `option/invalid` where the two models do not suit each
 * other, or without a queue for `hold`.
 */
export function openVerifier(config: VerifyConfig, surroundings: VerifierSurroundings): Verifier {
  const { first, second, secret, reviews, failed, now } = surroundings;
  const { measure, threshold, action } = config;
  const [one, two] = suited(first, second);
  if (action === 'hold' && reviews === undefined)
    throw new GlacisError('option/invalid', 'verify: expected a store for the action hold, got none');
  const down = config.down ?? (action === 'flag' ? 'pass' : 'refuse');
  const draw = keyedHash(secret, 'glacis verify sample v1');
  const subjects = keyedHash(secret, 'glacis verify subject v1');
  const below = Math.round(config.share * DRAWN);
  const isDrawn = (decision: string) =>
    below >= DRAWN || (below > 0 && draw(Buffer.from(decision)).readUIntBE(0, 6) < below);

  const secondOpinion = async (call: GuardedInput, decision: string): Promise<Scores | undefined> => {
    try {
      const timeout = AbortSignal.timeout(config.timeout);
      const deadline = performance.now() + config.timeout;
      const asked = second.run([inputFor(call, second, two)], {
        n: call.n,
        signal: timeout,
        deadline,
        features: false,
        by: { principal: call.principal.id, decision },
      });
      const { outputs } = await Promise.race([asked, rejectedBy(timeout)]);
      return scoresFrom(outputs, two, call.n);
    } catch (thrown) {
      if (down === 'refuse')
        throw new Refused('unavailable', `the verifying model ${second.name} did not answer`, {
          cause: thrown,
        });
      failed('verify', thrown);
      return undefined;
    }
  };

  const begun = new WeakMap<GuardedInput, Promise<Scores | undefined>>();
  const check = async (
    call: GuardedInput,
    answer: ModelAnswer,
    decision: string,
  ): Promise<Verified | undefined> => {
    const given = scoresFrom(answer.outputs, one, call.n);
    const opinion = await (begun.get(call) ?? secondOpinion(call, decision));
    if (opinion === undefined) return undefined;
    const each = divergences(measure, given, opinion);
    const divergence = each.reduce((most, value) => Math.max(most, value), 0);
    if (divergence <= threshold) return { divergence, action: 'pass' };
    if (action === 'flag') return { divergence, action };
    const because = `${second.name} diverges: ${measure} ${divergence.toFixed(4)} above ${threshold}`;
    if (action === 'refuse') throw new Refused('unacceptable', because, { divergence });
    const subject = subjectOf(call, subjects);
    const review: NewReview = {
      id: decision,
      at: now(),
      principal: call.principal.id,
      tenant: call.principal.tenant,
      model: first.name,
      version: first.version,
      digest: first.digest,
      divergence,
      samples: shown(each, given, opinion),
      n: call.n,
      subject,
    };
    const outcome = await ask(() => reviews!.outcome(subject));
    if (outcome === 'released') return { divergence, action: 'pass' };
    if (outcome === 'refused')
      throw new Refused('unacceptable', `${because}; a person refused it`, { divergence });
    if ((await ask(() => reviews!.add(review))) === 'full')
      throw new Refused('unavailable', `${because}; the review queue is full`, { divergence });
    throw new Refused('held', because, { divergence });
  };

  return {
    begin(call, decision) {
      if (!isDrawn(decision)) return;
      const opinion = secondOpinion(call, decision);
      // Heard by `check`; where the first model fails there is none.
      opinion.catch(() => {});
      begun.set(call, opinion);
    },
    check: (call, answer, decision) => (isDrawn(decision) ? check(call, answer, decision) : undefined),
  };
}

/** The queue's word; nothing of it fails open. */
async function ask<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw new Refused('unavailable', 'the review queue did not answer', { cause: thrown });
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      'abort',
      () => reject(new GlacisError('endpoint/unavailable', 'verify: no answer in time')),
      {
        once: true,
      },
    );
  });
}

/** Stands for who asked which model what. */
function subjectOf(
  { principal, model, floats, n }: GuardedInput,
  keyed: (message: Uint8Array) => Buffer,
): string {
  const digests = sampleDigests(floats()!, n);
  const about = Buffer.from(JSON.stringify([principal.id, model.name, model.version, model.digest, n]));
  return keyed(Buffer.concat([about, ...digests])).toString('hex', 0, 16);
}

/** What both said of the samples that are farthest apart. */
function shown(each: Float64Array, first: Scores, second: Scores): readonly ReviewSample[] {
  const { classes } = first;
  const top = ({ values }: Scores, row: number) => {
    const label = likeliest(values, row * classes, classes);
    return [label, Number(values[row * classes + label]!.toFixed(4))] as const;
  };
  const [a, b] = [asProbabilities(first), asProbabilities(second)];
  return [...each.keys()]
    .sort((i, j) => each[j]! - each[i]! || i - j)
    .slice(0, MOST_SHOWN)
    .map((index) => ({ index, divergence: each[index]!, first: top(a, index), second: top(b, index) }));
}
