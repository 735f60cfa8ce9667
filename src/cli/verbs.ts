import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import { type CommandRun, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

/** What a verb gives: its result as JSON, the same as text, and whether it is good. */
export interface Outcome {
  readonly json: object;
  readonly text: string;
  /** Missing when nothing was judged. */
  readonly good?: boolean;
}

/** A verb of a command. */
export type Verb = (run: CommandRun, args: readonly string[]) => Promise<Outcome>;

/** Verbs by name. `takes` are the words of the arguments; one in brackets may be left out. */
export type Verbs = Readonly<Record<string, { readonly takes: string; readonly run: Verb }>>;

/** The verbs and what they take, for a command's help. */
export function listOf(verbs: Verbs): string {
  return Object.entries(verbs)
    .map(([name, { takes }]) => `${name} ${takes}`.trim())
    .join(', ');
}

/** Runs the verb that was named, prints its text, writes its JSON where `--json` says, and gives the exit code. Errors: `option/unknown`, `option/invalid`, those of the verb. */
export async function runVerb(command: string, verbs: Verbs, run: CommandRun): Promise<number> {
  const { given, terminal } = run;
  const [name = '', ...args] = given.positionals;
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined)
    throw new GlacisError(
      'option/unknown',
      `${command}: expected ${Object.keys(verbs).join(', ')}, got '${name}'${suggestion(name, Object.keys(verbs))}`,
    );
  const words = verb.takes === '' ? [] : verb.takes.split(' ');
  const least = words.filter((word) => !word.startsWith('[')).length;
  if (args.length < least || args.length > words.length)
    throw new GlacisError(
      'option/invalid',
      `${command} ${name}: expected ${verb.takes || 'no argument'}, got '${args.join(' ')}'`,
    );
  const json = given.text('json');
  if (json !== undefined) await prepareFile(json);
  const outcome = await verb.run(run, args);
  if (json !== undefined) await writeText(json, `${JSON.stringify(outcome.json, null, 2)}\n`);
  terminal.print(outcome.text);
  return outcome.good === false ? EXIT.negative : EXIT.good;
}
