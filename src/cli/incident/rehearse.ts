import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import type { CaseDetail, Impact, Page } from '../../gateway/console/api.ts';
import { parseTrustFile } from '../../gateway/record/log-folder.ts';
import type { Case } from '../../incident/case.ts';
import { verifyEvidence } from '../../incident/evidence/verify-evidence.ts';
import type { MadeBundle } from '../../incident/investigations.ts';
import type { Order, OrderWish } from '../../incident/order.ts';
import type { MonitorState } from '../../monitor/monitor.ts';
import { type Ask, askSigns } from '../signs/ask.ts';
import { attackBySquare } from '../signs/square.ts';
import { type Desk, expectBytes, expectJson } from './desk.ts';
import { calmTraffic, picture } from './drill-traffic.ts';
import { rehearseMeasures } from './rehearse-measures.ts';
import { spanOf } from './show.ts';

/** One step of a rehearsal, with what shows that it worked. */
export interface DrillStep {
  readonly step: string;
  readonly ok: boolean;
  readonly proof: string;
  /** Milliseconds. */
  readonly took: number;
  /** Of the containment: milliseconds from the first bad query to the first measure in force, and questions of the attacker until then. */
  readonly containedAfter?: number | undefined;
  readonly queries?: number | undefined;
}

/** What is rehearsed with: a gateway with two versions of `signs`, of which the first is in service. */
export interface Rehearsal {
  readonly rest: string;
  /** The person on duty, a second one, and the first again with another key. */
  readonly desk: Desk;
  readonly second: Desk;
  readonly sameAgain: Desk;
  /** A new key of somebody, and its id; of the tenant `drill` unless another is said. */
  readonly keyed: (
    principal: string,
    tenant?: string,
  ) => Promise<{ readonly text: string; readonly id: string }>;
  readonly switchTo: (version: string) => Promise<unknown>;
  /** The log's trust file, as somebody else keeps it. */
  readonly trust: Uint8Array;
  /** Where the evidence is left. */
  readonly keepAt?: string | undefined;
  readonly seed: number;
  readonly told: (step: DrillStep) => void;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

const CLIENTS = 12;
/** Calm questions before the attack. */
const CALM = 600;
/** Further ones where that was too little, and rounds of them. */
const MORE = 600;
const ROUNDS = 8;
const ATTACKER = 'mallory';
const MOST_QUERIES = 2000;
const EPS = 8 / 255;
/** From this picture on nobody has asked about any. */
const FRESH = 20_000;
/** How long something may take that happens by itself, in milliseconds. */
const PATIENCE = 60_000;
const SOON = 5000;

/**
 * Calm traffic, a scripted attack, alarm, case, containment, every other measure, impact, rollback by two persons, evidence that is checked without the server, and everything lifted again. Each step tells
 * what shows that it worked; the first that does not ends the rehearsal. Errors: `run/cancelled`.
 */
export async function rehearse(given: Rehearsal): Promise<void> {
  const { desk, second, sameAgain, told, seed, signal, progress, rest } = given;
  const get = <T>(path: string) => expectJson<T>(desk, 'GET', path);
  const post = <T>(path: string, body: object, who = desk) => expectJson<T>(who, 'POST', path, body);
  let started = performance.now();
  const done = (step: string, proof: string, more: Partial<DrillStep> = {}): void => {
    told({ step, ok: true, proof, took: performance.now() - started, ...more });
    started = performance.now();
  };
  const must = (step: string, holds: boolean, otherwise: string): void => {
    if (holds) return;
    told({ step, ok: false, proof: otherwise, took: performance.now() - started });
    throw new Ended();
  };
  /** Half one sign and half another: no model is sure of it, so that scores can be told from labels. */
  const doubtful = (i: number): Float32Array => {
    const other = picture(seed, 2 * i + 2).x;
    return picture(seed, 2 * i + 1).x.map((value, k) => (value + other[k]!) / 2);
  };
  /** Whether somebody is told more than the class: a score between 0 and 1. */
  const hearsScores = async (ask: Ask): Promise<boolean> => {
    for (let i = 0; i < 8; i++) {
      const { scores } = await ask(doubtful(i), 1);
      if (scores?.some((score) => score > 0 && score < 1)) return true;
    }
    return false;
  };
  try {
    // A new version goes into service, and everybody asks as they do.
    await given.switchTo('2');
    const honest: Ask[] = [];
    for (let i = 0; i < CLIENTS; i++)
      honest.push(askSigns(rest, (await given.keyed(`client-${i + 1}`)).text, signal));
    const isWatching = async () => {
      const { states } = await get<{ readonly states: readonly MonitorState[] }>('/api/monitors?model=signs');
      return states.some(({ phase }) => phase === 'watching') ? true : undefined;
    };
    let calm = 0;
    // On a machine that does much else the monitor may miss some of them: then there are more.
    for (let round = 0; round < ROUNDS; round++) {
      const questions = round === 0 ? CALM : MORE;
      const asked = (n: number) => progress({ label: 'calm traffic', done: n, total: questions });
      const answered = await calmTraffic(honest, { from: calm, questions, seed: seed + 1, asked });
      must('calm traffic', answered === questions, `expected ${questions} answers, got ${answered}`);
      calm += questions;
      if (await until(signal, isWatching, SOON)) break;
    }
    must('calm traffic', (await isWatching()) === true, 'expected a monitor that has learnt what calm is');
    const early = await get<Page<Case>>('/api/cases?kind=attack');
    must(
      'calm traffic',
      early.rows.length === 0,
      `expected no alarm about ${calm} calm questions, got ${early.rows.length} cases`,
    );
    done('calm traffic', `${calm} questions of ${CLIENTS} clients on version 2, all answered, no alarm`);

    // Somebody changes one picture again and again.
    const attacker = askSigns(rest, (await given.keyed(ATTACKER)).text, signal);
    const begun = Date.now();
    let found: Case | undefined;
    let over = false;
    const watch = (async () => {
      found =
        (await until(signal, async () => {
          if (over) return null;
          const { rows } = await get<Page<Case>>('/api/cases?kind=attack&state=contained');
          return rows.find(({ principals }) => principals.includes(ATTACKER));
        })) ?? undefined;
    })();
    const { x, label } = picture(seed, 0);
    const { answered, refused } = await attackBySquare(
      {
        ...{ picture: x, label, seed, signal },
        ...{ eps: EPS, most: MOST_QUERIES, isOver: () => found !== undefined },
      },
      attacker,
    );
    const queries = answered + (refused ? 1 : 0);
    // What was asked last may not have been looked at yet.
    if (found === undefined) await until(signal, async () => found);
    over = true;
    await watch;
    must('attack', queries > 0, 'expected an attack that asks');
    done('attack', `Square on one picture, ${queries} questions in ${spanOf(Date.now() - begun)}`);
    must('alarm', found !== undefined, `expected an alarm within ${MOST_QUERIES} questions, got none`);
    const id = found!.id;
    const detail = await get<CaseDetail>(`/api/cases/${id}`);
    const alarm = detail.alarms[0];
    must(
      'alarm',
      alarm?.kind === 'attack' && alarm.principals.includes(ATTACKER),
      'expected an alarm that names the attacker',
    );
    done(
      'alarm',
      `${alarm!.monitor}, ${alarm!.severity}: ${alarm!.title} [entry ${entryOf(detail, 'alarm')} of the log]`,
    );
    must(
      'case',
      detail.case.principals.every((each) => each === ATTACKER),
      `expected a case about nobody else, got ${detail.case.principals.join(', ')}`,
    );
    done(
      'case',
      `${id}, ${detail.case.alarms} alarms, ${detail.case.queries} queries, ${detail.case.atlas.join(', ') || 'no ATLAS id'}`,
    );

    const [order] = detail.orders;
    must(
      'containment',
      order !== undefined && order.target.principal === ATTACKER,
      'expected a measure against the attacker',
    );
    must('containment', !(await hearsScores(attacker)), 'expected the attacker to be told the class alone');
    must('containment', await hearsScores(honest[0]!), 'expected everybody else to be answered as before');
    const { containedAfter } = detail.case;
    must('containment', containedAfter !== undefined, 'expected the time from the first bad query');
    done(
      'containment',
      `${order!.measure} by ${order!.by}, ${spanOf(containedAfter!)} after the first bad query; ${queries} questions were asked; others are answered as before`,
      { containedAfter, queries },
    );

    const wish = (more: Partial<OrderWish>) => ({
      wish: { target: { principal: ATTACKER }, because: 'drill', ...more },
    });
    await post(`/api/cases/${id}/act`, wish({ measure: 'quarantine', until: Date.now() + 3_600_000 }));
    const isAnswered = async (ask: Ask, i: number) => (await ask(doubtful(i), 1)).scores !== undefined;
    must('quarantine', !(await isAnswered(attacker, 0)), 'expected no answer any more');
    must('quarantine', await isAnswered(honest[1]!, 1), 'expected everybody else to be answered');
    done('quarantine', 'by a person, for an hour: the attacker gets no answers, others do');

    let questions = FRESH;
    await rehearseMeasures({
      ...{ rest, desk, signal, hearsScores, must, done, keyed: given.keyed },
      fresh: () => doubtful(questions++),
      act: async (wanted) =>
        (await post<{ readonly order: Order }>(`/api/cases/${id}/act`, { wish: wanted })).order,
      lift: ({ id: order }) => post(`/api/cases/${id}/lift`, { order }),
    });

    // Which decisions of the new version would the one before have made otherwise?
    const scope = { model: 'signs', version: '2', from: begun };
    const { id: search } = await post<Impact>(`/api/cases/${id}/impact`, { scope, against: '1' });
    const impact = await until(signal, async () => {
      const now = await get<Impact>(`/api/impacts/${search}`);
      return now.state === 'running' ? undefined : now;
    });
    must('impact', impact?.state === 'done', impact?.because ?? 'expected it to end');
    must(
      'impact',
      impact!.affected >= queries && impact!.replayed > 0,
      `expected ${queries} decisions and replays, got ${impact!.affected} and ${impact!.replayed}`,
    );
    done(
      'impact',
      `${impact!.affected} decisions of version 2 since the attack began, ${impact!.replayed} replayed on version 1, ${impact!.different} would have been different`,
    );

    const back = wish({ measure: 'rollback', target: { model: 'signs' } });
    const { asked: act } = await post<{ readonly asked?: string }>(`/api/cases/${id}/act`, back);
    must('rollback', act !== undefined, 'expected it to wait for a second person');
    const own = await sameAgain.call('POST', `/api/cases/${id}/approve`, { act });
    must(
      'rollback',
      own.status >= 400 && (await inService(get)) === '2',
      'expected nobody to approve their own act, with another key either',
    );
    await post(`/api/cases/${id}/approve`, { act }, second);
    must('rollback', (await inService(get)) === '1', 'expected version 1 in service');
    done(
      'rollback',
      'version 1 is in service again: ann asked, could not approve with another key of hers, bob approved',
    );

    const made = await post<MadeBundle>(`/api/cases/${id}/bundle`, {});
    const bytes = await expectBytes(desk, 'GET', `/api/cases/${id}/bundle`);
    if (given.keepAt !== undefined) await writeFile(given.keepAt, bytes);
    const trust = parseTrustFile(given.trust, 'log.trust.json');
    const verdict = verifyEvidence(bytes, trust);
    const wrong = verdict.checks.find(({ ok }) => !ok);
    must(
      'evidence',
      verdict.ok,
      wrong ? `${wrong.file}: ${wrong.detail}` : 'expected a bundle that verifies',
    );
    const forged = Buffer.from(bytes);
    forged[forged.length >> 1]! ^= 1;
    must('evidence', !verifyEvidence(forged, trust).ok, 'expected one changed byte to be found');
    done(
      'evidence',
      `${made.bytes} bytes, ${verdict.proven.events} events and ${verdict.proven.decisions} decisions proven offline by the log's signed state of ${verdict.log?.entries} entries; one changed byte is found`,
    );

    let ended = 0;
    // An alarm about what was asked before may come only now, and act once more.
    const isLifted = await until(signal, async () => {
      const { rows } = await get<Page<Order>>(`/api/orders?active=true&case=${id}`);
      for (const each of rows) await post(`/api/cases/${id}/lift`, { order: each.id });
      ended += rows.length;
      return rows.length === 0 && (await hearsScores(attacker)) ? true : undefined;
    });
    must('all lifted', isLifted === true, 'expected no measure in force, and everybody answered as before');
    must(
      'all lifted',
      (await inService(get)) === '2',
      'expected the version that was rolled back in service again',
    );
    const { case: last } = await get<CaseDetail>(`/api/cases/${id}`);
    const closed = await post<Case>(`/api/cases/${id}/state`, {
      state: 'closed',
      verdict: 'attack',
      revision: last.revision,
    });
    must('all lifted', closed.state === 'closed', 'expected a closed case');
    done('all lifted', `${ended} measures ended, everything is as it was, the case is closed`);
  } catch (thrown) {
    if (!(thrown instanceof Ended)) throw thrown;
  }
}

class Ended extends Error {}

/** Asks until there is something; undefined when it takes too long, or nothing is to be waited for (null). */
async function until<T>(
  signal: AbortSignal,
  look: () => Promise<T | undefined | null>,
  patience = PATIENCE,
): Promise<T | undefined> {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    if (signal.aborted) throw new GlacisError('run/cancelled', 'drill: cancelled', { cause: signal.reason });
    const found = await look();
    if (found === null) return undefined;
    if (found !== undefined) return found;
    await sleep(50, undefined, { signal });
  }
  return undefined;
}

async function inService(get: <T>(path: string) => Promise<T>): Promise<string | undefined> {
  const { models } = await get<{
    readonly models: readonly { readonly model: string; readonly use: string }[];
  }>('/api/models');
  return models.find(({ model }) => model === 'signs')?.use;
}

function entryOf({ events }: CaseDetail, kind: string): number | undefined {
  return events.find(({ what }) => what.kind === kind)?.entry;
}
