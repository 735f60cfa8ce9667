import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Material } from '../train/material.ts';
import type { TrainingConstraint } from '../train/objective/inner-attack.ts';
import { checkMaterial } from '../train/plan/constraint.ts';
import { openConstraint } from './open-constraint.ts';

/**
 * The constraint of the file at `path` for training on `materials`, all of whose samples satisfy it.
 * Errors: those of {@link openConstraint}; `data/mismatch` for a sample that does not satisfy it.
 */
export async function openTrainingConstraint(
  path: string,
  materials: readonly [Material, ...Material[]],
  signal?: AbortSignal,
): Promise<TrainingConstraint> {
  const [{ shape, bounds, columns }] = materials;
  const constraint = (await openConstraint({ constraint: path, signal }, shape, bounds, columns))!;
  for (const material of materials) checkMaterial(constraint, material);
  const digest = `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
  return { constraint, digest };
}
