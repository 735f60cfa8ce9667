import type { CorruptionFamily } from '../../threat/corruption/corruption.ts';
import { CORRUPTIONS } from '../../threat/corruption/registry.ts';
import type { Finding, Severity } from '../result.ts';
import type { CorruptionErrors, CorruptionResult } from './result.ts';

/** No attacker has a hand in it, so no entry of the taxonomies of attacks fits. */
const NONE = { atlas: [], owasp: [], nist: [] } as const;
/** Fewer samples say too little. */
const FEWEST = 20;
/** A mild corruption or noise of this share of the right answers is worth a finding. */
const COLLAPSE = 0.5;
const NOISE_LOSS = 0.05;
/** What is still mild: severities, and uniform noise as a share of the range. */
const MILD = 2;
const MILD_NOISE = 8 / 255;

/** What to do against a family of corruptions. */
const REMEDY: Readonly<Record<CorruptionFamily, string>> = {
  noise: 'train with noise of varying strength on the inputs, and reduce noise before the model sees them',
  blur: 'train on blurred and rescaled pictures, and refuse blurred ones where the picture is taken',
  weather: 'train with changes of light and partial cover, and test in the conditions of use',
  digital:
    'train on pictures that went through the scaling and compression of your pipeline, and normalise contrast before the model',
};

/** What a reader should act on in a result: the loss as a whole, collapses under mild corruptions, and plain noise. */
export function corruptionFindings(result: CorruptionResult, rangeWidth = 1): readonly Finding[] {
  if (result.n < FEWEST || result.cleanAccuracy === 0) return [];
  return [...losses(result), ...collapses(result), ...noises(result, rangeWidth)];
}

/** Share of the right answers that an error rate takes. */
function lost({ cleanAccuracy }: CorruptionResult, error: number): number {
  return (cleanAccuracy - (1 - error)) / cleanAccuracy;
}

function losses(result: CorruptionResult): readonly Finding[] {
  const { meanCorruptionError, confidence, cleanAccuracy, corruptions, n } = result;
  if (meanCorruptionError === undefined || confidence === undefined) return [];
  const share = lost(result, meanCorruptionError);
  const severity: Severity | undefined =
    share >= 0.5 ? 'high' : share >= 0.25 ? 'medium' : share >= 0.1 ? 'low' : undefined;
  if (!severity) return [];
  const worst = corruptions.reduce((a, b) => (b.meanError > a.meanError ? b : a));
  return [
    {
      id: 'evasion/low-corruption-robustness',
      title: `Common corruptions take ${percent(share)} of the right answers`,
      severity,
      taxonomy: NONE,
      evidence: `Mean corruption error ${percent(meanCorruptionError)} (95 % confidence ${percent(confidence[0])} to ${percent(confidence[1])}) over ${corruptions.length} corruptions at severities ${result.severities.join(', ')} on ${n} samples; clean error ${percent(1 - cleanAccuracy)}. Worst: ${said(worst)}.`,
      remedy: `No attacker is needed for this. Against ${worst.corruption} above all: ${REMEDY[familyOf(worst)]}. Keep some corruptions out of the training, so that the next figure still says something about the unforeseen.`,
    },
  ];
}

function collapses(result: CorruptionResult): readonly Finding[] {
  const { corruptions, severities } = result;
  const at = severities.findLastIndex((severity) => severity <= MILD);
  const fallen = corruptions.filter((each) => at >= 0 && lost(result, each.errors[at]!) >= COLLAPSE);
  if (fallen.length === 0) return [];
  const families = [...new Set(fallen.map(familyOf))];
  return [
    {
      id: 'evasion/corruption-collapse',
      title: `${fallen.map((each) => each.corruption).join(', ')}: a mild one takes half of the right answers`,
      severity: 'medium',
      taxonomy: NONE,
      evidence: `At severity ${severities[at]} of 5: ${fallen.map((each) => `${each.corruption} ${percent(each.errors[at]!)} wrong`).join('; ')}; clean ${percent(1 - result.cleanAccuracy)} wrong.`,
      remedy: `${capital(families.map((family) => REMEDY[family]).join('; '))}.`,
    },
  ];
}

function noises(result: CorruptionResult, rangeWidth: number): readonly Finding[] {
  const mild = result.noises.filter(
    ({ noise, amount }) => noise === 'uniform' && amount <= MILD_NOISE * rangeWidth * (1 + 1e-6),
  );
  const [first] = mild
    .filter(({ error }) => lost(result, error) >= NOISE_LOSS)
    .sort((a, b) => a.amount - b.amount);
  if (!first) return [];
  return [
    {
      id: 'evasion/fragile-to-noise',
      title: 'Random noise that one hardly sees changes answers',
      severity: 'medium',
      taxonomy: NONE,
      evidence: `Uniform noise of at most ${Number(first.amount.toPrecision(3))} (Linf): ${percent(first.error)} of ${result.n} samples wrong, ${percent(1 - result.cleanAccuracy)} without. Nobody chose this noise; an attacker would choose worse.`,
      remedy: `${capital(REMEDY.noise)}. Robust accuracy at this eps cannot be higher than accuracy under noise.`,
    },
  ];
}

/** A corruption's errors in words. */
function said({ corruption, errors, meanError }: CorruptionErrors): string {
  return `${corruption} (${percent(meanError)} wrong on average, ${percent(errors.at(-1)!)} at the highest severity)`;
}

function familyOf({ corruption }: CorruptionErrors): CorruptionFamily {
  return CORRUPTIONS.find(({ id }) => id === corruption)?.family ?? 'digital';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
