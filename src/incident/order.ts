/** What can be done at once against whatever goes on, each of them reversible. */
export const MEASURES = [
  'throttle',
  'degrade',
  'quarantine',
  'guard',
  'verify',
  'pause',
  'rollback',
  'freeze',
] as const;

/**
 * One of {@link MEASURES}. `throttle`: so many requests a minute; `degrade`: answers with less detail; `quarantine`: no answers at all (a principal, a tenant, a credential);
 * `guard`: a guard stricter; `verify`: the verifying model answers; `pause`: a model answers nothing; `rollback`: the version before is in service;
 * `freeze`: nothing in the registry is promoted.
 */
export type Measure = (typeof MEASURES)[number];

/** Whom or what a measure is for: all that is given must hold; nothing given is everybody (not allowed for `quarantine` and `throttle`). */
export interface OrderTarget {
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  readonly credential?: string | undefined;
  readonly address?: string | undefined;
  readonly model?: string | undefined;
}

/** What somebody wants done. */
export interface OrderWish {
  readonly measure: Measure;
  readonly target: OrderTarget;
  /** `throttle`: requests a minute. */
  readonly perMinute?: number | undefined;
  /** `degrade`: the most that is told. */
  readonly detail?: 'label' | 'scores' | undefined;
  /** `guard`: which, the factor on its threshold (0.5: twice as strict) and what it does then. */
  readonly guard?:
    | {
        readonly name: string;
        readonly strictness: number;
        readonly action?: 'flag' | 'degrade' | 'refuse' | undefined;
      }
    | undefined;
  /** Why, for the log. */
  readonly because: string;
  /** The case that it belongs to. */
  readonly case?: string | undefined;
  /** When it ends by itself, milliseconds since 1970. */
  readonly until?: number | undefined;
}

/** A measure that is or was in force. */
export interface Order extends OrderWish {
  readonly id: string;
  /** Who gave it; `glacis` where the policy did. */
  readonly by: string;
  /** When it was given; it holds from then on, on every gateway of the store within a second. */
  readonly at: number;
  readonly ended?: number | undefined;
  readonly endedBy?: string | undefined;
  /** A model's version before and after, of `rollback`. */
  readonly changed?: { readonly from: string; readonly to: string } | undefined;
}

/** Carries out measures. The gateway's part; cases ask for it. */
export interface Containment {
  /** Measures in force, the newest first. */
  active(): readonly Order[];
  /** All, the newest first. */
  list(query: { readonly case?: string; readonly most?: number }): Promise<readonly Order[]>;
  /** Why such a measure could not be taken now: there is no such model, guard, second model, version before. Undefined where it could; without this, nobody can tell. */
  against?(wish: OrderWish): string | undefined;
  /** In the log first, then in force when this returns. The same wish again gives the order that is in force. Errors: `option/invalid` (no such model, guard, version before), `output/unwritable`. */
  order(wish: OrderWish, by: string): Promise<Order>;
  /** Takes it back: things are as they were before. Errors: `option/invalid` where there is none. */
  lift(id: string, by: string): Promise<Order>;
}
