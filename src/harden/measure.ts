import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Assessment, assess, parseAssessment, toJson } from '../assess/index.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/index.ts';
import type { Material } from '../train/material.ts';
import type { HardenOptions } from './options.ts';

/** The assessment in the folder of a measurement. */
export const ASSESSMENT = 'assessment.json';

/**
 * Attacks a model on the test samples and, for a private goal, looks at how it treats what it learned from; the result goes into `folder`.
 * Errors: those of `assess`; `run/cancelled`, after which the same with `resume` goes on.
 */
export async function measure(
  options: HardenOptions,
  {
    model,
    folder,
    eps,
    training,
  }: { readonly model: string; readonly folder: string; readonly eps: number; readonly training: Material },
): Promise<void> {
  const { reading, signal, say, progress, goal } = options;
  const attacks = options.attacks ?? (goal === 'private' ? [{ name: 'fgsm', options: {} }] : undefined);
  const { assessment } = await assess({
    model,
    data: options.test,
    n: options.tested,
    ...(reading.range && { range: reading.range }),
    ...(reading.layout && { layout: reading.layout }),
    ...(reading.imageSize && { imageSize: reading.imageSize }),
    ...(reading.target !== undefined && { target: reading.target }),
    ...(reading.shape && { shape: reading.shape }),
    ...(goal !== 'robust' && tellsMembers(options, training)
      ? { members: options.data, membersTrained: training.n }
      : {}),
    ...(options.constraint !== undefined && { constraint: options.constraint }),
    norm: options.norm,
    eps: [eps],
    ...(attacks ? { attacks } : { level: options.level }),
    seed: options.seed,
    ...(options.threads !== undefined && { threads: options.threads }),
    out: folder,
    resume: options.resume,
    progress,
    say,
    signal,
  });
  if (assessment.status === 'partial')
    throw new GlacisError(
      'run/cancelled',
      'hardening: stopped while measuring; the same command with --resume goes on',
    );
  await writeAtomically(join(folder, ASSESSMENT), (write) => write(Buffer.from(toJson(assessment))));
}

/** Whether membership can be measured: classes, one a sample, that come with the data. */
function tellsMembers({ reading }: HardenOptions, { isReal, width }: Material): boolean {
  return !isReal && width === 1 && reading.labels === undefined;
}

/** What {@link measure} left. Errors: `data/unreadable`, `result/invalid`. */
export async function measured(folder: string): Promise<Assessment> {
  const path = join(folder, ASSESSMENT);
  try {
    return parseAssessment(await readFile(path, 'utf8'), path);
  } catch (error) {
    throw asGlacisError(error, 'data/unreadable', path);
  }
}
