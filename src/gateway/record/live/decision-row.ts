import type { DecisionDetail, DecisionRow } from '../../console/api.ts';
import type { Decision } from '../../decision.ts';
import { ACTIONS } from '../../guard.ts';
import { type DecisionEntry, readEntry, type Who } from '../read-entry.ts';

/** Samples of which a list shows the class. */
const MOST_TOP = 8;

/** What a list needs of a decision: an entry of the log has it, and a call that has just ended. */
type Listed = Pick<DecisionEntry['decision'], 'id' | 'at' | 'model' | 'n' | 'outcome'> & {
  readonly version?: string | undefined;
  readonly because?: string | undefined;
  readonly guards: readonly {
    readonly guard: string;
    readonly action: string;
    readonly score: number | null;
  }[];
  readonly divergence?: number | null | undefined;
  readonly top?: unknown;
};

/** A decision as a list shows it; `who` where whoever looks may know. */
export function decisionRow(
  entry: number,
  { decision }: { readonly decision: Listed },
  who: Pick<Who, 'principal' | 'tenant'> | undefined,
): DecisionRow {
  const { id, at, model, version, n, outcome, because, guards, divergence } = decision;
  const top = decision.top as DecisionRow['top'];
  const strongest = guards.reduce<(typeof guards)[number] | undefined>((worst, each) => {
    const grave = (action: string) => ACTIONS.indexOf(action as (typeof ACTIONS)[number]);
    return grave(each.action) > (worst === undefined ? 0 : grave(worst.action)) ? each : worst;
  }, undefined);
  return {
    ...{ entry, id, at, n, model, version, outcome },
    principal: who?.principal,
    tenant: who?.tenant,
    ...(because !== undefined && { because }),
    ...(Array.isArray(top) && { top: top.slice(0, MOST_TOP) }),
    ...(strongest && {
      guard: { guard: strongest.guard, action: strongest.action, score: strongest.score ?? 0 },
    }),
    ...(typeof divergence === 'number' && { divergence }),
  };
}

/** An entry with everything that is in it; `who` where it is open. */
export function entryDetail(index: number, bytes: Uint8Array, who: Who | undefined): DecisionDetail {
  const text = Buffer.from(bytes).toString('utf8');
  const entry = readEntry(bytes);
  if (entry === undefined) return { entry: index, text };
  if (entry.schema === 'glacis.event/1') return { entry: index, text, event: entry.event };
  const decision = { ...entry.decision, ...who } as unknown as Omit<Decision, 'kind'>;
  return { entry: index, text, decision };
}
