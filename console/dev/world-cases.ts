import type { Case, CaseEvent } from '../../src/incident/case.ts';
import type { Order } from '../../src/incident/order.ts';
import type { Alarm } from '../../src/monitor/alarm.ts';
import { DIGESTS, HOSTILE } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Told {
  readonly cases: readonly Case[];
  readonly alarms: readonly Alarm[];
  readonly events: readonly CaseEvent[];
  readonly orders: readonly Order[];
}

/** Five cases: an attack that waits for a person, one that was contained, a drift, a fault, and one with hostile names. */
export function toldAt(now: number, decisions: readonly string[]): Told {
  const alarm = (
    id: string,
    given: Partial<Alarm> & Pick<Alarm, 'monitor' | 'title' | 'why' | 'at'>,
  ): Alarm => ({
    id: id.repeat(32).slice(0, 32),
    kind: 'attack',
    severity: 'high',
    model: 'traffic-signs',
    version: '3',
    digest: DIGESTS.signs3,
    principals: [],
    subject: id,
    score: 0.91,
    threshold: 0.5,
    first: given.at - 20 * MINUTE,
    last: given.at,
    queries: 412,
    decisions: decisions.slice(0, 8),
    atlas: [],
    figures: {},
    ...given,
  });
  const sybil = alarm('a1', {
    at: now - 6 * MINUTE,
    monitor: 'sybil-probing',
    severity: 'critical',
    principals: ['probe-a7', 'probe-b2', 'probe-c9'],
    title: 'Three keys of the tenant trial walk along the same boundary',
    why: 'In 20 minutes 3,562 queries of three keys came in 48 chains; within a chain the pictures differ by a median of 1.1 / 255, and 87 % of the chains are continued under another key. Calm traffic of the last 7 days had no chain longer than 3. The pictures are not new (no drift): they are small changes of the same few, so this looks like an attack that looks for the decision boundary.',
    score: 48,
    threshold: 6,
    queries: 3562,
    atlas: ['AML.T0043', 'AML.T0042'],
    figures: {
      chains: 48,
      'median step': '1.1 / 255',
      'keys per chain': 2.4,
      'chains continued elsewhere': 0.87,
      'longest calm chain': 3,
    },
  });
  const copy = alarm('b2', {
    at: now - 3 * HOUR,
    monitor: 'extraction',
    principals: ['mallory-labs'],
    title: 'mallory-labs is copying traffic-signs',
    why: 'Its 9,640 queries cover the input space four times as evenly as any calm client; 71 % fall where the model is unsure. At this pace a copy would agree on 90 % after about 41,000 queries; 9,640 were answered.',
    score: 0.83,
    threshold: 0.41,
    queries: 9640,
    first: now - 26 * HOUR,
    atlas: ['AML.T0024.002'],
    figures: { coverage: 0.83, 'share near the boundary': 0.71, 'calm clients at most': 0.22 },
  });
  const fog = alarm('c3', {
    at: now - 9 * HOUR,
    monitor: 'input-drift',
    kind: 'drift',
    severity: 'medium',
    title: 'Pictures for traffic-signs are darker and have less contrast',
    why: 'Mean brightness fell from 0.46 to 0.31 and contrast by a third over 9 hours, for all 31 clients alike and without a jump: that is weather or light, not somebody’s doing. 14 of 195 features differ after correction for multiple tests (least p 3e-11).',
    score: 0.34,
    threshold: 0.2,
    queries: 51_200,
    figures: {
      'features that differ': 14,
      'least p': 3e-11,
      clients: 31,
      features: ['brightness', 'contrast', 'cell 3,4 red'],
    },
  });
  const down = alarm('d4', {
    at: now - 30 * HOUR,
    monitor: 'upstream',
    kind: 'fault',
    severity: 'low',
    model: 'credit',
    version: '1',
    digest: DIGESTS.credit,
    title: 'credit answered late for 4 minutes',
    why: 'p99 rose from 18 ms to 2.4 s and 61 calls ended with late; the circuit opened and closed again.',
    queries: 61,
  });
  const odd = alarm('e5', {
    at: now - 50 * MINUTE,
    monitor: 'budget-creep',
    severity: 'low',
    principals: [HOSTILE.script, HOSTILE.turned, HOSTILE.newline, HOSTILE.long],
    title: `${HOSTILE.script} asks a little more each day`,
    why: `Its queries grow by 11 % a day (95 %: 8–14 %). ${HOSTILE.formula}`,
    queries: 174,
    figures: { [HOSTILE.script]: HOSTILE.turned },
  });
  const made = (id: string, from: Alarm, given: Partial<Case>): Case => ({
    id,
    title: from.title,
    kind: from.kind,
    severity: from.severity,
    state: 'open',
    opened: from.at,
    updated: from.at + 2 * MINUTE,
    first: from.first,
    last: from.last,
    queries: from.queries,
    alarms: 1,
    models: [from.model],
    principals: from.principals,
    atlas: from.atlas,
    revision: 3,
    ...given,
  });
  const cases = [
    made('C-2026-0012', sybil, { alarms: 4 }),
    made('C-2026-0011', odd, { state: 'working', owner: 'ada', revision: 5 }),
    made('C-2026-0010', copy, {
      state: 'contained',
      owner: 'ada',
      containedAfter: 9 * MINUTE + 14_000,
      alarms: 2,
      revision: 9,
    }),
    made('C-2026-0009', fog, { state: 'working', owner: 'grace', revision: 4 }),
    made('C-2026-0008', down, { state: 'closed', verdict: 'fault', closed: now - 28 * HOUR, revision: 4 }),
  ];
  const event = (
    id: string,
    of: string,
    at: number,
    by: string,
    what: CaseEvent['what'],
    entry?: number,
  ): CaseEvent => ({
    id,
    case: of,
    at,
    by,
    what,
    ...(entry === undefined ? {} : { entry }),
  });
  const events: readonly CaseEvent[] = [
    event('1', 'C-2026-0012', sybil.at, 'glacis', { kind: 'alarm', alarm: sybil, again: 3 }, 183_904),
    event('2', 'C-2026-0012', sybil.at + 2000, 'glacis', {
      kind: 'asked',
      act: 'ask-1',
      needs: 'approval',
      wish: { measure: 'quarantine', target: { tenant: 'trial' }, because: sybil.title, case: 'C-2026-0012' },
    }),
    event('3', 'C-2026-0010', copy.at, 'glacis', { kind: 'alarm', alarm: copy, again: 1 }, 171_020),
    event(
      '4',
      'C-2026-0010',
      copy.at + 3000,
      'glacis',
      {
        kind: 'measure',
        order: 'order-1',
        measure: 'degrade',
        about: 'answers to mallory-labs hold the label alone',
      },
      171_033,
    ),
    event('5', 'C-2026-0010', copy.at + 20 * MINUTE, 'ada', { kind: 'owner', to: 'ada' }),
    event('6', 'C-2026-0010', copy.at + 26 * MINUTE, 'ada', {
      kind: 'comment',
      text: 'Their contract is for 50 pictures a day. I have asked them what this is.',
    }),
    event(
      '7',
      'C-2026-0010',
      copy.at + 40 * MINUTE,
      'grace',
      { kind: 'measure', order: 'order-2', measure: 'throttle', about: 'mallory-labs: 12 requests a minute' },
      172_901,
    ),
    event('8', 'C-2026-0010', copy.at + 41 * MINUTE, 'ada', { kind: 'state', from: 'open', to: 'contained' }),
    event('9', 'C-2026-0010', copy.at + 60 * MINUTE, 'ada', {
      kind: 'impact',
      decisions: 9640,
      different: 118,
    }),
    event(
      '10',
      'C-2026-0010',
      copy.at + 61 * MINUTE,
      'glacis',
      { kind: 'bundle', digest: DIGESTS.signs2 },
      174_001,
    ),
    event('11', 'C-2026-0009', fog.at, 'glacis', { kind: 'alarm', alarm: fog, again: 0 }, 120_001),
    event('12', 'C-2026-0009', fog.at + HOUR, 'grace', { kind: 'owner', to: 'grace' }),
    event('13', 'C-2026-0008', down.at, 'glacis', { kind: 'alarm', alarm: down, again: 0 }, 90_210),
    event('14', 'C-2026-0008', down.at + 2 * HOUR, 'grace', {
      kind: 'state',
      from: 'open',
      to: 'closed',
      verdict: 'fault',
    }),
    event('15', 'C-2026-0011', odd.at, 'glacis', { kind: 'alarm', alarm: odd, again: 0 }, 182_000),
    event('16', 'C-2026-0011', odd.at + MINUTE, HOSTILE.turned, {
      kind: 'comment',
      text: `${HOSTILE.script}\n${HOSTILE.newline} ${HOSTILE.long}`,
    }),
  ];
  const orders: readonly Order[] = [
    {
      id: 'order-2',
      by: 'grace',
      at: copy.at + 40 * MINUTE,
      measure: 'throttle',
      target: { principal: 'mallory-labs' },
      perMinute: 12,
      because: 'until they answer',
      case: 'C-2026-0010',
      until: now + 20 * HOUR,
    },
    {
      id: 'order-1',
      by: 'glacis',
      at: copy.at + 3000,
      measure: 'degrade',
      target: { principal: 'mallory-labs' },
      detail: 'label',
      because: copy.title,
      case: 'C-2026-0010',
    },
  ];
  return { cases, alarms: [sybil, odd, copy, fog, down], events, orders };
}
