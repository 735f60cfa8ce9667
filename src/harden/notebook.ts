import { readFile } from 'node:fs/promises';
import { differences } from '../core/differences.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/index.ts';
import type { HardeningPlan } from './plan.ts';
import type { PrivateHardeningPlan } from './private-plan.ts';

/** What a hardening was asked for; it is taken up only by one that is asked for the same. */
export type HardeningIdentity = Readonly<Record<string, unknown>>;

/** How a hardening trains, for whatever goal. */
export type NotedPlan = HardeningPlan | PrivateHardeningPlan;

/** What a hardening remembers between two processes. The plan rests on a measured pace, so it is made once. */
export interface Notebook {
  readonly identity: HardeningIdentity;
  readonly isMeasured: boolean;
  readonly plan?: NotedPlan;
  /** Whether model and record are there. Default false. */
  readonly isTrained?: boolean;
}

/** Where {@link Notebook} lies in the folder of a hardening. */
export const NOTEBOOK = 'hardening.json';

/**
 * Reads the notebook of a hardening that goes on; `undefined` where there is none.
 * Errors: `option/invalid` for that of another one, naming what differs; `result/invalid`; `data/unreadable`.
 */
export async function readNotebook(path: string, identity: HardeningIdentity): Promise<Notebook | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asGlacisError(error, 'data/unreadable', path);
  }
  const found = notebookFrom(text);
  if (!found)
    throw new GlacisError(
      'result/invalid',
      `${path}: expected the notes of a hardening, got something else; start again without --resume`,
    );
  const differing = differences(found.identity, JSON.parse(JSON.stringify(identity)));
  if (differing.length > 0)
    throw new GlacisError(
      'option/invalid',
      `--resume: expected the hardening that left ${path}, got another one (${differing.join(', ')} differ); give the same options, or another --out`,
    );
  return found;
}

/** Writes the notebook. Errors: `output/unwritable`. */
export async function writeNotebook(path: string, notebook: Notebook): Promise<void> {
  await writeAtomically(path, (write) => write(Buffer.from(`${JSON.stringify(notebook, null, 2)}\n`)));
}

function notebookFrom(text: string): Notebook | undefined {
  let value: Partial<Notebook> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { identity, isMeasured, plan, isTrained = false } = value;
  const isRecord = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each);
  const isPlan =
    plan === undefined ||
    (isRecord(plan) &&
      isRecord(plan.wishes) &&
      Array.isArray(plan.reasons) &&
      typeof plan.seconds === 'number');
  const areFlags = typeof isMeasured === 'boolean' && typeof isTrained === 'boolean';
  return isRecord(identity) && areFlags && isPlan ? (value as Notebook) : undefined;
}
