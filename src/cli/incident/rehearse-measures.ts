import type { Order, OrderWish } from '../../incident/order.ts';
import { type Ask, askSigns } from '../signs/ask.ts';
import type { Desk } from './desk.ts';

/** The model that checks `signs`, answers in its place under `verify`, and has the guard that is raised. */
export const CHECKING = 'signs-check';
/** The guard of {@link CHECKING}: it flags pictures that no camera of 8 bits can have taken. */
export const RAISED = 'constraints';

/** What measures are rehearsed with: a case in which they are taken, and people who ask. */
export interface MeasureRehearsal {
  readonly rest: string;
  readonly desk: Desk;
  /** Takes a measure in the case, by one person. */
  readonly act: (wish: OrderWish) => Promise<Order>;
  readonly lift: (order: Order) => Promise<unknown>;
  /** A key of somebody, and its id. */
  readonly keyed: (
    principal: string,
    tenant?: string,
  ) => Promise<{ readonly text: string; readonly id: string }>;
  /** A picture that nobody has asked about, of which no model is sure and no camera could have taken. */
  readonly fresh: () => Float32Array;
  readonly hearsScores: (ask: Ask) => Promise<boolean>;
  readonly must: (step: string, holds: boolean, otherwise: string) => void;
  readonly done: (step: string, proof: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Takes every measure that one person may take, and for each: a request before it, the same kind of request under it, which is met, one of somebody else, who is not where it is for somebody, and
 * one after it was lifted, which is answered as before. Rollbacks take two persons, and are rehearsed with them. Errors: those of the desk and of `must`.
 */
export async function rehearseMeasures(given: MeasureRehearsal): Promise<void> {
  const { rest, desk, act, lift, keyed, fresh, hearsScores, must, done, signal } = given;
  const asked = async (principal: string, tenant?: string, model?: string) => {
    const { text, id } = await keyed(principal, tenant);
    return { ask: askSigns(rest, text, signal, model), id };
  };
  const isAnswered = async (ask: Ask) => (await ask(fresh(), 1)).scores !== undefined;
  const because = 'drill';
  const other = (await asked('rehearsal-other')).ask;

  /** Each step: nobody is met before, the target under the measure alone, nobody after it. */
  const through = async (
    step: string,
    wish: Omit<OrderWish, 'because'>,
    {
      met,
      spared,
      proof,
    }: {
      readonly met: () => Promise<boolean>;
      /** Whether everybody else is answered as before; undefined where it is for everybody. */
      readonly spared?: () => Promise<boolean>;
      readonly proof: string;
    },
  ): Promise<void> => {
    must(step, !(await met()), 'expected no effect before it');
    const order = await act({ ...wish, because });
    must(step, await met(), 'expected it to meet a request');
    if (spared) must(step, await spared(), 'expected everybody else to be answered as before');
    await lift(order);
    must(step, !(await met()), 'expected no effect after it was lifted');
    done(step, `${proof}; lifted, it is as before`);
  };

  const fast = (await asked('rehearsal-fast')).ask;
  const isThrottled = async () => {
    const answers = [await isAnswered(fast), await isAnswered(fast)];
    return answers[0] === true && answers[1] === false;
  };
  await through(
    'throttle',
    { measure: 'throttle', target: { principal: 'rehearsal-fast' }, perMinute: 1 },
    {
      met: isThrottled,
      spared: async () => (await isAnswered(other)) && (await isAnswered(other)),
      proof: 'one request a minute was answered, the second refused, others went on',
    },
  );
  const told = (await asked('rehearsal-told')).ask;
  await through(
    'degrade',
    { measure: 'degrade', target: { principal: 'rehearsal-told' }, detail: 'label' },
    {
      met: async () => !(await hearsScores(told)),
      spared: () => hearsScores(other),
      proof: 'one client was told the class alone, others scores',
    },
  );
  const [lost, kept] = [await asked('rehearsal-keys'), await asked('rehearsal-keys')];
  await through(
    'quarantine of a key',
    { measure: 'quarantine', target: { credential: lost.id } },
    {
      met: async () => !(await isAnswered(lost.ask)),
      spared: () => isAnswered(kept.ask),
      proof: 'one key got no answers, another of the same client did',
    },
  );
  const tenant = (await asked('rehearsal-tenant', 'rehearsal')).ask;
  await through(
    'quarantine of a tenant',
    { measure: 'quarantine', target: { tenant: 'rehearsal' } },
    {
      met: async () => !(await isAnswered(tenant)),
      spared: () => isAnswered(other),
      proof: 'a tenant got no answers, others did',
    },
  );
  const odd = (await asked('rehearsal-odd', undefined, CHECKING)).ask;
  await through(
    'guard',
    {
      measure: 'guard',
      target: { model: CHECKING },
      guard: { name: RAISED, strictness: 1, action: 'refuse' },
    },
    {
      met: async () => !(await isAnswered(odd)),
      spared: () => isAnswered(other),
      proof: `${RAISED} refused what it only notes otherwise, another model went on`,
    },
  );
  const picture = fresh();
  const scoresOf = async () => (await other(picture, 1)).scores ?? new Float32Array();
  const first = await scoresOf();
  const second = (await (await asked('rehearsal-check', undefined, CHECKING)).ask(picture, 1)).scores!;
  must('verify', !isNear(first, second), 'expected two models that can be told apart');
  await through(
    'verify',
    { measure: 'verify', target: { model: 'signs' } },
    {
      met: async () => isNear(await scoresOf(), second),
      proof: 'the verifying model answered, number for number',
    },
  );
  await through(
    'pause',
    { measure: 'pause', target: { model: 'signs' } },
    {
      met: async () => !(await isAnswered(other)),
      spared: () => isAnswered(odd),
      proof: 'the model answered nobody, another one went on',
    },
  );
  const canary = (body: object) => desk.call('POST', '/api/models/signs/canary', body);
  const isFrozen = async () => {
    const { status } = await canary({ version: '1', share: 0.01 });
    if (status < 400) await canary({});
    return status >= 400;
  };
  await through(
    'freeze',
    { measure: 'freeze', target: {} },
    {
      met: isFrozen,
      spared: () => isAnswered(other),
      proof: 'no version became a canary, requests were answered',
    },
  );
}

/** Whether two answers are the same up to rounding. */
function isNear(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) < 1e-4);
}
