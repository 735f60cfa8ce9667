import { clopperPearson } from '../../src/core/statistics/clopper-pearson.ts';
import type { Finding } from '../ours/guards/exact/finding.ts';
import type { SideEvent } from '../side.ts';

/** What subjects are, in words. */
const SUBJECTS: Readonly<Record<string, string>> = {
  'mnist-cnn': 'digits (`mnist-cnn`)',
  'traffic-signs': 'the bundled classifier of signs',
  credit: 'credit applications, made up',
  cancer: 'breast cancer, a real table',
  bars: 'windows of price bars, made up',
  'a market': 'a market with two sources, simulated',
};

/**
 * Tables of what the exact guards refuse, one subject after the other; intervals are exact, at 95 %. Of attacks, refused are counted among the examples that change the answer; of feeds, among all
 * requests. Attackers who know the guard are in italics.
 */
export function exactPage(lines: readonly SideEvent[]): string {
  const findings = lines.filter(({ event }) => event === 'exact') as unknown as readonly Finding[];
  const subjects = new Map<string, Finding[]>();
  for (const each of findings) {
    const key = `${each.guard} on ${SUBJECTS[each.subject] ?? each.subject}`;
    subjects.set(key, [...(subjects.get(key) ?? []), each]);
  }
  return [...subjects].map(([title, own]) => `### ${title}\n\n${tables(own)}\n`).join('\n');
}

function tables(findings: readonly Finding[]): string {
  const plain = findings.filter(({ fooled }) => fooled === undefined);
  const attacked = findings.filter(({ fooled }) => fooled !== undefined);
  const { settings } = findings[0]!;
  const head = (first: string, cells: readonly string[]) => [
    `| ${first} | n | ${cells.join(' | ')} |`,
    `|---|---:|${cells.map(() => '---:|').join('')}`,
  ];
  return [
    ...head('% refused of', settings),
    ...plain.map(
      ({ kind, name, n, refused }) =>
        `| ${kind === 'calm' ? `**${name}**` : name} | ${countOf(n)} | ${refused.map((k, i) => share(k, n[i]!)).join(' | ')} |`,
    ),
    '',
    ...head('% refused · answer changes → changes and is let through', settings),
    ...attacked.map((each) => {
      const { kind, name, n, fooled, refused } = each;
      const passed = passedOf(each);
      const cells = settings.map((_, i) =>
        fooled![i] === null
          ? '–'
          : `${share(refused[i]!, each.passed ? n[i]! : fooled![i]!)} · ${short(fooled![i]!, n[i]!)} → ${share(passed[i]!, n[i]!)}`,
      );
      return `| ${kind === 'adaptive' ? `*${name}*` : name} | ${countOf(n)} | ${cells.join(' | ')} |`;
    }),
  ].join('\n');
}

/** How many change the answer and are let through: those that were not refused, where nobody counted them. */
export function passedOf({ fooled = [], refused, passed }: Finding): readonly (number | null)[] {
  return passed ?? fooled.map((k, i) => (k === null ? null : k - refused[i]!));
}

/** Inputs of a row; from few to many where settings have different ones. */
function countOf(n: readonly (number | null)[]): string {
  const known = n.filter((each) => each !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return least === most ? String(most) : `${least}–${most}`;
}

function share(k: number | null, n: number | null): string {
  if (k === null || n === null) return '–';
  const [low, high] = clopperPearson(k, n).map((end) => (100 * end).toFixed(end < 0.01 ? 2 : 1));
  return `${short(k, n)} (${low}–${high})`;
}

function short(k: number, n: number): string {
  return ((100 * k) / n).toFixed(k > 0 && k / n < 0.01 ? 2 : 1);
}
