import { randomFillSync } from 'node:crypto';
import { asGlacisError } from '../core/error.ts';
import { dataToBytes, type Tensor } from '../oip/index.ts';
import type { Caller, Question, Reply } from './call.ts';
import { checkInputs } from './check-inputs.ts';
import type { Decision, GuardRecord } from './decision.ts';
import { type Detail, lesser } from './detail.ts';
import type { Described, Gateway, Malformed } from './gateway.ts';
import { guardedAnswer, guardedInput, judge } from './guarded-call.ts';
import type { BudgetStep } from './limits.ts';
import type { Restraint } from './orders.ts';
import type { Principal } from './principal.ts';
import type { Payload } from './recorder.ts';
import { type Refusal, Refused } from './refusal.ts';
import type { Operation } from './rights.ts';
import type { ModelAnswer, ServedModel } from './served-model.ts';
import type { Stage, Stages } from './stages.ts';
import type { StandInAnswer } from './stand-in-answer.ts';
import { inputSummary, latencyBucket, topClasses } from './summary.ts';

/** What is known of a call so far: whatever ends it, this is what the log gets. */
interface Trace {
  readonly id: string;
  readonly at: number;
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
  payload?: Payload;
  /** The main input as floats. */
  floats?: () => Float32Array | undefined;
  /** Whether the budget was charged. */
  taken?: boolean;
}

/** Refusals that are not the caller's doing. */
const OUR_DOING: ReadonlySet<Refusal> = new Set(['failed', 'unavailable', 'late']);

/**
 * The straight line of a call: who asks, whether they may, whether they still may, whether the input is sound, what the model says, how much of it is told; then
 * the log, then the answer. Allowing and refusing take the same way, and nothing leaves before its entry is on the disk.
 */
