import { parseArgs } from 'node:util';
import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';

/** An option of a command. */
export interface OptionSpec {
  /** What its value is called in the help, e.g. `FILE`; a switch without a value has none. */
  readonly value?: string;
  readonly help: string;
  /** May be given several times. */
  readonly many?: boolean;
}

/** The options of a command, by name without the dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** What was given on the command line. */
export interface Given {
  readonly positionals: readonly string[];
  /** The option's text; `undefined` when it was not given. */
  text(name: string): string | undefined;
  /** All texts of an option that may be given several times. */
  texts(name: string): readonly string[];
  flag(name: string): boolean;
  /** A whole number of at least `least`. Errors: `option/invalid`. */
  whole(name: string, least: number): number | undefined;
  /** A point in time, milliseconds since 1970. Errors: `option/invalid`. */
  time(name: string): number | undefined;
  /** Comma-separated numbers. Errors: `option/invalid`. */
  numbers(name: string): readonly number[] | undefined;
  /** One of `choices`. Errors: `option/invalid`. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined;
}

/**
 * Reads a command's arguments. Errors: `option/unknown` for a name that is not in `table` (with the nearest that is),
 * `option/invalid` for a missing, superfluous or repeated value.
 */
export function readArgs(args: readonly string[], table: OptionTable): Given {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [
      name,
      { type: spec.value === undefined ? ('boolean' as const) : ('string' as const), multiple: true },
    ]),
  );
  const { tokens } = parseArgs({
    args: withHyphens(args, table),
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(table, token.name) ? table[token.name]! : undefined;
    if (!spec || !token.rawName.startsWith('--')) throw unknownOption(token.rawName, table);
    const earlier = values.get(token.name) ?? [];
    if (earlier.length > 0 && spec.value !== undefined && !spec.many)
      throw new GlacisError('option/invalid', `--${token.name}: expected it once, got it twice`);
    values.set(token.name, [...earlier, textOf(token, spec, table)]);
  }
  return given(positionals, values);
}

/** `--private_key` is `--private-key`: published versions of the reference program for signing write some names so. */
function withHyphens(args: readonly string[], table: OptionTable): string[] {
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    const name = /^--([^=]*_[^=]*)/.exec(arg)?.[1];
    if (name === undefined || (end >= 0 && i > end)) return arg;
    const plain = name.replaceAll('_', '-');
    return Object.hasOwn(table, plain) ? `--${plain}${arg.slice(2 + name.length)}` : arg;
  });
}

/** The error for an option that does not exist. */
function unknownOption(rawName: string, table: OptionTable): GlacisError {
  const names = Object.keys(table);
  const near = suggestion(rawName.replace(/^-+/, ''), names).replace("'", "'--");
  return new GlacisError(
    'option/unknown',
    `${rawName}: there is no such option${near || '; --help lists them'}`,
  );
}

function textOf(
  token: {
    readonly name: string;
    readonly value: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
  spec: OptionSpec,
  table: OptionTable,
): string {
  if (spec.value === undefined) {
    if (token.value !== undefined)
      throw new GlacisError('option/invalid', `--${token.name}: expected no value, got '${token.value}'`);
    return '';
  }
  const swallowed =
    !token.inlineValue && token.value?.startsWith('--') && Object.hasOwn(table, token.value.slice(2));
  if (token.value === undefined || token.value === '' || swallowed)
    throw new GlacisError('option/invalid', `--${token.name}: expected ${spec.value}, got nothing`);
  return token.value;
}

function given(positionals: readonly string[], values: ReadonlyMap<string, readonly string[]>): Given {
  const text = (name: string) => values.get(name)?.[0];
  return {
    positionals,
    text,
    texts: (name) => values.get(name) ?? [],
    flag: (name) => values.has(name),
    whole(name, least) {
      const raw = text(name);
      if (raw === undefined) return undefined;
      const value = /^[+-]?\d+$/.test(raw.trim()) ? Number(raw) : Number.NaN;
      if (!Number.isSafeInteger(value) || value < least)
        throw new GlacisError(
          'option/invalid',
          `--${name}: expected a whole number of at least ${least}, got '${raw}'`,
        );
      return value;
    },
    time(name) {
      const raw = text(name);
      if (raw === undefined) return undefined;
      const time = Date.parse(raw);
      // `Date.parse` takes '1' and 'May' for times, too.
      if (!/^\d{4}-\d\d-\d\d/.test(raw) || Number.isNaN(time))
        throw new GlacisError(
          'option/invalid',
          `--${name}: expected a time such as 2026-11-21T08:00:00Z, got '${raw}'`,
        );
      return time;
    },
    numbers(name) {
      return text(name)
        ?.split(',')
        .map((part) => {
          const value = part.trim() === '' ? Number.NaN : Number(part);
          if (!Number.isFinite(value))
            throw new GlacisError(
              'option/invalid',
              `--${name}: expected numbers with commas between them, got '${text(name)}'`,
            );
          return value;
        });
    },
    choice(name, choices) {
      const raw = text(name);
      if (raw === undefined) return undefined;
      const found = choices.find((c) => c === raw);
      if (found === undefined)
        throw new GlacisError(
          'option/invalid',
          `--${name}: expected ${choices.join(', ')}, got '${raw}'${suggestion(raw, choices)}`,
        );
      return found;
    },
  };
}
