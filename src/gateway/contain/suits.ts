import { GlacisError } from '../../core/error.ts';
import type { OrderWish } from '../../incident/order.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import type { InputGuard } from '../guard.ts';
import type { ServedModel } from '../served-model.ts';
import type { StandIn } from './stand-in.ts';

/** What this gateway serves, to hold wishes against. */
export interface Served {
  models(): readonly ModelStatus[];
  find(model: string, version?: string): ServedModel | undefined;
  guards(model: ServedModel): readonly InputGuard[];
  standInFor(model: ServedModel): StandIn;
}

/** Errors: `option/invalid` for a wish about a model, guard or verifying model that is not there. */
export function checkSuits({ measure, target, guard }: OrderWish, served: Served): void {
  const refuse = (expected: string, got: string): never => {
    throw new GlacisError('option/invalid', `order: expected ${expected}, got '${got}'`);
  };
  const named = target.model === undefined ? undefined : served.find(target.model);
  if (target.model !== undefined && named === undefined) refuse('a model that is served', target.model);
  if (measure === 'verify') served.standInFor(named!);
  if (guard === undefined) return;
  const models = named ? [named] : served.models().flatMap(({ model }) => served.find(model) ?? []);
  const known = models.flatMap((model) => served.guards(model)).map(({ name }) => name);
  if (!known.includes(guard.name))
    refuse(`a guard that is on (${[...new Set(known)].sort().join(', ') || 'there is none'})`, guard.name);
}
