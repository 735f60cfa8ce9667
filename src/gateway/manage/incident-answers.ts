import type { AffectedDecision, ImpactSummary } from '../../incident/impact/impact.ts';
import { type PastDecision, strongestGuard } from '../../incident/past.ts';
import type { DecisionRow, Impact, ImpactScope } from '../console/api.ts';

/** A decision as a list shows it. */
export function rowOf(decision: PastDecision): DecisionRow {
  const {
    entry,
    id,
    at,
    principal,
    tenant,
    model,
    version,
    n,
    outcome: end,
    because,
    top,
    divergence,
  } = decision;
  const worst = strongestGuard(decision);
  return {
    ...{ entry, id, at, principal, tenant, model, version, n, outcome: end },
    ...(because !== undefined && { because }),
    ...(top && { top: top.slice(0, 8) }),
    ...(worst && worst.action !== 'pass' && { guard: { ...worst, score: worst.score ?? 0 } }),
    ...(divergence !== undefined && { divergence }),
  };
}

/** A search with one page of what it found. */
export function impactOf(
  {
    id,
    state,
    because,
    scope: asked,
    against,
    looked,
    affected,
    replayed,
    different,
    ...rest
  }: ImpactSummary,
  { rows, next }: { readonly rows: readonly AffectedDecision[]; readonly next?: string | undefined },
): Impact {
  const { unkept, progress, principals, bundle } = rest;
  return {
    ...{ id, state, because, scope: asked satisfies ImpactScope, against },
    ...{ looked, affected, replayed, different, unkept, progress, principals, bundle, next },
    rows: rows.map((each) => ({
      ...rowOf(each),
      different: each.different,
      ...(each.now && { now: each.now.slice(0, 8) }),
    })),
  };
}
