import type { Detail } from './detail.ts';
import type { GuardedInput, InputGuard } from './guard.ts';
import type { Principal } from './principal.ts';
import type { RunOptions, ServedModel } from './served-model.ts';
import type { StandInAnswer } from './stand-in-answer.ts';

/** What measures in force mean for calls. Answers at once, in microseconds; nothing here ever allows what would not be allowed without it. */
export interface CallOrders {
  /** The version that answers: the one found, or the one before it where a rollback says so. Rights are asked about what this gives. */
  route(found: ServedModel | undefined): ServedModel | undefined;
  /** What holds for a call; undefined for nearly every one. */
  about(principal: Principal, address: string, model: ServedModel): Restraint | undefined;
}

/** What holds for one call. */
export interface Restraint {
  /** Which measures, for the log. */
  readonly because: string;
  /** Errors: `Refused` `unknown` for who is kept out, as for somebody without rights; `unavailable` where the model answers nothing. */
  admit(): void;
  /** Takes a call of `n` samples. Errors: `Refused` `throttled`. */
  take(n: number): void;
  /** The most detail that is told. */
  readonly most: Detail | undefined;
  /** The guards, some of them stricter. */
  guards(own: readonly InputGuard[]): readonly InputGuard[];
  /** Asks the model that answers in place of the first one. Errors: `Refused` `unavailable`. */
  readonly standIn: ((call: GuardedInput, options: RunOptions) => Promise<StandInAnswer>) | undefined;
}
