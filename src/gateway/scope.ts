import type { Detail } from './detail.ts';
import type { Operation } from './rights.ts';

/** What a credential is confined to: it can do less than policies allow, never more. */
export interface Scope {
  /** Names of models; `*` alone stands for any. */
  readonly models: readonly string[];
  readonly operations: readonly Operation[];
  /** The most detail of an answer. */
  readonly detail: Detail;
}
