import type { Given, OptionTable } from './args.ts';
import type { Terminal } from './terminal.ts';

/** Exit codes of every command. */
export const EXIT = {
  good: 0,
  /** A negative verdict. */
  negative: 1,
  /** Wrong use or unreadable input. */
  wrongUse: 2,
  /** Could not finish. */
  unfinished: 3,
} as const;

/** What a command runs with. */
export interface CommandRun {
  readonly given: Given;
  /** The arguments as they were given, for the record. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Fires at the first Ctrl-C; its reason says what happened. */
  readonly signal: AbortSignal;
}

/** One command of the program. */
export interface Command {
  /** How it is called, e.g. `assess MODEL --data DATA`. */
  readonly usage: string;
  /** What it does, in a sentence or two. */
  readonly about: string;
  readonly options: OptionTable;
  /** Command lines with a word on each. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Does the work and gives the exit code. Errors pass to the caller. */
  run(run: CommandRun): Promise<number>;
}
