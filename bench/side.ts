import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GlacisError } from '../src/core/error.ts';
import { foreignCores, readCpuClock } from './load.ts';
import { BENCH } from './places.ts';

/** One side of a comparison: a program that prints JSON lines. */
export interface Side {
  /** Shown in tables: engine and layout. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Lines that the program leaves in a file instead of printing them, read after its end. */
  readonly left?: () => readonly SideEvent[];
}

/** One JSON line of a side. */
export type SideEvent = Readonly<Record<string, unknown>> & { readonly event: string };

/** Wall and CPU seconds of one repetition, as the program measured it. CPU counts all its threads. */
export interface Repeat {
  readonly wall: number;
  readonly cpu: number;
}

/** What an attack came to. */
export interface Answer {
  /** Fractions of all samples. */
  readonly clean: number;
  readonly robust: number;
  /** Median distance of the examples, those that were not found taken as infinitely far; null where that is the median. */
  readonly median?: number | null;
  /** How often the model was asked about an attacked sample, on average. */
  readonly asked?: number;
}

/** What one run of a side said and cost. */
export interface SideRun {
  /** Its `environment` line: versions, threads, layout. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly repeats: readonly Repeat[];
  /** Its `accuracy` line where it prints one. */
  readonly accuracy?: Answer;
  /** From the program's start to its end, seconds, measured from outside. */
  readonly wall: number;
  /** CPU seconds of the whole program, its start included. */
  readonly cpu: number;
  readonly peakRssBytes: number;
  /** Cores that other programs kept busy meanwhile. */
  readonly foreignCores: number;
}

/**
 * Runs a side to its end. The program must print one `environment` line, any number of `repeat` lines and one `done`
 * line. Errors: `run/failed` with the end of its error output.
 */
export async function runSide(side: Side): Promise<SideRun> {
  const before = readCpuClock();
  const { stdout, stderr, status } = await outputOf(side);
  const after = readCpuClock();
  if (status !== 0) {
    throw new GlacisError(
      'run/failed',
      `${side.name}: expected exit code 0, got ${status}: ${told(stderr).slice(-2000)}`,
    );
  }
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  const events = [...lines.map((line) => JSON.parse(line) as SideEvent), ...(side.left?.() ?? [])];
  const environment = events.find(({ event }) => event === 'environment');
  const done = events.find(({ event }) => event === 'done');
  if (!environment || !done) {
    throw new GlacisError(
      'run/failed',
      `${side.name}: expected an environment line and a done line, got ${stdout.slice(-500)}`,
    );
  }
  const accuracy = events.find(({ event }) => event === 'accuracy');
  const cpu = Number(done.cpu);
  return {
    environment,
    repeats: events
      .filter(({ event }) => event === 'repeat')
      .map((e) => ({ wall: Number(e.wall), cpu: Number(e.cpu) })),
    ...(accuracy && { accuracy: answerIn(accuracy) }),
    wall: after.at - before.at,
    cpu,
    peakRssBytes: Number(done.peakRssBytes),
    foreignCores: foreignCores(before, after, cpu),
  };
}

/** The JSON lines of a side, one by one as it prints them. Errors: `run/failed` at its end with the end of its error output. */
export async function* linesOf({ name, command, args }: Side): AsyncGenerator<SideEvent> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new GlacisError('run/failed', `${name}: cannot start ${command}`, { cause })),
    );
    child.on('close', resolve);
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  for await (const text of createInterface({ input: child.stdout }))
    if (text.startsWith('{')) yield JSON.parse(text) as SideEvent;
  const status = await ended;
  if (status !== 0)
    throw new GlacisError('run/failed', `${name}: expected exit code 0, got ${status}: ${told(stderr)}`);
}

/** What a side said, with paths from the repository's root: reports go into the repository. */
function told(stderr: string): string {
  return stderr.trim().replaceAll(`${join(BENCH, '..')}/`, '');
}

function answerIn({ clean, robust, median, asked }: SideEvent): Answer {
  return {
    clean: Number(clean),
    robust: Number(robust),
    ...(median !== undefined && { median: median === null ? null : Number(median) }),
    ...(asked !== undefined && { asked: Number(asked) }),
  };
}

function outputOf({
  command,
  args,
  name,
}: Side): Promise<{ stdout: string; stderr: string; status: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (cause) =>
      reject(new GlacisError('run/failed', `${name}: cannot start ${command}`, { cause })),
    );
    child.on('close', (status) => resolve({ stdout, stderr, status }));
  });
}
