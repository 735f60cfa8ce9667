import { STRENGTH_NETWORKS } from './strength-case.ts';
import { type Figures, type StrengthEntry, verdictOf } from './strength-entry.ts';

const LIBRARIES = { torchattacks: 'torchattacks', foolbox: 'Foolbox', art: 'ART' } as const;

/** The section of docs/attacks.md that shows how strong our attacks are beside the peers', from `npm run bench -- strength`. */
export function strengthPage(entries: readonly StrengthEntry[]): string {
  const whole = entries.filter(({ own, peer }) => own && peer);
  const versions = Object.entries(LIBRARIES).flatMap(([library, name]) => {
    const version = whole.find((entry) => entry.library === library)?.peer?.version;
    return version ? [`${name} ${version}`] : [];
  });
  const lines = [
    '## Beside other libraries',
    `Each attack against those of ${versions.join(', ')}, at equal steps or queries, on the same samples and networks: \`npm run bench -- strength\`.`,
    'Attacks with a radius are compared by the share of samples that fall within it, attacks that look for the nearest example by the median',
    'distance, samples without an example counted as infinitely far. A positive difference is in favour of Glacis.',
    '*Weaker* is an attack that is worse by more than 2 points or 2 %, unless the seeds of random attacks differ as much (*within chance*: less than',
    'two standard errors). Refinement of nearest examples is off.',
  ];
  const notes: string[] = [];
  for (const network of STRENGTH_NETWORKS) {
    const here = whole.filter((entry) => entry.network === network);
    if (here.length === 0) continue;
    lines.push(
      '',
      `### ${network}`,
      '| attack | norm | samples | peer | ours | theirs | difference | |',
      '|---|---|---:|---|---:|---:|---:|---|',
      ...here.map((entry) => row(entry, notes)),
    );
  }
  if (notes.length > 0) lines.push('', ...notes.map((note, i) => `${i + 1}. ${note}`));
  return `${lines.join('\n')}\n`;
}

function row(entry: StrengthEntry, notes: string[]): string {
  const { ours, norm, eps, library, own, peer, note } = entry as StrengthEntry &
    Required<Pick<StrengthEntry, 'own' | 'peer'>>;
  const { measure, difference, verdict } = verdictOf(entry, own, peer);
  if (note !== undefined && !notes.includes(note)) notes.push(note);
  const mark = note === undefined ? '' : ` (${notes.indexOf(note) + 1})`;
  const radius = eps === undefined || eps >= 1000 ? '' : ` ${Number(eps.toPrecision(3))}`;
  const cells = [
    `\`${ours.replace('ASKED', String(Math.floor(peer.queries)))}\``,
    `${norm}${radius}`,
    own.attacked,
    LIBRARIES[library],
    figureOf(measure, own),
    figureOf(measure, peer),
    differenceOf(measure, difference),
    `${verdict}${mark}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function figureOf(measure: 'success' | 'median', { success, median }: Figures): string {
  const share = `${(100 * success).toFixed(1)} %`;
  if (measure === 'success') return share;
  return `${median?.toPrecision(4) ?? '∞'}${success < 1 ? ` (${share} found)` : ''}`;
}

function differenceOf(measure: 'success' | 'median', difference: number): string {
  // One of the two is infinite.
  if (!Number.isFinite(difference)) return '';
  const size = Math.abs(100 * difference).toFixed(1);
  const sign = size === '0.0' ? '' : difference < 0 ? '−' : '+';
  return `${sign}${size}${measure === 'success' ? '' : ' %'}`;
}
