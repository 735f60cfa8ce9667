import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Prints one JSON line, an `event` and its fields; bench/side.ts reads them. */
export function line(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

/** Prints what runs: versions, threads and whatever `fields` add. */
export function environment(threads: number, fields: Readonly<Record<string, unknown>> = {}): void {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  line('environment', {
    versions: { 'onnxruntime-node': version, node: process.versions.node },
    threads,
    ...fields,
  });
}

/** Wall and CPU seconds now; CPU is of all threads of this process. */
export function clock(): { readonly wall: number; readonly cpu: number } {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1000, cpu: (user + system) / 1e6 };
}

/** Runs `step` `warmup` times unseen, then `repeat` times with a line each. */
export async function timeRepeats(
  step: () => Promise<unknown>,
  warmup: number,
  repeat: number,
): Promise<void> {
  for (let i = 0; i < warmup; i++) await step();
  for (let index = 0; index < repeat; index++) {
    const before = clock();
    await step();
    const after = clock();
    line('repeat', { index, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
  }
}

/** Prints the last line: the process' whole CPU time in seconds and its peak resident memory in bytes. */
export function done(): void {
  line('done', { cpu: clock().cpu, peakRssBytes: process.resourceUsage().maxRSS * 1024 });
}
