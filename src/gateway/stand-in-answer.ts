import type { ModelAnswer } from './served-model.ts';

/** What another model said, with the names, types and shapes of the first one's metadata. */
export interface StandInAnswer extends ModelAnswer {
  /** Which version said it, for the log. */
  readonly by: { readonly name: string; readonly version: string; readonly digest: string };
}
