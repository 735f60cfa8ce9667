import type { core } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';

/** Problems that an error names; the rest is counted. */
const SHOWN = 8;

/** An issue of the schema before it has its words; `inst` is the schema that it comes from. */
type Issue = core.$ZodRawIssue;

/**
 * What is wrong, in the house's words: `expected X, got Y`, and the nearest key or kind where one is unknown. Messages of the schema say
 * what was expected; this adds what was found, shortened, and never a structure whole.
 */
export function wordsFor(issue: Issue, said: string | undefined): string {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysOf(issue.inst);
      const [key = ''] = issue.keys as readonly string[];
      return `there is no key '${shown(key)}' here${suggestion(key, known)}; expected ${known.join(', ')}`;
    }
    case 'invalid_union': {
      const options = (issue.options ?? []) as readonly string[];
      if (options.length === 0)
        return `expected ${said ?? 'another kind of value'}, got ${describe(issue.input)}`;
      const given = discriminatorOf(issue);
      const near = typeof given === 'string' ? suggestion(given, options) : '';
      return `expected one of ${options.join(', ')}, got ${describe(given)}${near}`;
    }
    case 'invalid_key':
      return `expected ${firstMessage(issue.issues) ?? 'another key'}, got '${shown(String(issue.path?.at(-1) ?? ''))}'`;
    default:
      return `expected ${said ?? expectedBy(issue)}, got ${describe(issue.input)}`;
  }
}

function expectedBy(issue: Issue): string {
  if (issue.code === 'invalid_type') return NAMES[issue.expected as string] ?? `a ${issue.expected}`;
  if (issue.code === 'invalid_value') return `one of ${(issue.values as readonly unknown[]).join(', ')}`;
  return 'another value';
}

const NAMES: Readonly<Record<string, string>> = {
  object: 'a map of keys and values',
  record: 'a map of names and values',
  array: 'a list',
  string: 'a text',
  int: 'a whole number',
};

/** The keys of an object's schema. */
function keysOf(inst: unknown): readonly string[] {
  const shape = (inst as { readonly _zod?: { readonly def?: { readonly shape?: object } } } | undefined)?._zod
    ?.def?.shape;
  return shape ? Object.keys(shape) : [];
}

function discriminatorOf(issue: Issue): unknown {
  const name = (issue as { readonly discriminator?: string }).discriminator;
  const input: unknown = issue.input;
  return name !== undefined && typeof input === 'object' && input !== null
    ? (input as Record<string, unknown>)[name]
    : input;
}

function firstMessage(issues: unknown): string | undefined {
  const [first] = Array.isArray(issues) ? (issues as readonly { readonly message?: string }[]) : [];
  return first?.message;
}

/** A problem of a file: where, and what was expected. */
export interface PolicyProblem {
  readonly path: readonly PropertyKey[];
  readonly says: string;
}

/** What a schema objected to. Its own messages, which say what was expected, get what was found; a message that begins with `=` (ours, by {@link wordsFor}) is whole. */
export function schemaProblems(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  value: unknown,
): readonly PolicyProblem[] {
  return issues.map(({ path, message }) => ({
    path,
    says: message.startsWith('=')
      ? message.slice(1)
      : `expected ${message}, got ${describe(valueAt(value, path))}`,
  }));
}

/** The error for them: a line each with its place, up to eight. */
export function unsoundPolicy(
  problems: readonly PolicyProblem[],
  where: string,
  placeOf: (path: readonly PropertyKey[]) => string,
): GlacisError {
  const lines = problems
    .slice(0, SHOWN)
    .map(
      ({ path, says }) => `${where}:${placeOf(path)}: ${path.length > 0 ? `${dotted(path)}: ` : ''}${says}`,
    );
  const more = problems.length > SHOWN ? [`and ${problems.length - SHOWN} more`] : [];
  return new GlacisError('policy/invalid', [...lines, ...more].join('\n'));
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

/** `models[0].stages.production[2].atLeast`. */
function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/** A value in a few words; what it holds may have been written by anybody. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `'${shown(value)}'` : String(value);
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
