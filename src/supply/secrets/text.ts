import type { SupplyFinding } from '../finding/finding.ts';
import type { SecretsResult } from './find-secrets.ts';

/** How many findings the text shows; JSON and SARIF hold all. */
const SHOWN = 200;

/** The result for a reader: findings by file, then what could not be looked at, then a summary. Holds names from files as they are. */
export function secretsText({
  findings,
  unread,
  partly,
  files,
  bytes,
  allowed,
  known,
}: SecretsResult): string {
  const lines: string[] = [];
  const byPath = Map.groupBy(findings.slice(0, SHOWN), ({ where }) => where.path);
  for (const [path, here] of byPath) lines.push(path, ...rows(here), '');
  if (findings.length > SHOWN) lines.push(`… and ${findings.length - SHOWN} more; --json FILE has all`, '');
  for (const { path, reason } of unread) lines.push(`not read: ${path}: ${reason}`);
  for (const { path, reason } of partly) lines.push(`in part: ${path}: ${reason}`);
  if (unread.length + partly.length > 0) lines.push('');
  const asides = [
    ...(known > 0 ? [`${known} in the baseline`] : []),
    ...(allowed > 0 ? [`${allowed} allowed by a comment`] : []),
    ...(unread.length > 0 ? [`${unread.length} not read`] : []),
  ];
  const found =
    findings.length === 0
      ? 'No secrets found'
      : `${findings.length} ${findings.length === 1 ? 'secret' : 'secrets'}`;
  lines.push(
    `${found} in ${files} ${files === 1 ? 'file' : 'files'} (${(bytes / 2 ** 20).toFixed(1)} MiB)${asides.length > 0 ? `; ${asides.join(', ')}` : ''}.`,
  );
  if (findings.length > 0)
    lines.push(
      'Whoever could read the file may have it: make each of them invalid where it was issued, then take it out.',
    );
  return `${lines.join('\n')}\n`;
}

function rows(findings: readonly SupplyFinding[]): readonly string[] {
  const cells = findings.map(({ severity, where, what }) => {
    const line = where.line === undefined ? '' : `line ${where.line}`;
    return [severity, [line, where.place].filter((part) => part !== '').join(', '), what] as const;
  });
  const wide = Math.max(...cells.map(([, place]) => Math.min(48, place.length)));
  return cells.map(([severity, place, what]) => `  ${severity.padEnd(8)}  ${place.padEnd(wide)}  ${what}`);
}
