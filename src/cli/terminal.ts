import type { Progress } from '../core/progress.ts';
import { visible } from '../report/markup.ts';

/** Where a command writes. */
export interface Terminal {
  /** Columns for text. */
  readonly width: number;
  /** The result itself, to standard output. */
  print(text: string): void;
  /** A sentence on what is going on, to standard error, without control characters; left out with `--quiet`. One that begins with `Warning:` is one. */
  say(line: string): void;
  /** Progress, to standard error: a bar on a terminal, a line every few seconds elsewhere. */
  readonly progress: Progress;
  /** Takes a progress bar away. */
  clear(): void;
  /** Whether a person watches: standard output is a terminal. False without. */
  readonly isWatched?: boolean;
  /** Colour codes around `text` where the terminal shows colours. */
  bold(text: string): string;
}

/** A stream as far as a terminal needs it. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What {@link openTerminal} depends on. */
export interface TerminalOptions {
  readonly out: Sink;
  readonly error: Sink;
  readonly quiet: boolean;
  /** Of what {@link Terminal.say} says, only warnings; no progress. */
  readonly warningsOnly?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Milliseconds between two pictures of a bar, and between two lines where there is no terminal. */
const BAR_EVERY = 100;
const LINE_EVERY = 5000;

/** Writes results to `out` and everything else to `error`. */
export function openTerminal({
  out,
  error,
  quiet,
  warningsOnly = false,
  env,
  now,
}: TerminalOptions): Terminal {
  const width = Math.max(40, Math.min(120, out.columns ?? (Number(env.COLUMNS) || 96)));
  const live = error.isTTY === true && env.TERM !== 'dumb';
  const colours = out.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR;
  let shown = false;
  let last = Number.NEGATIVE_INFINITY;
  let label = '';
  let labelSince = now();
  const clear = () => {
    if (shown) error.write('\r\x1b[2K');
    shown = false;
  };
  return {
    width,
    isWatched: out.isTTY === true && error.isTTY === true,
    print(text) {
      clear();
      out.write(text);
    },
    say(line) {
      if (quiet || (warningsOnly && !line.startsWith('Warning:'))) return;
      clear();
      error.write(`${visible(line)}\n`);
    },
    progress(update) {
      if (quiet || warningsOnly) return;
      const time = now();
      if (update.label !== label) {
        label = update.label;
        labelSince = time;
        if (!live && last === Number.NEGATIVE_INFINITY) last = time;
      }
      if (time - last < (live ? BAR_EVERY : LINE_EVERY)) return;
      last = time;
      const columns = Math.max(20, (error.columns ?? width) - 1);
      const share = update.total ? Math.min(1, update.done / update.total) : undefined;
      const left = share && share > 0.02 ? ((time - labelSince) / 1000) * (1 / share - 1) : undefined;
      const text = [
        share === undefined ? `${update.done}` : `${Math.floor(100 * share)} %`,
        update.label,
        ...(update.note ? [update.note] : []),
        ...(left !== undefined && left > 2 ? [`about ${Math.ceil(left)} s left`] : []),
      ].join(' · ');
      if (!live) {
        error.write(`${text}\n`);
        return;
      }
      const bar = share === undefined || columns < 70 ? '' : `${barOf(share, 20)} `;
      error.write(`\r\x1b[2K${(bar + text).slice(0, columns)}`);
      shown = true;
    },
    clear,
    bold: (text) => (colours ? `\x1b[1m${text}\x1b[22m` : text),
  };
}

function barOf(share: number, cells: number): string {
  const full = Math.round(share * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)}`;
}
