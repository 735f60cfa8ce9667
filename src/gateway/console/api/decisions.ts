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

/**
 * `POST /api/decisions/:idOrEntry/input {why?}`: what was really sent, where `serve.log.payloads` keeps it. It takes the right `log.payload`; each reading is an entry of the log. The same
 * for a decision that is held: the id of a review is its decision's.
 */
export interface DecisionInput {
  readonly entry: number;
  readonly id: string;
  readonly model: string;
  readonly version: string | undefined;
  /** Samples of the call. */
  readonly n: number;
  /** `not-kept`: the policy did not keep it. `erased`: the key of whom it is about was destroyed, nobody can read it any more. `unreadable`: see `because`. */
  readonly state: 'kept' | 'not-kept' | 'erased' | 'unreadable';
  readonly because?: string | undefined;
  /** Shape of a sample, where it is kept. */
  readonly dims?: readonly number[] | undefined;
  /** How a sample is a picture, where it is one. */
  readonly picture?:
    | {
        readonly channels: number;
        readonly height: number;
        readonly width: number;
        readonly layout: 'chw' | 'hwc';
      }
    | undefined;
  /** Least and greatest value, where the configuration says. */
  readonly range?: readonly [number, number] | undefined;
  /** Why no sample is shown of a call that was kept: one has more numbers than are. */
  readonly tooLarge?: { readonly numbers: number; readonly most: number } | undefined;
  /** The first samples, 16 at most, row-major in the model's own layout; null where a value is no number. Empty unless kept. */
  readonly samples: readonly (readonly (number | null)[])[];
}
