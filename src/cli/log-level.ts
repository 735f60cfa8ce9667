import { GlacisError } from '../core/error.ts';

/** What `--log-level` takes, as the reference program for signing has it. */
const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;

/** How much the program says beside its result. */
export type LogLevel = (typeof LEVELS)[number];

/**
 * Takes `--log-level LEVEL` out of the command line, where it may stand before the command, too; `rest` is what is left. Errors: `option/invalid` for another level,
 * or two.
 */
export function takeLogLevel(argv: readonly string[]): {
  readonly level: LogLevel | undefined;
  readonly rest: readonly string[];
} {
  const rest: string[] = [];
  let given: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      rest.push(...argv.slice(i));
      break;
    }
    const option = /^--log[-_]level(?:=(.*))?$/s.exec(arg);
    if (!option) {
      rest.push(arg);
      continue;
    }
    if (given !== undefined)
      throw new GlacisError('option/invalid', '--log-level: expected it once, got it twice');
    given = option[1] ?? argv[++i] ?? '';
  }
  const level = LEVELS.find((each) => each === given?.toLowerCase());
  if (given !== undefined && level === undefined)
    throw new GlacisError('option/invalid', `--log-level: expected ${LEVELS.join(', ')}, got '${given}'`);
  return { level, rest };
}
