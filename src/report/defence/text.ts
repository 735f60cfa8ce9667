import type { DefenceEvaluation, DetectorResult, TemperatureResult } from '../../assess/defence/result.ts';
import { count, interval, NORM_NAMES, percent, radius } from '../format.ts';
import { oneLine, wrap } from '../lines.ts';
import { visible } from '../markup.ts';
import { ATTACKER_NAMES, defenceVerdict, points } from './words.ts';

/**
 * An evaluation of a defence for a terminal: the verdict, a line for each attacker, the detector, the temperature. Ends with a line feed.
 */
export function renderDefenceText(
  evaluation: DefenceEvaluation,
  { width = 96 }: { readonly width?: number } = {},
): string {
  const { undefended, defended, defences, norm, eps, data, randomised, detector, temperature } = evaluation;
  const lines = [
    `${oneLine(defended.name, 60)}  ${oneLine(defended.digest, 19)}  from ${oneLine(undefended.name, 60)}`,
    ...(defences ? wrap(`Defences: ${oneLine(defences, 400)}`, width) : []),
    '',
    ...wrap(defenceVerdict(evaluation), width),
    '',
    ...table(evaluation),
    ...wrap(
      `${count(data.n)} samples, ${NORM_NAMES[norm]} ${radius(eps)}. Every row attacks both models, each with examples made for it, but for those who do not know of the defence.`,
      width,
    ),
    ...(randomised
      ? wrap(
          'The defended model answers at random: each verdict is one answer, and the best of several attackers has several tries.',
          width,
        )
      : []),
    ...(detector ? detectorLines(detector, width) : []),
    ...(temperature ? temperatureLines(temperature, width) : []),
  ];
  return visible(`${lines.join('\n')}\n`.replaceAll('\u00a0', ' '));
}

function table({ rows }: DefenceEvaluation): readonly string[] {
  return aligned(
    ['attacker', 'undefended', 'defended', '95 % confidence', 'difference', 'p'],
    rows.map(({ attacker, undefended, defended, difference, p }) => [
      ATTACKER_NAMES[attacker],
      percent(undefended.accuracy),
      percent(defended.accuracy),
      interval(defended.confidence),
      points(difference),
      p < 0.001 ? '<0.001' : p.toFixed(3),
    ]),
  );
}

function detectorLines(
  { squeezers, threshold, falsePositiveRate, samples, passed, rows }: DetectorResult,
  width: number,
) {
  return [
    '',
    ...wrap(
      `Detector: ${oneLine(squeezers.join(', '), 200)}; threshold ${Number(threshold.toPrecision(4))}, chosen to reject ${percent(falsePositiveRate)} of ${count(samples)} clean samples. It rejects ${percent(1 - passed.accuracy)} of others.`,
      width,
    ),
    ...aligned(
      ['attacker', 'fooled', 'of them rejected', 'fooled and let through'],
      rows.map(({ attacker, n, fooled, rejected }) => [
        ATTACKER_NAMES[attacker],
        `${count(fooled)} of ${count(n)}`,
        fooled === 0 ? '–' : percent(rejected / fooled),
        n === 0 ? '–' : percent((fooled - rejected) / n),
      ]),
    ),
  ];
}

function temperatureLines(
  { temperature, atLimit, samples, before, after }: TemperatureResult,
  width: number,
) {
  const shown = (value: number) => value.toFixed(4);
  return [
    '',
    ...wrap(
      atLimit
        ? `Temperature: left at 1, because the ${count(samples)} samples set no limit to it; fit it on more. On ${count(before.n)} others:`
        : `Temperature: ${Number(temperature.toPrecision(4))}, fitted on ${count(samples)} samples. On ${count(before.n)} others:`,
      width,
    ),
    ...aligned(
      ['', 'calibration error', 'of equal mass', 'log-loss', 'Brier', 'confidence', 'accuracy'],
      [['before', before] as const, ['after', after] as const].map(([title, c]) => [
        title,
        shown(c.ece),
        shown(c.eceEqualMass),
        shown(c.nll),
        shown(c.brier),
        percent(c.confidence),
        percent(c.accuracy),
      ]),
    ),
  ];
}

/** A table under its head, the first column to the left. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((w) => '─'.repeat(w)).join('  '), ...rows.map(line)];
}
