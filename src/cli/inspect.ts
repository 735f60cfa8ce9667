import { basename } from 'node:path';
import { gradientWay, tryGradient } from '../assess/differentiable.ts';
import { GlacisError } from '../core/error.ts';
import { type DescribedValue, describeModel } from '../onnx/describe.ts';
import { readModel } from '../onnx/read.ts';
import { visible } from '../report/markup.ts';
import { type Command, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

/** How a gradient comes about, in words. */
const WAYS = {
  rule: 'gradient rule',
  lowering: 'written as others',
  stop: 'needs none',
  none: 'no gradient',
} as const;

/** Headings of the text. */
const TITLES: readonly string[] = ['Inputs', 'Outputs', 'Operators'];

/** `glacis inspect`: what a model consists of, and whether attacks with gradients work on it. */
export const command: Command = {
  usage: 'inspect MODEL [--json FILE]',
  about:
    'Shows the graph of a model without running it: inputs, outputs, operators and which of them have gradients, parameters and opsets. Large external weights are not read.',
  options: { json: { value: 'FILE', help: 'the same as JSON' } },
  examples: [['glacis inspect model.onnx', 'what is in a model, and what can be attacked']],
  async run({ given, terminal, signal }) {
    const [path, ...rest] = given.positionals;
    if (path === undefined || rest.length > 0)
      throw new GlacisError('option/invalid', `inspect: expected one MODEL, got ${given.positionals.length}`);
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const model = await readModel(path, { external: 'keep', signal });
    const description = describeModel(model);
    const operators = description.operators.map((entry) => {
      const domain = entry.domain === 'ai.onnx' ? '' : entry.domain;
      const own = model.functions.some((f) => f.domain === domain && f.name === entry.op);
      const way = own ? ('lowering' as const) : gradientWay(domain, entry.op, model.opsets.get(domain) ?? 1);
      return { ...entry, gradient: way };
    });
    const gradient =
      description.bytes.external > 0
        ? ({
            verdict: 'unknown',
            reason: 'the weights lie in other files, which inspect does not read',
          } as const)
        : tryGradient(model);
    if (json !== undefined)
      await writeText(
        json,
        `${JSON.stringify({ ...description, name: basename(path), digest: model.file.digest, operators, gradient }, null, 2)}\n`,
      );
    const wide = Math.max(8, ...operators.map((o) => nameOf(o).length));
    const bytes = description.bytes.embedded + description.bytes.external;
    const lines = [
      `${basename(path)}  ${model.file.digest.slice(0, 19)}…  ${size(model.file.byteLength)}`,
      `made by ${description.producer || 'an unnamed program'}, IR version ${description.irVersion}, opsets ${Object.entries(
        description.opsets,
      )
        .map(([domain, version]) => `${domain} ${version}`)
        .join(', ')}`,
      '',
      'Inputs',
      ...description.inputs.map(valueLine),
      'Outputs',
      ...description.outputs.map(valueLine),
      '',
      `${description.parameters.toLocaleString('en')} parameters, ${size(bytes)} of tensors, ${description.nodes} nodes${description.subgraphs > 0 ? `, ${description.subgraphs} inner graphs` : ''}${description.functions.length > 0 ? `, ${description.functions.length} functions` : ''}`,
      ...(description.externalFiles.length > 0
        ? [`weights in other files: ${description.externalFiles.join(', ')}`]
        : []),
      '',
      'Operators',
      ...operators.map(
        (o) => `  ${String(o.count).padStart(5)}  ${nameOf(o).padEnd(wide)}  ${WAYS[o.gradient]}`,
      ),
      '',
      verdictLine(gradient),
      '',
    ];
    // Names come from the file: control characters must not reach the terminal.
    const shown = lines.map((line) => (TITLES.includes(line) ? terminal.bold(line) : visible(line)));
    terminal.print(shown.join('\n'));
    return EXIT.good;
  },
};

function nameOf({ domain, op }: { readonly domain: string; readonly op: string }): string {
  return domain === 'ai.onnx' ? op : `${domain}.${op}`;
}

function valueLine({ name, type, dims }: DescribedValue): string {
  return `  ${name}  ${type}${dims === null ? ', shape unknown' : `[${dims.map((d) => d ?? '?').join(', ')}]`}`;
}

function verdictLine({ verdict, reason, input, output, stripped }: ReturnType<typeof tryGradient>): string {
  if (verdict === 'yes')
    return `Gradients: yes, of ${output}${stripped ? ` (before its ${stripped})` : ''} with respect to ${input}.`;
  return `Gradients: ${verdict}: ${reason}`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const unit = bytes < 2 ** 20 ? 10 : bytes < 2 ** 30 ? 20 : 30;
  return `${(bytes / 2 ** unit).toFixed(1)} ${{ 10: 'KiB', 20: 'MiB', 30: 'GiB' }[unit]}`;
}
