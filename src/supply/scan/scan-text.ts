import type { FileScan, ScanResult } from './scan-paths.ts';
import type { Verdict } from './verdict.ts';

const MARKS: Readonly<Record<Verdict, string>> = {
  clean: 'clean     ',
  unreadable: 'UNREADABLE',
  suspicious: 'SUSPICIOUS',
  malicious: 'MALICIOUS ',
};

/** Findings of one file that are shown in full. */
const SHOWN = 12;

/** Names come from files: one with a line feed could write a line of its own, such as a file that is clean. */
function oneLine(text: string): string {
  return text.replaceAll(/[\n\r\t\u2028\u2029]/g, '\ufffd');
}

/** One file as lines of a table; nothing for files that are no models and show nothing. */
export function fileText({ path, verdict, formats, findings }: FileScan): string {
  if (formats.length === 0 && findings.length === 0) return '';
  const lines = [
    `${MARKS[verdict]}  ${oneLine(path)}${formats.length > 0 ? `  (${formats.join(', ')})` : ''}`,
  ];
  for (const { rule, severity, where, what, why } of findings.slice(0, SHOWN)) {
    const inner = where.path.startsWith(path) ? where.path.slice(path.length).replace(/^!/, '') : where.path;
    const place = [inner, where.place].filter((part) => part !== '').join(', ');
    lines.push(
      `    ${severity}  ${rule}${place === '' ? '' : `  at ${oneLine(place)}`}`,
      `      ${oneLine(what)}`,
      `      ${why}`,
    );
  }
  if (findings.length > SHOWN) lines.push(`    and ${findings.length - SHOWN} more; --json shows all`);
  return `${lines.join('\n')}\n`;
}

/** The last line: how many files, and how they came out. */
export function summaryText({ files, passedOver, verdict }: ScanResult): string {
  const models = files.filter(({ formats, findings }) => formats.length > 0 || findings.length > 0);
  const count = (wanted: Verdict) => models.filter((file) => file.verdict === wanted).length;
  const parts = (['malicious', 'suspicious', 'unreadable', 'clean'] as const)
    .map((wanted) => [count(wanted), wanted] as const)
    .filter(([n]) => n > 0)
    .map(([n, wanted]) => `${n} ${wanted}`);
  const others = files.length - models.length;
  return [
    `\n${verdict}: ${models.length} ${models.length === 1 ? 'file' : 'files'}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`,
    others > 0 ? `, ${others} more that are no models` : '',
    passedOver.length > 0 ? `; not entered: ${oneLine(passedOver.join(', '))}` : '',
    '\n',
  ].join('');
}
