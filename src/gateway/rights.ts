import type { Caller } from './call.ts';
import type { Detail } from './detail.ts';
import type { Principal } from './principal.ts';

/** What may be done with a model on the public side. */
export const OPERATIONS = ['infer', 'metadata', 'ready'] as const;

/** One of {@link OPERATIONS}. */
export type Operation = (typeof OPERATIONS)[number];

/** Verifies credentials. */
export interface Identifier {
  /** Errors: `Refused` `unauthenticated` (`because` says which check failed), `unavailable` where nobody can tell. */
  identify(caller: Caller): Promise<Principal> | Principal;
}

/** Decides what a principal may do. */
export interface Rights {
  /**
   * The most detail that the principal may have of this model's answers, or undefined where it may not do this at all; and why, for the log. Who asks for a
   * model that does not exist is asked about, too, so that both take the same way.
   */
  decide(
    principal: Principal,
    what: {
      readonly model: string;
      /** The version that would answer. */
      readonly version: string | undefined;
      readonly operation: Operation;
      readonly address: string;
    },
  ): { readonly detail: Detail | undefined; readonly because: string };
}
