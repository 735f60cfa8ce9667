import { GlacisError } from '../../core/error.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import type { Before, StoredOrder } from './order-row.ts';

/** The models of this gateway, as far as a rollback concerns them. */
export interface Rollable {
  models(): readonly ModelStatus[];
  /** Puts the version before into service; with `follow`, as if nobody had rolled back: aliases are followed again. Errors: `option/invalid`, `registry/refused`. */
  rollback(model: string, by: string, options?: { readonly follow?: boolean }): Promise<void>;
}

/** Versions on both sides of a rollback of this model. Errors: `option/invalid` where there is none to go back to. */
export function rollbackOf(model: string, { models }: Pick<Rollable, 'models'>): Before {
  const status = models().find((each) => each.model === model);
  if (status === undefined)
    throw new GlacisError('option/invalid', `rollback: expected a model that is served, got '${model}'`);
  const { use, previous } = status;
  const fromDigest = digestInUse(status);
  if (previous === undefined || fromDigest === undefined || previous.digest === fromDigest)
    throw new GlacisError(
      'option/invalid',
      `rollback: expected a version before ${use} of ${model}, got none in memory`,
    );
  return { from: use, to: previous.version, fromDigest, toDigest: previous.digest };
}

/**
 * Brings a model's versions to what a rollback says, where this gateway has them as they were when it was ordered: `forth` carries it out, otherwise it is taken back. Does
 * nothing where the model is as it should be, or is something else by now. Gives whether something was changed. Errors: `registry/refused` where the version may not be served
 * any more.
 */
export async function settleRollback(
  { order, before }: StoredOrder,
  forth: boolean,
  around: Rollable,
  by: string,
): Promise<boolean> {
  const status = around.models().find((each) => each.model === order.target.model);
  if (status?.previous === undefined) return false;
  const [from, to] = forth ? [before.fromDigest, before.toDigest] : [before.toDigest, before.fromDigest];
  if (digestInUse(status) !== from || status.previous.digest !== to) return false;
  await around.rollback(status.model, by, { follow: !forth });
  return true;
}

function digestInUse({ use, versions }: ModelStatus): string | undefined {
  return versions.find(({ version }) => version === use)?.digest;
}
