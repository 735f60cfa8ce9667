import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH, ourSide } from '../places.ts';
import { linesOf, type SideEvent } from '../side.ts';

/** What a measurement has found so far: lines of one of our programs, each named by its `id` (calm traffic by its `guard`). */
export const idOf = (line: SideEvent): string => String(line.id ?? `${line.event} ${line.guard ?? ''}`);

/**
 * Runs one of our own programs that tells what it finds line by line, leaves out what bench/results/`name`.json knows already, and keeps every line at once, so that a run
 * that was stopped goes on. Nothing is timed against anything, so the machine may be busy. Errors: `run/failed`; what was found before is kept.
 */
export async function resumedLines(
  name: string,
  program: string,
  page: (lines: readonly SideEvent[]) => string,
  progress: (text: string) => void,
): Promise<readonly SideEvent[]> {
  const folder = join(BENCH, 'results');
  const file = join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  const lines = new Map<string, SideEvent>();
  if (existsSync(file))
    for (const line of (JSON.parse(readFileSync(file, 'utf8')) as { readonly lines: readonly SideEvent[] })
      .lines)
      lines.set(idOf(line), line);
  const known = [...lines.values()].flatMap(({ id }) => (id === undefined ? [] : [String(id)]));
  for await (const line of linesOf(ourSide('Glacis', program, ['--known', JSON.stringify(known)]))) {
    lines.set(idOf(line), line);
    const all = [...lines.values()];
    writeFileSync(
      file,
      `{"schema":"glacis.${name}/1","lines":[\n${all.map((each) => JSON.stringify(each)).join(',\n')}\n]}\n`,
    );
    writeFileSync(join(folder, `${name}.md`), page(all));
    progress(idOf(line));
  }
  return [...lines.values()];
}
