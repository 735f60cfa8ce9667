import type { AttackedExample } from '../assess/examples.ts';
import type { Assessment } from '../assess/result.ts';
import { interval, percent, radius } from '../report/format.ts';
import { strongestAt, type VerdictLevel, verdictOf, worstCases } from '../report/verdict.ts';
import type { ServedDemo } from './demo-serving.ts';

/** What the summary is told from. */
export interface SummaryFacts {
  readonly assessment: Assessment;
  readonly examples: readonly AttackedExample[];
  readonly classNames: readonly string[];
  /** Emphasis, where the terminal has it. */
  bold(text: string): string;
}

/** Columns of prose. */
const WIDTH = 80;

/** What happened, in plain words: a table by eps, what it means, one example. Ends with a line feed. */
export function demoSummary({ assessment, examples, classNames, bold }: SummaryFacts): string {
  return [
    '',
    ...(assessment.results.length > 0 ? table(assessment, bold) : []),
    ...meaning(assessment).flatMap((text) => wrapped(text)),
    ...exampleWords(examples, classNames),
    '',
    ...wrapped(
      'Every attacked picture was checked to stay within its budget and put through the model file again. The figures are what these attacks left over: a stronger one may leave less.',
    ),
    '',
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ');
}

/** What serving showed: who vouches for the model, an answer, an attack that was refused, a receipt. Ends with a line feed. */
export function servedSummary(
  { digest, signer, curl, answered, refusedAfter, receipt, logFolder }: ServedDemo,
  {
    truth,
    bold,
    command,
  }: { readonly truth: string; readonly bold: SummaryFacts['bold']; readonly command: string },
): string {
  return [
    '',
    bold('The gateway'),
    '',
    `Served    ${digest.slice(0, 19)}… because it is signed by ${signer.slice(0, 40)}`,
    `Asked     ${curl}`,
    `Answered  ${answered.className}, ${percent(answered.score)} sure (it is: ${truth})`,
    refusedAfter === undefined
      ? 'Attacked  and never refused: the guard has missed it'
      : `Attacked  by Square, which needs nothing but answers: refused after ${refusedAfter} questions`,
    `Receipt   ${receipt.file}: entry ${receipt.index} of a log of ${receipt.size}, checked without the server`,
    `Log       every decision: ${command} log search ${logFolder}`,
    `          nobody changed it: ${command} log verify ${logFolder}`,
    '',
  ].join('\n');
}

/** Where to look while the demonstration goes on. Ends with a line feed. */
export function liveSummary(link: string, isOpened: boolean, bold: SummaryFacts['bold']): string {
  return [
    '',
    bold('The console'),
    '',
    'Twelve honest clients ask now. In 20 seconds somebody probes one picture, in 45 somebody begins to copy the model: watch them being caught.',
    '',
    ...(isOpened ? ['It opens in your browser. Where it does not:'] : []),
    `Open      ${link}`,
    '          (works once, for ten minutes; all of it is a demonstration on this machine. Ctrl-C ends it)',
    '',
  ].join('\n');
}

/** What hardening changed on the same pictures under the same attacks: a table by eps, and what it says. Ends with a line feed. */
export function hardenedSummary(before: Assessment, after: Assessment, bold: SummaryFacts['bold']): string {
  const [undefended, hardened] = [worstCases(before), worstCases(after)];
  const last = hardened.at(-1)!;
  const [was, is] = [undefended.at(-1)!.robustAccuracy, last.robustAccuracy];
  const rows = [
    ['none', percent(before.results[0]!.cleanAccuracy), percent(after.results[0]!.cleanAccuracy)],
    ...hardened.map(({ eps, robustAccuracy }, i) => [
      `at most ${radius(eps)}`,
      percent(undefended[i]!.robustAccuracy),
      percent(robustAccuracy),
    ]),
  ];
  return [
    '',
    bold(`How many each of the two networks still reads right under both attacks`),
    '',
    ...columns(['Change of each pixel', 'undefended', 'hardened'], rows),
    '',
    ...wrapped(
      is > was
        ? `Hardening keeps ${percent(is)} right at ${radius(last.eps)} (95 % confidence ${interval(last.confidence)}) where the undefended network keeps ${percent(was)}.`
        : `Hardening shows no gain at ${radius(last.eps)} on these pictures: ${percent(is)} right, where the undefended network keeps ${percent(was)}.`,
    ),
    '',
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ');
}

/** Accuracy by budget and attack. */
function table({ results, data }: Assessment, bold: SummaryFacts['bold']): readonly string[] {
  const attacks = [...new Set(results.map((r) => r.attack))];
  const budgets = [...new Set(results.map((r) => r.eps))].sort((a, b) => a - b);
  const head = ['Change of each pixel', ...attacks.map((a) => `under ${a.toUpperCase()}`)];
  const rows = [
    ['none', ...attacks.map(() => percent(results[0]!.cleanAccuracy))],
    ...budgets.map((eps) => [
      `at most ${radius(eps)}`,
      ...attacks.map((attack) => {
        const result = results.find((r) => r.attack === attack && r.eps === eps);
        return result ? percent(result.robustAccuracy) : '–';
      }),
    ]),
  ];
  return [bold(`How many of ${data.n} pictures the model still reads right`), '', ...columns(head, rows), ''];
}

/** Rows under their head, the first column to the left. */
function columns(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('    ')}`;
  return [line(head), `  ${widths.map((w) => '─'.repeat(w)).join('────')}`, ...rows.map(line)];
}

/** How a model that nothing defends came out, by what the report's verdict calls it. */
const OUTCOMES: Readonly<Record<VerdictLevel, string>> = {
  fell: 'The model falls. That is no accident: it was trained on clean pictures only, like most models, and nothing defends it.',
  'gave way':
    'The model gives way. That is no accident: it was trained on clean pictures only, like most models, and nothing defends it.',
  weakened: 'The model is weakened: it was trained on clean pictures only, and nothing defends it.',
  held: 'On these pictures the model holds against these attacks.',
  unknown: 'That is too little to say how robust the model is.',
};

/** What the figures say about the model, without praise or alarm that they do not bear out. */
function meaning(assessment: Assessment): readonly string[] {
  const { level, worst } = verdictOf(assessment);
  const stopped =
    assessment.status === 'partial' ? [`Not finished: ${assessment.statusReason ?? 'stopped early'}.`] : [];
  if (!worst) return [...stopped, 'No attack ran to its end, so nothing is known about the model.'];
  const strongest = strongestAt(assessment, worst.norm, worst.eps)?.attack ?? 'the attack';
  return [
    ...stopped,
    `At ${radius(worst.eps)}, a change that is hard to see, ${strongest.toUpperCase()} leaves ${percent(worst.robustAccuracy)} right (95 % confidence ${interval(worst.confidence)}). ${OUTCOMES[level]}`,
  ];
}

/** The smallest change that made the model sure of something wrong; where none did, the one that came nearest. */
function exampleWords(examples: readonly AttackedExample[], names: readonly string[]): readonly string[] {
  const right = examples.filter((e) => e.before.class === e.label);
  const surest = right.toSorted((a, b) => b.after.confidence - a.after.confidence);
  const told = surest.filter((e) => e.after.confidence >= 0.9).sort((a, b) => a.eps - b.eps)[0] ?? surest[0];
  if (!told) return [];
  const name = (index: number) => `“${names[index] ?? index}”`;
  return [
    '',
    ...wrapped(
      `For example picture ${told.index}: ${name(told.before.class)} with ${percent(told.before.confidence)} confidence becomes ${name(told.after.class)} with ${percent(told.after.confidence)}, by a change of at most ${radius(told.eps)} a pixel.`,
    ),
  ];
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
