import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions } from '../options.ts';
import { ourSide, peerSide } from '../places.ts';
import { linesOf, type SideEvent } from '../side.ts';
import { GUARD_CASES } from './guard-cases.ts';

/** What `input`, `constraints` and `feeds` refuse of calm inputs, accidents, attacks of ours and of peers, and attackers who know them. `quick` takes the development part. */
export async function exactGuards(
  { threads, quick }: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly SideEvent[]> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-exact-'));
  const lines: SideEvent[] = [];
  const run = async (side: ReturnType<typeof ourSide>) => {
    for await (const line of linesOf(side)) {
      if (line.event !== 'attack') lines.push(line);
      progress(JSON.stringify(line).slice(0, 250));
    }
  };
  const many = ['--threads', String(threads)];
  const ours = (guard: string, ...more: readonly string[]) => {
    const place = ['--guard', guard, '--folder', folder, '--part', quick ? 'development' : 'final'];
    return run(ourSide('Glacis', 'exact-guards.ts', [...place, ...many, ...more]));
  };
  try {
    await ours('input', '--export');
    const digits = ['--network', 'mnist-cnn', '--folder', join(folder, 'mnist-cnn')];
    const cases = JSON.stringify(GUARD_CASES['mnist-cnn'].peers);
    await run(peerSide('torchattacks', 'guards.py', [...digits, '--cases', cases, ...many]));
    await ours('input');
    await ours('constraints', '--export');
    for (const world of ['credit', 'cancer', 'bars'])
      await run(peerSide('ART', 'rows.py', ['--folder', join(folder, world), ...many]));
    await ours('constraints');
    await ours('feeds');
  } finally {
    rmSync(folder, { recursive: true });
  }
  return lines;
}
