import { GlacisError } from '../../core/error.ts';
import { fitsPattern } from '../../policy/name-pattern.ts';
import type { ServeConfig } from '../config/serve-schema.ts';
import { type GuardsConfig, guardsSchema } from '../guards/config-schema.ts';
import { wantsFeatures } from '../guards/open-guards.ts';
import type { BudgetLimit } from '../limits/budgets-schema.ts';
import type { Change } from './change.ts';

const FOUR_WEEKS = 28 * 86_400_000;

/** A configuration with a change on top. Errors: `option/invalid` where the change does not fit it. */
export function withChange(config: ServeConfig, change: Change): ServeConfig {
  switch (change.kind) {
    case 'guard':
      return withGuard(config, change);
    case 'budget':
      return withBudget(config, change);
    case 'rates':
      return { ...config, rates: { ...config.rates, limits: change.limits } };
  }
}

function withGuard(
  config: ServeConfig,
  { model, guard, options }: Extract<Change, { kind: 'guard' }>,
): ServeConfig {
  const changed = (guards: GuardsConfig): GuardsConfig => {
    const read = guardsSchema.safeParse({ ...guards, [guard]: options });
    if (read.success) {
      // A model is opened with the features of its last layer, or without.
      if (wantsFeatures(read.data) && !wantsFeatures(guards))
        throw new GlacisError(
          'option/invalid',
          `guard ${guard}: expected one that needs no features, for which the model would be opened anew: put it into the file and reload`,
        );
      return read.data;
    }
    const [issue] = read.error.issues;
    throw new GlacisError('option/invalid', `guard ${guard}: ${issue!.path.join('.')}: ${issue!.message}`);
  };
  if (model !== undefined) {
    if (!Object.hasOwn(config.models, model))
      throw new GlacisError('option/invalid', `guard ${guard}: expected a served model, got '${model}'`);
    const own = Object.hasOwn(config.only, model) ? config.only[model]! : {};
    const guards = changed(own.guards ?? config.guards);
    return { ...config, only: { ...config.only, [model]: { ...own, guards } } };
  }
  const only = Object.entries(config.only).map(([name, own]) => [
    name,
    own.guards === undefined ? own : { ...own, guards: changed(own.guards) },
  ]);
  return { ...config, guards: changed(config.guards), only: Object.fromEntries(only) as ServeConfig['only'] };
}

/**
 * Entries of its own in front of those of the file: the first that fits holds. Each counts as the one that held before, so that what was used stays used; without `models` there
 * is one for every entry that held.
 */
function withBudget(
  config: ServeConfig,
  { per, who, models, queries }: Extract<Change, { kind: 'budget' }>,
): ServeConfig {
  const { limits } = config.budgets;
  const held = limits.filter(
    (limit) =>
      limit.per === per && (per === 'model' || limit.who.some((pattern) => fitsPattern(pattern, who!))),
  );
  const whom = who === undefined ? ['*'] : [who];
  const plain = { per, who: whom, queries, together: false, window: FOUR_WEEKS };
  const own = (): readonly BudgetLimit[] => {
    if (models === undefined)
      return held.length === 0
        ? [{ ...plain, models: ['*'] }]
        : held.map((before) => ({ ...before, who: whom, queries }));
    const before = held.find((limit) =>
      models.every((model) => limit.models.some((each) => fitsPattern(each, model))),
    );
    if (before?.together === true && models.join() !== before.models.join())
      throw new GlacisError(
        'option/invalid',
        `budget: expected the models that are counted together (${before.models.join(', ')}), or none: another count would begin anew`,
      );
    return [{ ...(before ?? plain), who: whom, queries, models: [...models] }];
  };
  return { ...config, budgets: { ...config.budgets, limits: [...own(), ...limits] } };
}
