import type { ErrorCode } from '../../core/error.ts';
import type { Alarm } from '../alarm.ts';
import type { AnalysisEnd } from './analysis.ts';
import type { PastBatch } from './batch.ts';

/** To a thread of monitors: what was read, or that there is no more. */
export type AnalysisRequest =
  | { readonly kind: 'batch'; readonly batch: PastBatch }
  | { readonly kind: 'end' };

/** From it: an answer to each. */
export type AnalysisReply =
  | { readonly kind: 'seen'; readonly alarms: readonly Alarm[] }
  | { readonly kind: 'end'; readonly end: AnalysisEnd }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };
