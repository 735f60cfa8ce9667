import { asGlacisError } from '../core/error.ts';
import type { Caller, Reply } from './call.ts';
import type { CallTrace } from './call-trace.ts';
import type { Decision } from './decision.ts';
import { type Refusal, Refused } from './refusal.ts';
import type { Stages } from './stages.ts';
import type { StandInAnswer } from './stand-in-answer.ts';
import { latencyBucket } from './summary.ts';
import type { Timed } from './timed-stages.ts';

/** What was asked, as far as the end of a call needs it. */
export interface Concluded {
  readonly caller: Caller;
  readonly model: string;
  readonly version: string | undefined;
  readonly arrived: number;
  /** What the caller gave as the request's `id`. */
  readonly id?: string | undefined;
  readonly wantsReceipt?: boolean;
}

/** The end of every call. */
export interface Conclusion {
  /**
   * Writes the decision down and waits until the answer is due. Not written: nothing may be said. Written without an entry: a refusal that is gathered with others alike.
   */
  conclude(
    trace: CallTrace,
    asked: Concluded,
    outcome: Decision['outcome'],
  ): Promise<{ readonly isWritten: boolean; readonly entry: number | undefined }>;
  /** Ends a call that something was thrown in. */
  refused(trace: CallTrace, thrown: unknown, asked: Concluded): Promise<Extract<Reply, { kind: 'refusal' }>>;
  /** The proof of an entry; undefined where there is none, or none can be made now. */
  receiptOf(entry: number | undefined): Promise<string | undefined>;
}

/** Refusals that are not the caller's doing. */
const OUR_DOING: ReadonlySet<Refusal> = new Set(['failed', 'unavailable', 'late']);

/** What ends calls, answers and refusals alike. */
export function openConclusion(stages: Stages, timed: Timed): Conclusion {
  const { recorder, floods, observer, clock } = stages;
  const conclude: Conclusion['conclude'] = async (trace, asked, outcome) => {
    const decision = decisionOf(trace, asked, outcome, clock() - asked.arrived);
    let entry: number | undefined;
    try {
      if (floods?.takes(decision)) return { isWritten: true, entry };
      entry = await timed(trace, 'record', () => recorder.record(decision, trace.payload));
      return { isWritten: true, entry };
    } catch (thrown) {
      observer.failed('log', thrown);
      return { isWritten: false, entry };
    } finally {
      observer.decided(decision, { milliseconds: clock() - asked.arrived, entry, floats: trace.floats });
      const due = stages.schedule.due(asked.arrived);
      if (due) await timed(trace, 'wait', () => due);
      trace.span?.end(decision);
    }
  };
  const receiptOf = async (entry: number | undefined): Promise<string | undefined> => {
    if (entry === undefined) return undefined;
    try {
      return await recorder.receipt(entry);
    } catch (thrown) {
      observer.failed('receipt', thrown);
      return undefined;
    }
  };
  return {
    conclude,
    receiptOf,
    async refused(trace, thrown, asked) {
      const end = asRefused(thrown, observer.failed);
      trace.because = end.because;
      if (end.divergence !== undefined) {
        trace.divergence = end.divergence;
        trace.guards.push({ guard: 'verify', action: 'refuse', score: end.divergence });
      }
      const { principal, model } = trace;
      if (trace.taken && principal && model && OUR_DOING.has(end.refusal))
        stages.budgets.refund?.(principal, model.name, trace.taken);
      const { isWritten, entry } = await conclude(trace, asked, end.refusal);
      return {
        kind: 'refusal',
        refusal: isWritten ? end.refusal : 'unavailable',
        retryAfter: isWritten ? end.retryAfter : undefined,
        id: asked.id,
        decision: trace.id,
        receipt: asked.wantsReceipt ? await receiptOf(entry) : undefined,
      };
    },
  };
}

function decisionOf(
  trace: CallTrace,
  { caller, model, version }: Concluded,
  outcome: Decision['outcome'],
  milliseconds: number,
): Decision {
  const { principal, model: served, by } = trace;
  return {
    kind: 'decision',
    id: trace.id,
    at: trace.at,
    principal: principal?.id,
    tenant: principal?.tenant,
    credential: principal?.credential,
    address: caller.address,
    model,
    version: by ? nameOf(by, model) : (served?.version ?? version),
    digest: by?.digest ?? served?.digest,
    n: trace.n,
    outcome,
    because: trace.because,
    detail: outcome === 'answered' ? trace.detail : undefined,
    guards: trace.guards,
    input: trace.input,
    top: trace.top,
    divergence: trace.divergence,
    explained: outcome === 'answered' ? trace.explained : undefined,
    bucket: latencyBucket(milliseconds),
  };
}

/** The version that answered in place of a model, under which the log has it: with its model's name where that is another. */
function nameOf({ name, version }: StandInAnswer['by'], model: string): string {
  return name === model ? version : `${name}@${version}`;
}

/** What ends a call: an expected refusal as it is; anything else is told to nobody outside. */
function asRefused(thrown: unknown, failed: (where: string, thrown: unknown) => void): Refused {
  if (thrown instanceof Refused) return thrown;
  failed('call', thrown);
  return new Refused('failed', asGlacisError(thrown, 'run/failed', 'call').message, { cause: thrown });
}
