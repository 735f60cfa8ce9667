import type { CaseDetail, Page } from '../../gateway/console/api.ts';
import type { Case } from '../../incident/case.ts';
import type { MonitorState } from '../../monitor/monitor.ts';
import { type Ask, askSigns } from '../signs/ask.ts';
import { attackBySquare } from '../signs/square.ts';
import { calmTraffic, picture } from './drill-traffic.ts';
import { type Stage, until } from './rehearsal-stage.ts';
import { spanOf } from './show.ts';

const CLIENTS = 12;
/** Calm questions before the attack. */
const CALM = 600;
/** Further ones where that was too little, and rounds of them. */
const MORE = 600;
const ROUNDS = 8;
/** How long a monitor may take to look at what was asked, in milliseconds. */
const SOON = 5000;
/** Who attacks. */
export const ATTACKER = 'mallory';
const MOST_QUERIES = 2000;
const EPS = 8 / 255;

/** The second version goes into service, and everybody asks as they do, until a monitor knows what calm is. Gives who asks. */
export async function rehearseCalm(stage: Stage): Promise<readonly Ask[]> {
  const { rest, seed, signal, progress, get, must, done, keyed, switchTo } = stage;
  await switchTo('2');
  const honest: Ask[] = [];
  for (let i = 0; i < CLIENTS; i++)
    honest.push(askSigns(rest, (await keyed(`client-${i + 1}`)).text, signal));
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
  return honest;
}

/** What became of an attack. */
export interface ContainedAttack {
  readonly attacker: Ask;
  /** The case that was opened. */
  readonly id: string;
  /** When the attack began, in milliseconds since 1970. */
  readonly begun: number;
  readonly queries: number;
}

/** Somebody changes one picture again and again, until the alarm, its case and a measure against them alone. */
export async function rehearseAttack(stage: Stage, honest: readonly Ask[]): Promise<ContainedAttack> {
  const { rest, seed, signal, get, must, done, keyed, hearsScores } = stage;
  const attacker = askSigns(rest, (await keyed(ATTACKER)).text, signal);
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
  return { attacker, id, begun, queries };
}

function entryOf({ events }: CaseDetail, kind: string): number | undefined {
  return events.find(({ what }) => what.kind === kind)?.entry;
}