export function openPipeline(stages: Stages): Gateway {
  const { recorder, observer, limits, clock } = stages;
  /** Times a stage. What needs no waiting comes back as it is: a promise for each of eight stages would cost more than most of them. */
  const timed = <T>(stage: Stage, work: () => Promise<T> | T): Promise<T> | T => {
    const start = clock();
    const end = () => observer.stage(stage, clock() - start);
    let done: Promise<T> | T;
    try {
      done = work();
    } catch (thrown) {
      end();
      throw thrown;
    }
    if (done instanceof Promise) return done.finally(end);
    end();
    return done;
  };

  /** Who asks, and which model answers. Unknown and forbidden models end alike, after the same questions. */
  const admit = async (
    trace: Trace,
    {
      caller,
      model,
      version,
      operation,
    }: {
      readonly caller: Caller;
      readonly model: string;
      readonly version: string | undefined;
      readonly operation: Operation;
    },
  ): Promise<{ readonly principal: Principal; readonly served: ServedModel; readonly most: Detail }> => {
    const given = stages.identifier.identify(caller);
    const principal = given instanceof Promise ? await given : given;
    trace.principal = principal;
    const found = stages.routes.find(model, version, principal);
    const served = stages.orders ? stages.orders.route(found) : found;
    const { detail, because } = stages.rights.decide(principal, {
      model,
      version: served?.version ?? version,
      operation,
      address: caller.address,
    });
    if (detail === undefined) throw new Refused('unknown', because);
    if (served === undefined) throw new Refused('unknown', 'no such model or version');
    trace.model = served;
    trace.restraint = stages.orders?.about(principal, caller.address, served);
    trace.restraint?.admit();
    return { principal, served, most: detail };
  };
  const limited = (principal: Principal | undefined, address: string, n: number): Promise<void> | void => {
    const refuse = (wait: number | undefined): void => {
      if (wait !== undefined) throw new Refused('throttled', 'a rate limit', { retryAfter: wait });
    };
    const given = stages.rates.take({ principal, address }, n);
    return given instanceof Promise ? given.then(refuse) : refuse(given);
  };

  /** Guessing at credentials, names or shapes is a request, too: what ends before the limits were asked is counted all the same. */
  const charged = async <T>(trace: Trace, { address }: Caller, work: () => Promise<T> | T): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      await limited(trace.principal, address, 1);
      throw thrown;
    }
  };

  const answer = async (question: Question, trace: Trace): Promise<readonly Tensor[]> => {
    const { request, caller } = question;
    const { principal, served, most, inputs, n } = await charged(trace, caller, async () => {
      const { model, version } = question;
      const admitted = await timed('admit', () =>
        admit(trace, { caller, model, version, operation: 'infer' }),
      );
      return { ...admitted, ...checkInputs(request, admitted.served.metadata, limits.mostSamples) };
    });
    trace.n = n;
    const { restraint } = trace;
    const step = await timed('limit', () => {
      restraint?.take(n);
      const spend = (): Promise<BudgetStep> | BudgetStep => stages.budgets.take(principal, served.name, n);
      const waited = limited(principal, caller.address, n);
      return waited ? waited.then(spend) : spend();
    });
    if (step === 'refuse') throw new Refused('exhausted', 'the query budget');
    trace.taken = true;
    const call = guardedInput({
      model: served,
      principal,
      n,
      inputs,
      parameters: request.parameters,
      now: trace.at,
    });
    trace.input = inputSummary(call);
    trace.floats = call.floats;
    trace.payload = {
      input: inputs.map(dataToBytes),
      output: [],
      subject: stages.subjectOf?.(request.parameters ?? {}),
    };
    const own = stages.guards(served);
    const guards = restraint?.guards(own) ?? own;
    const before = guards.filter(({ phase }) => phase === 'before');
    const after = guards.filter(({ phase }) => phase === 'after');
    const first = await timed('guard', () => judge(before, call, trace.guards, observer.failed));
    const verifier = stages.verifier(served);
    const options = {
      n,
      signal: question.signal,
      deadline: question.arrived + limits.timeout,
      features: after.some(({ features }) => features),
    };
    const other = restraint?.standIn?.(call, options);
    // Heard below; where the first model fails there is nobody to hear it.
    other?.catch(() => {});
    if (other === undefined) verifier?.begin?.(call, trace.id);
    const said: ModelAnswer = await timed('run', () => served.run(inputs, options));
    const answered = guardedAnswer(call, said);
    const told = other === undefined ? said : await timed('verify', () => other);
    if (other !== undefined) trace.by = (await other).by;
    const shown = told === said ? answered : guardedAnswer(call, told);
    trace.top = topClasses(shown.scores(), n, served.classifier?.gives);
    const second = await timed('guard', () => judge(after, answered, trace.guards, observer.failed));
    const verified = await timed('verify', () =>
      other === undefined ? verifier?.check(call, said, trace.id) : undefined,
    );
    if (verified !== undefined) {
      trace.divergence = verified.divergence;
      const action = verified.action === 'flag' ? 'flag' : 'pass';
      trace.guards.push({ guard: 'verify', action, score: verified.divergence });
    }
    const allowed = first === 'degrade' || second === 'degrade' ? 'label' : most;
    const detail = restraint?.most === undefined ? allowed : lesser(allowed, restraint.most);
    trace.detail = step === 'label' ? lesser(detail, 'label') : detail;
    if (restraint) trace.because = restraint.because;
    return timed('shape', () => {
      const outputs = stages.answers(served).shape(call, told, { detail, step });
      return request.outputs === undefined
        ? outputs
        : request.outputs.map(({ name }) => outputs.find((output) => output.name === name)!);
    });
  };

  /** Writes the decision down and waits until the answer is due. `undefined`: it could not be written, so nothing may be said. */
  const conclude = async (
    trace: Trace,
    asked: {
      readonly caller: Caller;
      readonly model: string;
      readonly version: string | undefined;
      readonly arrived: number;
    },
    outcome: Decision['outcome'],
  ): Promise<number | undefined> => {
    const { principal, model: served, by } = trace;
    const decision: Decision = {
      kind: 'decision',
      id: trace.id,
      at: trace.at,
      principal: principal?.id,
      tenant: principal?.tenant,
      credential: principal?.credential,
      address: asked.caller.address,
      model: asked.model,
      version: by ? nameOf(by, asked.model) : (served?.version ?? asked.version),
      digest: by?.digest ?? served?.digest,
      n: trace.n,
      outcome,
      because: trace.because,
      detail: outcome === 'answered' ? trace.detail : undefined,
      guards: trace.guards,
      input: trace.input,
      top: trace.top,
      divergence: trace.divergence,
      bucket: latencyBucket(clock() - asked.arrived),
    };
    let entry: number | undefined;
    try {
      entry = await timed('record', () => recorder.record(decision, trace.payload));
      return entry;
    } catch (thrown) {
      observer.failed('log', thrown);
      return undefined;
    } finally {
      observer.decided(decision, { milliseconds: clock() - asked.arrived, entry, floats: trace.floats });
      const due = stages.schedule.due(asked.arrived);
      if (due) await timed('wait', () => due);
    }
  };

  const begin = (): Trace => ({ id: freshId(), at: stages.now(), n: 0, guards: [] });
  const refused = async (
    trace: Trace,
    thrown: unknown,
    asked: Parameters<typeof conclude>[1] & {
      readonly id?: string | undefined;
      readonly wantsReceipt?: boolean;
    },
  ): Promise<Extract<Reply, { kind: 'refusal' }>> => {
    const end = asRefused(thrown, observer.failed);
    trace.because = end.because;
    if (end.divergence !== undefined) {
      trace.divergence = end.divergence;
      trace.guards.push({ guard: 'verify', action: 'refuse', score: end.divergence });
    }
    const { principal, model } = trace;
    if (trace.taken && principal && model && OUR_DOING.has(end.refusal))
      stages.budgets.refund?.(principal, model.name, trace.n);
    const index = await conclude(trace, asked, end.refusal);
    const unwritten = index === undefined;
    return {
      kind: 'refusal',
      refusal: unwritten ? 'unavailable' : end.refusal,
      retryAfter: unwritten ? undefined : end.retryAfter,
      id: asked.id,
      decision: trace.id,
      receipt: asked.wantsReceipt && !unwritten ? await receiptOf(index) : undefined,
    };
  };
  const receiptOf = async (index: number): Promise<string | undefined> => {
    try {
      return await recorder.receipt(index);
    } catch (thrown) {
      observer.failed('receipt', thrown);
      return undefined;
    }
  };

  const look = async (
    caller: Caller,
    model: string,
    version: string | undefined,
    operation: Operation,
  ): Promise<Described> => {
    const trace = begin();
    const arrived = clock();
    try {
      usable(recorder.broken);
      const { served, principal } = await charged(trace, caller, () =>
        timed('admit', () => admit(trace, { caller, model, version, operation })),
      );
      trace.restraint?.take(1);
      await limited(principal, caller.address, 1);
      const due = stages.schedule.due(arrived);
      if (due) await due;
      return { kind: 'description', metadata: served.metadata };
    } catch (thrown) {
      return refused(trace, thrown, { caller, model, version, arrived });
    }
  };

  return {
    isReady: () => recorder.broken === undefined,
    mostBytes: limits.mostBytes,
    mostSamples: limits.mostSamples,
    async infer(question) {
      const trace = begin();
      const { caller, model, version, arrived, wantsReceipt } = question;
      const { id } = question.request;
      const asked = { caller, model, version, arrived, id, wantsReceipt };
      try {
        usable(recorder.broken);
        const outputs = await answer(question, trace);
        trace.payload = { ...trace.payload!, output: outputs.map(dataToBytes) };
        const index = await conclude(trace, asked, 'answered');
        if (index === undefined) return { kind: 'refusal', refusal: 'unavailable', id, decision: trace.id };
        return {
          kind: 'answer',
          decision: trace.id,
          receipt: wantsReceipt ? await receiptOf(index) : undefined,
          response: {
            modelName: trace.model!.name,
            modelVersion: trace.model!.version,
            ...(id !== undefined && { id }),
            outputs,
          },
        };
      } catch (thrown) {
        return refused(trace, thrown, asked);
      }
    },
    describe: (caller, model, version) => look(caller, model, version, 'metadata'),
    modelReady: (caller, model, version) => look(caller, model, version, 'ready'),
    async malformed(caller: Caller, { refusal, because, model, arrived }: Malformed) {
      const trace = begin();
      let end: unknown = new Refused(refusal, because);
      try {
        await limited(undefined, caller.address, 1);
      } catch (thrown) {
        end = thrown;
      }
      return refused(trace, end, { caller, model: model ?? '', version: undefined, arrived });
    },
  };
}

/** The version that answered in place of a model, under which the log has it: with its model's name where that is another. */
function nameOf({ name, version }: StandInAnswer['by'], model: string): string {
  return name === model ? version : `${name}@${version}`;
}

/** Nothing is served that cannot be recorded. */
function usable(broken: string | undefined): void {
  if (broken !== undefined) throw new Refused('unavailable', `the log: ${broken}`);
}

/** What ends a call: an expected refusal as it is; anything else is told to nobody outside. */
function asRefused(thrown: unknown, failed: (where: string, thrown: unknown) => void): Refused {
  if (thrown instanceof Refused) return thrown;
  failed('call', thrown);
  return new Refused('failed', asGlacisError(thrown, 'run/failed', 'call').message, { cause: thrown });
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
