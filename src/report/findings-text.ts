import { type Finding, SEVERITIES } from '../assess/result.ts';
import { wrap } from './lines.ts';

/** Findings named one by one; the rest is counted. */
const SHOWN = 5;

/** The gravest findings as lines of at most `width` columns, each with the first thing to do; none without findings. */
export function findingLines(findings: readonly Finding[], width: number): readonly string[] {
  if (findings.length === 0) return [];
  const sorted = [...findings].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
  const lines = sorted
    .slice(0, SHOWN)
    .flatMap(({ severity, title, remedy }) => [
      ...wrap(`${severity.padEnd(8)}  ${title}`, width, '          '),
      ...(remedy === '' ? [] : wrap(`          → ${remedy}`, width, '            ')),
    ]);
  if (sorted.length > SHOWN) lines.push(`          and ${sorted.length - SHOWN} more in the report`);
  return ['Findings', ...lines, ''];
}
