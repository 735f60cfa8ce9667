import type { Apart } from './one-file.ts';
import {
  type Checked,
  LEAST_COSINE,
  LEAST_COSINE_16_BIT,
  TOLERANCE,
  TOLERANCE_16_BIT,
  verdict,
  type Word,
} from './verdict.ts';

/** What the page says about where its figures come from. */
export interface Origin {
  readonly versions: Readonly<Record<string, string>>;
  /** Dates, `YYYY-MM-DD`. */
  readonly exported: string;
  readonly checked: string;
  /** Channels in a block of this machine's layout; 0: there is none. */
  readonly block: number;
}

/** The exports that every network has, as columns. */
const COLUMNS = [
  'legacy-9',
  'legacy-11',
  'legacy-13',
  'legacy-17',
  'legacy-17-batch-1',
  'dynamo',
  'dynamo-23-batch-1',
];

const SIGNS: Readonly<Record<Word, string>> = {
  ok: 'ok',
  wrong: '**differs**',
  error: '**error**',
  exporter: 'file differs',
  refused: '–',
};

/** docs/interop.md, Markdown. */
export function page(checked: readonly Checked[], origin: Origin): string {
  const versions = Object.entries(origin.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const networks = [...new Set(checked.map((c) => c.network))];
  const find = (network: string, how: string) => checked.find((c) => c.network === network && c.how === how);
  const others = Map.groupBy(
    checked.filter((c) => !COLUMNS.includes(c.how)),
    (c) => c.how,
  );
  return `# Models as people export them

<!-- Made by bench/interop/check.ts --write; do not edit. -->

${networks.length} networks (small ones, and torchvision's own) were exported in the ways below and read by Glacis. PyTorch, in float64 on the same weights, says what the
logits are and what the gradient of the loss is with respect to the input and to three weights. Each file runs in the plain
and in the blocked layout${origin.block === 0 ? ' (this machine has none)' : ''}; files made for one sample also run lifted to three.

- **ok**: logits, input gradient and the weights' gradients agree to ${TOLERANCE}, relative to the largest element. With 16-bit weights, which
  exporters fold further in 16 bits: logits to ${TOLERANCE_16_BIT}, gradients to a cosine of ${LEAST_COSINE_16_BIT}.
- **ok, not lifted**: agrees for the one sample that it was made for; Glacis refuses to run it on more.
- **–**: the exporter wrote no file. **file differs**: ONNX Runtime by itself refuses the file, or gets other answers from it than
  PyTorch; where it runs, Glacis has the file's logits.
- Quantised files: the logits agree with the file's own in ONNX Runtime; the figure is the cosine between the straight-through
  gradient and the float model's (at least ${LEAST_COSINE} is asked).

Exported ${origin.exported}, checked ${origin.checked}: ${versions}. To repeat:
\`bench/interop/setup.sh\`, then
\`node scripts/run.mjs bench/interop/check.ts --write\`.

## Every network

| network | ${COLUMNS.join(' | ')} |
|---|${COLUMNS.map(() => '---|').join('')}
${networks.map((n) => `| ${n} | ${COLUMNS.map((how) => cell(find(n, how))).join(' | ')} |`).join('\n')}

## Other ways

| export | networks |
|---|---|
${[...others].map(([how, list]) => `| ${how} | ${list.map((c) => `${c.network}: ${cell(c)}`).join(', ')} |`).join('\n')}

## What was not exported, or differs

${remarks(checked).join('\n')}
`;
}

function cell(checked: Checked | undefined): string {
  if (!checked) return '';
  const { word } = verdict(checked);
  const ways = Object.entries(checked.outcome?.ways ?? {});
  if (checked.quantised && word === 'ok') {
    const cosines = ways.flatMap(([, w]) => ('cosine' in w ? [(w as Apart).cosine] : []));
    return Math.min(...cosines).toFixed(2);
  }
  const stuck = ways.some(([way, w]) => way === 'lifted' && 'error' in w);
  return word === 'ok' && stuck ? 'ok, not lifted' : SIGNS[word];
}

/** One line for each message, with the files that it is about. */
function remarks(checked: readonly Checked[]): string[] {
  const told = checked.flatMap((c) => {
    const { word, detail } = verdict(c);
    if (word !== 'ok')
      return [
        {
          c,
          text:
            word !== 'exporter'
              ? detail
              : c.outcome?.refused
                ? `the runtime refuses the file: ${c.outcome.refused}`
                : 'the file differs from PyTorch',
        },
      ];
    const lifted = c.outcome?.ways.lifted;
    return lifted && 'error' in lifted ? [{ c, text: lifted.error }] : [];
  });
  const byText = Map.groupBy(told, ({ c, text }) => `${c.network}: ${brief(text)}`);
  return [...byText].map(([text, list]) => `- ${text} (${list.map(({ c }) => c.how).join(', ')})`);
}

/** A message without what differs from opset to opset, and without the runtime's C++ names. */
function brief(text: string): string {
  return text
    .replace(/ to ONNX opset version \d+/, '')
    .replace(', try exporting with this version', '')
    .replace(/\/onnxruntime_src\/.* was false\. /, '')
    .replaceAll('|', '/')
    .replaceAll(/\s+/g, ' ');
}
