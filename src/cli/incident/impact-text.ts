import type { ImpactScope } from '../../incident/impact/impact.ts';
import type { Given } from '../args.ts';
import { timeOf } from './show.ts';

/** Rows of the table; all of those that are kept are in the JSON. */
const MOST_ROWS = 50;
const MOST_NAMES = 20;

type Top = readonly (readonly [label: number, score: number])[] | undefined;

/** What a search found, as far as it is shown. */
export interface ShownImpact {
  readonly state: string;
  readonly because?: string | undefined;
  readonly against?: string | undefined;
  readonly looked: number;
  readonly affected: number;
  readonly replayed: number;
  readonly different: number;
  readonly unkept?: number | undefined;
  readonly principals: readonly {
    readonly principal: string;
    readonly decisions: number;
    readonly different: number;
  }[];
  readonly rows: readonly {
    readonly entry: number;
    readonly at: number;
    readonly principal: string | undefined;
    readonly model: string;
    readonly top?: Top;
    readonly now?: Top;
    readonly different?: boolean | undefined;
  }[];
  readonly bundle?: { readonly digest: string; readonly bytes: number } | undefined;
}

/** Counts, whom it met, a table of decisions that would have been others. Names of callers are in it as they are. */
export function impactLines(found: ShownImpact): readonly string[] {
  const { against, affected, looked, different, replayed, unkept = 0, principals, bundle } = found;
  const others = found.rows.filter((row) => row.different);
  return [
    ...(found.state === 'failed' ? [`failed: ${found.because}`] : []),
    `${affected} decisions affected, of ${looked} looked at${against === undefined ? '' : `; ${different} of ${replayed} replayed on ${against} would have been different`}`,
    ...(against !== undefined && unkept > 0
      ? [`${unkept} could not be replayed: their inputs were not kept, or the key is gone`]
      : []),
    ...principals
      .slice(0, MOST_NAMES)
      .map(
        (each) =>
          `  ${each.principal || 'nobody'}  ${each.decisions} decisions${each.different > 0 ? `, ${each.different} different` : ''}`,
      ),
    ...(others.length > 0 ? ['', 'entry  time  who  model  then → now'] : []),
    ...others
      .slice(0, MOST_ROWS)
      .map(
        ({ entry, at, principal, model, top, now }) =>
          `${entry}  ${timeOf(at)}  ${principal ?? 'nobody'}  ${model}  ${changes(top, now)}`,
      ),
    ...(different > MOST_ROWS ? [`… ${different - MOST_ROWS} more; --json has those that were kept`] : []),
    ...(bundle ? [`evidence ${bundle.digest} (${bundle.bytes} bytes)`] : []),
  ];
}

/** The samples of a call whose class is another now. */
function changes(then: Top = [], now: Top = []): string {
  const told = ([label, score]: readonly [number, number]) => `${label} (${score.toFixed(3)})`;
  return then
    .flatMap((each, i) => (now[i] === undefined ? [] : [`${told(each)} → ${told(now[i])}`]))
    .slice(0, 4)
    .join(', ');
}

/** The times and the model of `--after`, `--until` and `--model`. Errors: `option/invalid`. */
export function within(given: Given): Pick<ImpactScope, 'model' | 'from' | 'to'> {
  return { model: given.text('model'), from: given.time('after'), to: given.time('until') };
}

/** What a search is asked about. Errors: `option/invalid`. */
export function impactScope(given: Given): ImpactScope {
  return {
    ...within(given),
    version: given.text('version'),
    digest: given.text('digest'),
    principal: given.text('principal'),
    tenant: given.text('tenant'),
  };
}
