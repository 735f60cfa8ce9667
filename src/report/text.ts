import type { Assessment } from '../assess/result.ts';
import { findingLines } from './findings-text.ts';
import { count, duration, interval, NORM_NAMES, percent, radius } from './format.ts';
import { generalisationSummary } from './generalisation-section.ts';
import { oneLine, wrap } from './lines.ts';
import { visible } from './markup.ts';
import { halvingSentence } from './nearest-section.ts';
import { reliabilitySummary } from './reliability-section.ts';
import { rightAnswers, verdictOf, worstCases } from './verdict.ts';

/**
 * An assessment for a terminal: the verdict, a table of attacks, the findings, each with the first thing to do. Plain
 * text without colour codes, lines wrapped at `width` columns (the table may be wider); ends with a line feed.
 */
export function renderText(assessment: Assessment, { width = 96 }: { readonly width?: number } = {}): string {
  const { headline, details } = verdictOf(assessment);
  const { name, digest } = assessment.model;
  const lines: string[] = [`${oneLine(name, 60)}  ${oneLine(digest, 19)}`, ''];
  if (assessment.status === 'partial') {
    lines.push(
      ...wrap(`Not finished: ${assessment.statusReason ?? 'stopped before all attacks were done'}`, width),
      '',
    );
  }
  lines.push(...wrap(headline, width), ...wrap(details.join(' '), width), '');
  lines.push(...table(assessment));
  const near = assessment.results.some(({ minimum }) => minimum);
  for (const curve of near ? (assessment.curves ?? []) : [])
    lines.push(...wrap(halvingSentence(curve), width));
  if (assessment.corruption?.meanCorruptionError !== undefined)
    lines.push(
      ...wrap(
        `Common corruptions: mean corruption error ${percent(assessment.corruption.meanCorruptionError)} (clean error ${percent(1 - assessment.corruption.cleanAccuracy)}).`,
        width,
      ),
    );
  if (assessment.reliability) lines.push(...wrap(reliabilitySummary(assessment.reliability), width));
  if (assessment.generalisation) lines.push(...wrap(generalisationSummary(assessment.generalisation), width));
  if (near || assessment.corruption || assessment.reliability || assessment.generalisation) lines.push('');
  lines.push(...findingLines(assessment.findings, width));
  lines.push(
    ...wrap('Robust accuracy is what these attacks left over: a stronger attack may leave less.', width),
  );
  return visible(`${lines.join('\n')}\n`.replaceAll('\u00a0', ' '));
}

const HEAD = [
  'attack',
  'budget',
  'clean',
  'robust',
  '95 % confidence',
  'changed',
  'queries',
  'time',
] as const;

function table(assessment: Assessment): readonly string[] {
  if (assessment.results.length === 0) return [];
  const row = (
    label: string,
    run: Parameters<typeof rightAnswers>[0] & {
      norm: keyof typeof NORM_NAMES;
      eps: number;
      confidence: readonly [number, number];
    },
  ) => [
    label,
    `${NORM_NAMES[run.norm]} ${radius(run.eps)}`,
    percent(run.cleanAccuracy),
    percent(run.robustAccuracy),
    interval(run.confidence),
    count(rightAnswers(run).changed),
  ];
  const rows = [
    ...assessment.results.map((run) => [
      ...row(oneLine(run.attack, 28), run),
      count(run.queries + (run.gradientQueries ?? 0)),
      duration(run.seconds),
    ]),
    ...worstCases(assessment).map((run) => [...row('worst case', run), '', '']),
  ];
  const widths = HEAD.map((title, i) => Math.max(title.length, ...rows.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((w) => '─'.repeat(w)).join('  ');
  const attacks = assessment.results.length;
  return [line(HEAD), rule, ...rows.slice(0, attacks).map(line), rule, ...rows.slice(attacks).map(line), ''];
}
