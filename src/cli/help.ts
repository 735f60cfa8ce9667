import type { OptionTable } from './args.ts';
import type { Command } from './command.ts';
import type { Terminal } from './terminal.ts';

/** What the program does, and its commands. */
export function overview(
  version: string,
  commands: Readonly<Record<string, { readonly about: string }>>,
  terminal: Pick<Terminal, 'bold' | 'width'>,
): string {
  const names = Object.keys(commands);
  const wide = Math.max(...names.map((n) => n.length));
  return [
    `Glacis ${version}: secures deep-learning models on the ONNX file that is deployed.`,
    '',
    terminal.bold('Commands'),
    ...names.map((name) => `  ${name.padEnd(wide)}  ${commands[name]!.about}`),
    '',
    'glacis COMMAND --help shows a command with its options and examples; glacis --version the version.',
    '',
  ].join('\n');
}

/** How one command is used. */
export function helpFor(
  command: Command,
  common: OptionTable,
  terminal: Pick<Terminal, 'bold' | 'width'>,
): string {
  const options = Object.entries({ ...command.options, ...common });
  const labels = options.map(([key, { value }]) => `--${key}${value === undefined ? '' : ` ${value}`}`);
  const column = Math.min(30, Math.max(...labels.map((l) => l.length)) + 2);
  const lines = options.flatMap(([, { help }], i) => {
    const [first, ...rest] = wrapped(help, Math.max(20, terminal.width - column - 2));
    const label = labels[i]!;
    const indent = ' '.repeat(column + 2);
    return [
      ...(label.length < column
        ? [`  ${label.padEnd(column)}${first}`]
        : [`  ${label}`, `${indent}${first}`]),
      ...rest.map((line) => indent + line),
    ];
  });
  return [
    `${terminal.bold('Usage')}  glacis ${command.usage}`,
    '',
    ...wrapped(command.about, terminal.width),
    '',
    terminal.bold('Options'),
    ...lines,
    '',
    terminal.bold('Examples'),
    ...command.examples.flatMap(([line, does]) => [`  # ${does}`, `  ${line}`]),
    '',
    `Exit codes: 0 good, 1 a negative verdict, 2 wrong use or unreadable input, 3 could not finish.`,
    '',
  ].join('\n');
}

/** `text` in lines of at most `width` characters, broken between words. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
