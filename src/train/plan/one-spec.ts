import { GlacisError } from '../../core/error.ts';
import { mergeOptions, type OptionValue, parseSpecs, type Spec, suggestion } from '../../core/options.ts';

/** Named things with their default options; `undefined` marks an option without a default. */
export type Choices = Readonly<Record<string, Readonly<Record<string, OptionValue | undefined>>>>;

/** One of several named things, its options merged. */
export interface Chosen {
  readonly name: string;
  readonly options: Readonly<Record<string, OptionValue | undefined>>;
}

/** The choice that `spec` makes. Errors: `option/unknown`, `option/invalid`. */
export function chosenBy(spec: Spec, choices: Choices, where: string): Chosen {
  const names = Object.keys(choices);
  if (!Object.hasOwn(choices, spec.name))
    throw new GlacisError(
      'option/unknown',
      `${where}: expected ${names.join(', ')}, got '${spec.name}'${suggestion(spec.name, names)}`,
    );
  const options = mergeOptions(spec.name, choices[spec.name]!, spec.options);
  for (const [key, value] of Object.entries(options))
    if (value !== undefined && choices[spec.name]![key] === undefined && typeof value !== 'number')
      throw new GlacisError('option/invalid', `${spec.name}: expected ${key} to be a number, got '${value}'`);
  return { name: spec.name, options };
}

/** Reads one `name(key=value)`. Errors: `option/unknown`, `option/invalid`. */
export function oneFrom(text: string, choices: Choices, where: string): Chosen {
  const [spec, ...more] = parseSpecs(text);
  if (more.length > 0)
    throw new GlacisError(
      'option/invalid',
      `${where}: expected one, got '${spec!.name}' and '${more[0]!.name}'`,
    );
  return chosenBy(spec!, choices, where);
}

/** Writes what {@link oneFrom} reads, with all options that have a value. */
export function described(name: string, options: Readonly<Record<string, unknown>>): string {
  const listed = Object.entries(options).filter(([, value]) => value !== undefined);
  return listed.length === 0
    ? name
    : `${name}(${listed.map(([key, value]) => `${key}=${value}`).join(', ')})`;
}
