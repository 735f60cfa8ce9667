import type { AskedAct } from '../../manage/ask-in-case.ts';

/** `GET /api/models/:name/classes`: names of the classes by number, where `classes` of the model's section (or of the lab) has them. They change with the configuration alone. */
export interface ModelClasses {
  readonly model: string;
  readonly classNames?: readonly string[] | undefined;
}

/**
 * `POST /api/models/:name/rollback {because?}`: the model as it is then (200), or this (202) where the policy wants two persons: what waits for the second one, and the case where that is
 * approved.
 */
export type AskedRollback = AskedAct;
