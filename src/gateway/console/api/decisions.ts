import type { Decision } from '../../decision.ts';

/** A decision in a list: `GET /api/decisions?principal=&tenant=&model=&digest=&outcome=&id=&from=&to=&before=&most=`: `Page<DecisionRow>`. */
export interface DecisionRow {
  readonly entry: number;
  readonly id: string;
  readonly at: number;
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly model: string;
  readonly version: string | undefined;
  readonly n: number;
  readonly outcome: string;
  readonly because?: string | undefined;
  readonly top?: readonly (readonly [label: number, score: number])[] | undefined;
  /** The strongest word of a guard. */
  readonly guard?: { readonly guard: string; readonly action: string; readonly score: number } | undefined;
  readonly divergence?: number | undefined;
}

/** `GET /api/decisions/:idOrEntry`. `GET /api/receipts/:entry` is the tlog-proof (text), `GET /api/trust` the keys to check it with: the browser does that itself. */
export interface DecisionDetail {
  readonly entry: number;
  /** The entry's bytes as they are in the log (UTF-8, canonical JSON): what the leaf of the tree is made of. */
  readonly text: string;
  readonly decision?: Omit<Decision, 'kind'> | undefined;
  /** The event, where it is none about a call. */
  readonly event?:
    | {
        readonly event: string;
        readonly by: string;
        readonly at: number;
        readonly about: Readonly<Record<string, unknown>>;
      }
    | undefined;
}
