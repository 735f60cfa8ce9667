import { randomFillSync } from 'node:crypto';
import type { Decision, GuardRecord } from './decision.ts';
import type { Detail } from './detail.ts';
import type { Restraint } from './orders.ts';
import type { Principal } from './principal.ts';
import type { Payload } from './recorder.ts';
import type { ServedModel } from './served-model.ts';
import type { CallSpan } from './stages.ts';
import type { StandInAnswer } from './stand-in-answer.ts';

/** What is known of a call so far: whatever ends it, this is what the log gets. */
export interface CallTrace {
  readonly id: string;
  readonly at: number;
  /** Where it is traced. */
  readonly span: CallSpan | undefined;
  principal?: Principal;
  model?: ServedModel;
  /** What measures in force say of it. */
  restraint?: Restraint | undefined;
  /** Who answered in place of the model. */
  by?: StandInAnswer['by'];
  n: number;
  detail?: Detail;
  because?: string;
  readonly guards: GuardRecord[];
  input?: Decision['input'];
  top?: Decision['top'];
  divergence?: number;
  explained?: Decision['explained'];
  payload?: Payload;
  /** The main input as floats. */
  floats?: () => Float32Array | undefined;
  /** Queries that the budget was charged. */
  taken?: number;
}

/** A call of which nothing is known but when it came, in milliseconds since 1970. */
export function beginTrace(at: number, span?: CallSpan): CallTrace {
  return { id: freshId(), at, span, n: 0, guards: [] };
}

const POOL = Buffer.alloc(16 * 256);
let used = POOL.length;

/** 128 random bits; drawn for 256 ids at a time. */
function freshId(): string {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += 16;
  return POOL.toString('hex', used - 16, used);
}
