import type { AttributionMethod } from '../explain/attributions.ts';
import type { Parameters, Tensor } from '../oip/index.ts';
import type { Caller } from './call.ts';
import type { Decision } from './decision.ts';
import type { Detail } from './detail.ts';
import type { GuardedInput, InputGuard } from './guard.ts';
import type { BudgetStep, Budgets, Rates } from './limits.ts';
import type { CallOrders } from './orders.ts';
import type { Principal } from './principal.ts';
import type { Recorder } from './recorder.ts';
import type { RefusalFloods } from './refusal-floods.ts';
import type { Identifier, Rights } from './rights.ts';
import type { ModelAnswer, ServedModel } from './served-model.ts';
import type { UnderWay } from './under-way.ts';

/** Finds the version that answers. */
export interface Routes {
  /** The version asked for or, without, the one in service for this principal (a canary's share stays with it); undefined where there is none. */
  find(model: string, version: string | undefined, principal: Principal): ServedModel | undefined;
}

/** Turns what a model said into what the caller gets. */
export interface Answers {
  /** How answers are explained; undefined where they are not. */
  readonly explanations?: ExplanationTerms | undefined;
  /** Outputs with the names, types and shapes of the metadata. At `explanation` or `logits` they are as the model gave them, unless the policy shapes those, too. */
  shape(
    call: GuardedInput,
    answer: ModelAnswer,
    limits: { readonly detail: Detail; readonly step: BudgetStep },
  ): readonly Tensor[];
}

/** On which terms answers are explained. */
export interface ExplanationTerms {
  readonly methods: readonly AttributionMethod[];
  /** What the explanation of a sample counts beside its answer. */
  readonly queries: number;
  /** Most samples of a request. */
  readonly most: number;
  readonly decimals: number;
  readonly baseline: number;
}

/** Asks a second model. */
export interface Verifier {
  /** Asks the second model while the first one works, where this decision is in the sample; `check` waits for what it says. Never throws. */
  begin?(call: GuardedInput, decision: string): void;
  /** Undefined where this decision is not in the sample. Errors: `Refused` (`held`, `unacceptable`, `unavailable`) as the policy says, with the divergence on it where it is known. */
  check(call: GuardedInput, answer: ModelAnswer, decision: string): Promise<Verified | undefined> | undefined;
}

/** What the second model found. */
export interface Verified {
  /** 0: the same; the policy's measure. */
  readonly divergence: number;
  readonly action: 'pass' | 'flag' | 'hold' | 'refuse';
}

/** When answers leave. */
export interface Schedule {
  /** Resolves when the answer to a call that arrived then is due; undefined: at once. */
  due(arrived: number): Promise<void> | undefined;
}

/** How a call ended. */
export interface Ended {
  /** From its first byte until its entry was on the disk. */
  readonly milliseconds: number;
  /** Its place in the log; undefined where it could not be written. */
  readonly entry: number | undefined;
  /** The main input as floats `[n, …]`, where the call got that far. */
  readonly floats?: (() => Float32Array | undefined) | undefined;
}

/** A call as a tracer sees it. Never throws. */
export interface CallSpan {
  /** Says to those who are asked further on what they are part of: the header `traceparent` of W3C Trace Context. */
  readonly traceparent: string;
  /** A stage lasted from one time to another, in milliseconds of a clock that only goes forward. */
  stage(name: Stage, since: number, until: number): void;
  end(decision: Decision): void;
}

/** Counts and times what happens. Costs microseconds; never throws. */
export interface Observer {
  /** A call began, in milliseconds since 1970, as part of what its caller says; undefined where it is not traced. */
  begin?: ((at: number, from: Caller['trace']) => CallSpan | undefined) | undefined;
  /** A stage of a call took this long, in milliseconds. */
  stage(name: Stage, milliseconds: number): void;
  decided(decision: Decision, ended: Ended): void;
  /** Something that the operator must see: never with payload or secret. */
  failed(where: string, thrown: unknown): void;
}

/** Stages of a call. */
export const STAGES = [
  'admit',
  'limit',
  'guard',
  'run',
  'verify',
  'shape',
  'explain',
  'record',
  'wait',
] as const;

/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** Everything that a call passes. */
export interface Stages {
  readonly identifier: Identifier;
  readonly rights: Rights;
  readonly routes: Routes;
  readonly rates: Rates;
  readonly budgets: Budgets;
  /** Measures in force; none where nobody can order any. */
  readonly orders?: CallOrders | undefined;
  /** The guards of a version, in the order in which they judge. */
  readonly guards: (model: ServedModel) => readonly InputGuard[];
  readonly answers: (model: ServedModel) => Answers;
  readonly verifier: (model: ServedModel) => Verifier | undefined;
  readonly recorder: Recorder;
  /** Gathers refusals that come in floods; without, each is an entry. */
  readonly floods?: Pick<RefusalFloods, 'takes'> | undefined;
  readonly schedule: Schedule;
  readonly observer: Observer;
  /** Whom a call is about, from its parameters; the principal without. */
  readonly subjectOf?: ((parameters: Parameters) => string | undefined) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  /** Is kept up to date. */
  readonly underWay?: UnderWay | undefined;
  readonly limits: { readonly mostBytes: number; readonly mostSamples: number; readonly timeout: number };
}
