import type { Alarm } from '../alarm.ts';
import type { Part } from '../drift/window-test.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import { openCallerRuns } from './caller-runs.ts';
import type { Rise } from './mean-stream.ts';

/** Tells a number in [0, 1] of a stream. */
export type Emit = (
  stream: string,
  x: number,
  caller: string,
  group: string,
  decision: string,
  at: number,
) => void;

/** Numbers whose means should not rise. */
export interface NumberSource {
  see?(sighting: Sighting, emit: Emit): void;
  learn?(label: TrueLabel, emit: Emit): void;
  /** What is missing, where something is: the monitor is blind then. */
  blind?(): string | undefined;
  /** What else is to be said of how it stands. */
  note?(): string | undefined;
  /** More to show beside the streams. */
  parts?(): readonly Part[];
  /** Figures and sentences for an alarm; `means` in place of what is said of means, where numbers stand for something else. */
  tell?(
    rise: Rise,
    stream: string,
  ):
    | { readonly why: string; readonly figures: Alarm['figures']; readonly means?: string | undefined }
    | undefined;
  /** What it remembers, as plain JSON; given back when it is made. */
  keep?(): unknown;
  /** The same as bytes, for what is large. */
  keepBytes?(): Uint8Array | undefined;
}

/** What tells one monitor of means from another. */
export interface SequentialSubject {
  readonly name: string;
  /** Streams by name, with what a rise of each is called: `the verifying model disagrees more often`. */
  readonly streams: Readonly<Record<string, string>>;
  /** Streams of which callers are watched one by one, too. */
  readonly groups: readonly string[];
  /** Streams in which what one caller sends within some seconds may be one thing: it becomes one number. */
  readonly runs?: readonly string[] | undefined;
  source(kept: unknown, bytes?: Uint8Array): NumberSource;
}

/** Options that all of them have. */
export interface SequentialOptions {
  readonly tolerance: number;
  readonly learn: number;
  readonly perDay: number;
  readonly again: number;
}

/** Puts what a caller sends in a run together, in the streams where it may be one thing; other numbers pass as they are. */
export function emitRuns({ runs = [] }: Pick<SequentialSubject, 'runs'>, emit: Emit): Emit {
  const open = new Map(runs.map((stream) => [stream, openCallerRuns()]));
  return (stream, x, caller, group, decision, at) => {
    const gathered = open.get(stream);
    if (gathered === undefined) emit(stream, x, caller, group, decision, at);
    else
      for (const run of gathered.take(x, caller, group, decision, at))
        emit(stream, run.x, run.caller, run.group, run.decision, run.at);
  };
}
