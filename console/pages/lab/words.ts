import type { LabAttackInfo, LabRun } from '../../../src/gateway/console/api.ts';
import { className, count, percent } from '../../parts/format.ts';

/** What an attacker must have, from the most to nothing: a heading, and what it means in the world. */
export const KNOWLEDGE: Readonly<
  Record<
    LabAttackInfo['needs'],
    { readonly title: string; readonly short: string; readonly means: string; readonly against: string }
  >
> = {
  gradient: {
    title: 'The attacker has the model',
    short: 'Has the model',
    means:
      'Whoever has the file can work out which way each value must move. The file may have leaked, come from a public source, or been copied by asking long enough.',
    against:
      'Train against attacks (glacis harden): it makes every one of these attacks need more. Watch for copying, because a copy is as good as the file.',
  },
  scores: {
    title: 'The attacker asks and sees scores',
    short: 'Sees scores',
    means:
      'No file, only questions: each answer says how sure the model is, and that shows whether a try was a step in the right direction.',
    against:
      'Round the scores or tell the class alone, set a budget of queries, and let the guards look for many similar questions. This is what the gateway does.',
  },
  labels: {
    title: 'The attacker asks and sees only the answer',
    short: 'Sees the answer',
    means:
      'The least that a service can tell. It takes thousands of questions that look much alike, creeping along the edge between two answers.',
    against:
      'Thousands of look-alike questions are loud: the guards for similar queries and the monitors for boundary walking catch them, and a budget ends them.',
  },
  nothing: {
    title: 'Nobody knows anything',
    short: 'Chance alone',
    means:
      'Random noise of the same size. If this does little and an attack does much, it is not the amount of change that matters but its direction.',
    against: 'Nothing is needed: this is what the attacks are held against.',
  },
};

/** A norm as a person says it. */
export const NORM_WORDS: Readonly<Record<string, { readonly title: string; readonly about: string }>> = {
  linf: { title: 'Every value a little', about: 'No value may move by more than eps (L∞).' },
  l2: { title: 'All together', about: 'The length of the whole change is at most eps (L2).' },
  l1: { title: 'In sum', about: 'The sum of all changes is at most eps (L1).' },
  l0: { title: 'A few values', about: 'At most eps values change, by as much as they like (L0).' },
};

/** Sensible ends of a slider for eps, where inputs lie in a range of this width. */
export function epsRange(
  norm: string,
  width: number,
  size: number,
): { least: number; most: number; step: number; usual: number } {
  if (norm === 'l0') {
    const most = Math.max(3, Math.min(60, Math.round(size / 20)));
    return { least: 0, most, step: 1, usual: Math.min(9, most) };
  }
  const scale = norm === 'linf' ? 64 / 255 : norm === 'l2' ? 6 : 80;
  const unit = norm === 'linf' ? 1 / 255 : norm === 'l2' ? 0.05 : 0.5;
  return {
    least: 0,
    most: scale * width,
    step: unit * width,
    usual: (norm === 'linf' ? 8 / 255 : norm === 'l2' ? 1.5 : 20) * width,
  };
}

/** Eps as people write it. */
export function epsWords(norm: string, eps: number, width: number): string {
  if (norm === 'l0') return `${count(eps)} ${eps === 1 ? 'value' : 'values'}`;
  if (norm !== 'linf') return String(Number(eps.toPrecision(3)));
  const levels = Math.round((eps / width) * 255);
  return `${levels}/255 of the range`;
}

/** Index of the greatest score. */
export function winner(scores: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** What came of a trial, in a sentence or two. */
export function verdictOf(
  { steps, clean, fell, within, label, queries, gradients }: LabRun,
  needs: LabAttackInfo['needs'],
  names: readonly string[] | undefined,
): { readonly chip: string; readonly tone: 'held' | 'changed' | 'warn'; readonly text: string } {
  const before = winner(clean);
  const said = steps.at(-1)?.scores ?? clean;
  const after = winner(said);
  const cost = costOf({ queries, gradients }, needs);
  if (before !== label)
    return {
      chip: 'Wrong from the start',
      tone: 'warn',
      text: `The model takes it for ${className(names, before)} as it is. There is nothing to attack; choose another input.`,
    };
  if (!fell)
    return {
      chip: 'It held',
      tone: 'held',
      text: `Still ${className(names, after)}, at ${percent(said[after] ?? 0)}. ${cost}`,
    };
  const now = after === label ? 'something else by a hair' : className(names, after);
  const far = within
    ? ''
    : ' The nearest example that it found lies beyond your eps: within eps the model held against this attack.';
  return {
    chip: within ? 'The decision flipped' : 'It flips further out',
    tone: within ? 'changed' : 'warn',
    text: `${className(names, label)} (${percent(clean[label] ?? 0)}) became ${now} (${percent(said[after] ?? 0)}). ${cost}${far}`,
  };
}

function costOf(
  { queries, gradients }: Pick<LabRun, 'queries' | 'gradients'>,
  needs: LabAttackInfo['needs'],
): string {
  if (needs === 'gradient')
    return `It took ${count(gradients)} ${gradients === 1 ? 'look' : 'looks'} at the model’s gradient.`;
  return `It took ${count(queries)} questions.`;
}
