import { resumedLines } from './resumed-lines.ts';
import { statefulPage } from './stateful-page.ts';

/**
 * What the guards that watch clients find, and what it costs calm clients: bench/results/stateful-guards.json and .md. Resumed where it was stopped; the frozen choices are in
 * bench/ours/stateful/frozen.ts. Errors: `run/failed`.
 */
export async function statefulGuardsSuite(progress: (text: string) => void): Promise<void> {
  await resumedLines('stateful-guards', 'stateful-guards.ts', statefulPage, progress);
}
