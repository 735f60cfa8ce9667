import { dataToBytes, type Tensor } from '../oip/index.ts';
import type { Caller, Question } from './call.ts';
import { beginTrace, type CallTrace } from './call-trace.ts';
import { checkInputs } from './check-inputs.ts';
import { openConclusion } from './conclude.ts';
import { type Detail, lesser } from './detail.ts';
import { explanationFor } from './explanation.ts';
import type { Described, Gateway, Malformed } from './gateway.ts';
import { guardedAnswer, guardedInput, judge } from './guarded-call.ts';
import type { BudgetStep } from './limits.ts';
import type { Principal } from './principal.ts';
import { Refused } from './refusal.ts';
import type { Operation } from './rights.ts';
import type { ModelAnswer, ServedModel } from './served-model.ts';
import type { Stages } from './stages.ts';
import { inputSummary, topClasses } from './summary.ts';
import { timedStages } from './timed-stages.ts';

/**
 * The straight line of a call: who asks, whether they may, whether they still may, whether the input is sound, what the model says, how much of it is told; then
 * the log, then the answer. Allowing and refusing take the same way, and nothing leaves before its entry is on the disk.
 */
export function openPipeline(stages: Stages): Gateway {
  const { recorder, observer, limits, clock, underWay = { count: 0 } } = stages;
  const timed = timedStages(stages);
  const { conclude, refused, receiptOf } = openConclusion(stages, timed);
  const begin = ({ trace }: Caller): CallTrace => {
    const at = stages.now();
    return beginTrace(at, observer.begin?.(at, trace));
  };

  /** Who asks, and which model answers. Unknown and forbidden models end alike, after the same questions. */
  const admit = async (
    trace: CallTrace,
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
  const charged = async <T>(
    trace: CallTrace,
    { address }: Caller,
    work: () => Promise<T> | T,
  ): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      await limited(trace.principal, address, 1);
      throw thrown;
    }
  };

  /** Takes more of the budget; whether it has so much. */
  const charge = async (
    cost: number,
    principal: Principal,
    { name }: ServedModel,
    trace: CallTrace,
  ): Promise<boolean> => {
    if (cost === 0) return true;
    const step = await timed(trace, 'limit', () => stages.budgets.take(principal, name, cost));
    if (step === 'refuse') return false;
    trace.taken = (trace.taken ?? 0) + cost;
    // Nearly used up, or the store has gone meanwhile: labels alone.
    return step !== 'label';
  };

  const answer = async (question: Question, trace: CallTrace): Promise<readonly Tensor[]> => {
    const { request, caller } = question;
    const { principal, served, most, inputs, n, explanation } = await charged(trace, caller, async () => {
      const { model, version } = question;
      const admitted = await timed(trace, 'admit', () =>
        admit(trace, { caller, model, version, operation: 'infer' }),
      );
      const checked = checkInputs(request, admitted.served.metadata, limits.mostSamples);
      const wanted = question.explanation;
      const explanation =
        wanted &&
        explanationFor(wanted, {
          ...admitted,
          n: checked.n,
          terms: stages.answers(admitted.served).explanations,
          wish: request.parameters?.detail,
        });
      return { ...admitted, ...checked, explanation };
    });
    trace.n = n;
    const { restraint } = trace;
    const step = await timed(trace, 'limit', () => {
      const cost = n + (explanation?.cost ?? 0);
      restraint?.take(cost);
      const spend = (): Promise<BudgetStep> | BudgetStep => stages.budgets.take(principal, served.name, n);
      const waited = limited(principal, caller.address, cost);
      return waited ? waited.then(spend) : spend();
    });
    if (step === 'refuse') throw new Refused('exhausted', 'the query budget');
    trace.taken = n;
    // What is explained is paid for before it is known whether a guard will let it out.
    const explains =
      explanation !== undefined &&
      step === 'full' &&
      (await charge(explanation.cost, principal, served, trace));
    const call = guardedInput({
      model: served,
      principal,
      address: caller.address,
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
    const first = await timed(trace, 'guard', () => judge(before, call, trace.guards, observer.failed));
    const verifier = stages.verifier(served);
    const options = {
      n,
      signal: question.signal,
      deadline: question.arrived + limits.timeout,
      features: after.some(({ features }) => features),
      by: { principal: principal.id, decision: trace.id, traceparent: trace.span?.traceparent },
    };
    const other = restraint?.standIn?.(call, options);
    // Heard below; where the first model fails there is nobody to hear it.
    other?.catch(() => {});
    if (other === undefined) verifier?.begin?.(call, trace.id);
    const said: ModelAnswer = await timed(trace, 'run', () => served.run(inputs, options));
    const answered = guardedAnswer(call, said);
    const told = other === undefined ? said : await timed(trace, 'verify', () => other);
    if (other !== undefined) trace.by = (await other).by;
    const shown = told === said ? answered : guardedAnswer(call, told);
    trace.top = topClasses(shown.scores(), n, served.classifier?.gives);
    const second = await timed(trace, 'guard', () => judge(after, answered, trace.guards, observer.failed));
    const verified = await timed(trace, 'verify', () =>
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
    const shaped = await timed(trace, 'shape', () =>
      stages.answers(served).shape(call, told, { detail, step }),
    );
    const outputs =
      request.outputs === undefined
        ? shaped
        : request.outputs.map(({ name }) => shaped.find((output) => output.name === name)!);
    // Of who answered in place of the model there is no gradient.
    if (!explains || detail !== 'explanation' || other !== undefined) return outputs;
    const given = await timed(trace, 'explain', () => explanation.give(call, shaped, question.signal));
    trace.explained = question.explanation;
    return [...outputs, given];
  };

  const look = async (
    caller: Caller,
    model: string,
    version: string | undefined,
    operation: Operation,
  ): Promise<Described> => {
    const trace = begin(caller);
    const arrived = clock();
    try {
      usable(recorder.broken);
      const { served, principal } = await charged(trace, caller, () =>
        timed(trace, 'admit', () => admit(trace, { caller, model, version, operation })),
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
      const trace = begin(question.caller);
      const { caller, model, version, arrived, wantsReceipt } = question;
      const { id } = question.request;
      const asked = { caller, model, version, arrived, id, wantsReceipt };
      underWay.count++;
      try {
        usable(recorder.broken);
        const outputs = await answer(question, trace);
        trace.payload = { ...trace.payload!, output: outputs.map(dataToBytes) };
        const { isWritten, entry } = await conclude(trace, asked, 'answered');
        if (!isWritten) return { kind: 'refusal', refusal: 'unavailable', id, decision: trace.id };
        return {
          kind: 'answer',
          decision: trace.id,
          receipt: wantsReceipt ? await receiptOf(entry) : undefined,
          response: {
            modelName: trace.model!.name,
            modelVersion: trace.model!.version,
            ...(id !== undefined && { id }),
            outputs,
          },
        };
      } catch (thrown) {
        return await refused(trace, thrown, asked);
      } finally {
        underWay.count--;
      }
    },
    describe: (caller, model, version) => look(caller, model, version, 'metadata'),
    modelReady: (caller, model, version) => look(caller, model, version, 'ready'),
    async malformed(caller: Caller, { refusal, because, model, arrived }: Malformed) {
      const trace = begin(caller);
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

/** Nothing is served that cannot be recorded. */
function usable(broken: string | undefined): void {
  if (broken !== undefined) throw new Refused('unavailable', `the log: ${broken}`);
}
