/** A version of a model that is or was served. */
export interface ModelRow {
  model: string;
  version: string;
  digest: string;
  /** Where it was loaded from. */
  source: string;
  /** `loading`, `ready`, `canary`, `shadow`, `retired`, `refused` … */
  state: string;
  /** Share of the calls that it answers, of a canary. */
  share: number;
  added: number;
  changed: number;
  actor: string;
  /** JSON object. */
  about: string;
}

/** A name for a version: the one in service, the one before it. */
export interface AliasRow {
  model: string;
  alias: string;
  version: string;
  changed: number;
  actor: string;
}
