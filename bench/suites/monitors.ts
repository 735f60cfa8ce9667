import { monitorsPage } from './monitors-page.ts';
import { resumedLines } from './resumed-lines.ts';

/**
 * What the monitors notice of attacks, how soon it is over, what they say of calm traffic, and what they cost: bench/results/monitors.json and .md. Resumed where it was stopped; the frozen choices are in
 * bench/ours/monitors/frozen.ts. Past decisions are measured by bench/ours/monitor-past.ts, on a machine that does nothing else. Errors: `run/failed`.
 */
export async function monitorsSuite(progress: (text: string) => void): Promise<void> {
  await resumedLines('monitors', 'monitors.ts', monitorsPage, progress);
}
