import { driftPage } from './drift-page.ts';
import { resumedLines } from './resumed-lines.ts';

/**
 * What the monitors of drift find, how long it takes, and how often they are wrong on calm traffic: bench/results/drift.json and .md. Resumed where it was stopped; worlds and budgets are frozen in
 * bench/ours/drift.ts and bench/ours/drift. Errors: `run/failed`.
 */
export async function driftSuite(progress: (text: string) => void): Promise<void> {
  await resumedLines('drift', 'drift.ts', driftPage, progress);
}
