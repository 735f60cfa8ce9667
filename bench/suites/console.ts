import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Load } from '../load.ts';
import { describeMachine } from '../machine.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH, ourSide } from '../places.ts';
import { linesOf } from '../side.ts';
import { type ConsoleLine, consolePage, type PageLine } from './console-page.ts';

/** Where what lies behind the pages is made, once: 8 GB for 10 million decisions. Not committed, and free to be thrown away. */
const FOLDER = join(tmpdir(), 'glacis-bench-console');
const DECISIONS = 10_000_000;
const QUICK = 100_000;

/**
 * Times every question that the console's pages ask of a gateway with 10 million decisions of 100,000 clients behind it, and how soon its pages are painted and shown in Chromium:
 * bench/results/console.json and .md. The first run makes the decisions, which takes some minutes. Errors: `run/failed`.
 */
export async function consoleSuite(
  { quick }: BenchOptions,
  { command, date, load }: { readonly command: string; readonly date: string; readonly load: Load },
  progress: (text: string) => void,
): Promise<{ readonly page: string; readonly path: string }> {
  const n = quick ? QUICK : DECISIONS;
  mkdirSync(FOLDER, { recursive: true });
  const lines: ConsoleLine[] = [];
  const pages: PageLine[] = [];
  for await (const line of linesOf(ourSide('Glacis', 'console.ts', [FOLDER, String(n)]))) {
    if (line.event === 'page') {
      const { id, path, paint, shown, complaints } = line as unknown as PageLine;
      pages.push({ id, path, paint, shown, complaints });
      progress(`${id}: painted after ${paint.map((value) => value.toFixed(0)).join(', ')} ms`);
      continue;
    }
    if (line.event !== 'question') continue;
    lines.push(line as unknown as ConsoleLine);
    progress(`${line.id}: ${Number(line.median).toFixed(1)} ms`);
  }
  const report = {
    schema: 'glacis.console-benchmark/1',
    command,
    date,
    machine: describeMachine(),
    load,
    decisions: n,
    lines,
    pages,
  };
  const path = join(BENCH, 'results', 'console');
  const page = consolePage(report);
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(`${path}.md`, page);
  return { page, path };
}
