import type { ReliabilityFacts } from '../facts.ts';
import type { Check } from '../reliability.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { isMany, NO_GRADIENTS, samples } from '../wording.ts';

const ABOUT = {
  id: 'blurred-gradient',
  title: 'The gradient does as well as its mean over points nearby',
  masking: true,
} as const;

/**
 * Ripples, and stairs that are all but steps, lead a gradient astray that is right on the smallest scale, and leave its mean over the ball in
 * peace: where an ascent along the mean changes more of what stood than one along the gradient, something hides. So it does where an ascent
 * along the gradient of gentler functions does (a sigmoid eight times as wide): of a network that is made of sigmoids that gradient is merely wrong.
 * Samples that only the plain ascent changed are counted off, because chance gives as many of either kind.
 */
export function blurredGradient({ paths, gentle = [] }: ReliabilityFacts): Check {
  if (!paths) return { ...ABOUT, verdict: 'unknown', evidence: NO_GRADIENTS };
  const gains = paths.flatMap(({ gain }) => gain ?? []);
  if (gains.length + gentle.length === 0)
    return {
      ...ABOUT,
      verdict: 'unknown',
      evidence: 'No sample stood whose gradient could be compared.',
    };
  const ways = [
    { gains, along: 'gradients averaged over points nearby' },
    { gains: gentle, along: 'gradients of functions taken eight times as wide' },
  ].filter((way) => way.gains.length > 0);
  const evidence = ways.map(wordsOn).join(' ');
  const isSuspicious = ways.some((way) => isMany(sumOf(way.gains), paths.length, THRESHOLDS.gained));
  if (!isSuspicious) return { ...ABOUT, verdict: 'good', evidence };
  return {
    ...ABOUT,
    verdict: 'suspicious',
    evidence,
    remedy:
      'Average the gradient over points nearby (vmi-fgsm, nes), attack without gradients, and attack the model with a smoother layer in place of the one that is steep.',
  };
}

interface Way {
  readonly gains: readonly number[];
  readonly along: string;
}

function wordsOn({ gains, along }: Way): string {
  const gained = sumOf(gains);
  const change = gained > 0 ? `${gained} more than` : gained < 0 ? `${-gained} fewer than` : 'as many as';
  return `Of ${samples(gains.length)} that stood, an ascent along ${along} changed ${change} one along the gradient itself.`;
}

const sumOf = (gains: readonly number[]): number => gains.reduce((sum, gain) => sum + gain, 0);
