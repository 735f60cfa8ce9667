import type { Alarm } from '../monitor/alarm.ts';
import type { CaseRecord } from './case-store.ts';
import type { IncidentsConfig } from './config-schema.ts';
import type { Order, OrderWish } from './order.ts';
import { wishesFor } from './respond.ts';
import { isSameWish } from './wish.ts';

/** Something to do about a case, in a sentence, as it would be sent to `POST /api/cases/:id/act`. */
export interface Suggestion {
  readonly title: string;
  readonly why: string;
  readonly wish: OrderWish;
  /** Whether a second person must agree. */
  readonly needsApproval: boolean;
}

const DAY = 86_400_000;
const MOST = 12;

/**
 * What could be done about a case now and is not in force: first what the rules would do, then what usually helps against this kind. Nothing about a closed case.
 */
export function suggestionsFor(
  record: CaseRecord,
  alarms: readonly Alarm[],
  {
    config,
    active,
    now,
    needsApproval,
    suits,
  }: {
    readonly config: IncidentsConfig;
    readonly active: readonly Order[];
    readonly now: number;
    readonly needsApproval: (wish: OrderWish) => boolean;
    /** Whether it could be done. */
    readonly suits: (wish: OrderWish) => boolean;
  },
): readonly Suggestion[] {
  if (record.state === 'closed') return [];
  const { severity, kind, models, principals, id, title: because } = record;
  const newest = alarms.at(-1);
  const of = (measure: OrderWish['measure'], target: OrderWish['target'], rest: Partial<OrderWish> = {}) =>
    ({ measure, target, because, case: id, until: now + DAY, ...rest }) as OrderWish;
  const found: { readonly wish: OrderWish; readonly why: string }[] = [];
  if (newest)
    for (const wish of wishesFor({ ...newest, severity, principals }, config.respond, now))
      found.push({ wish: { ...wish, case: id }, why: 'The rules for automatic response would do it.' });
  const [model] = models;
  if (kind === 'attack') {
    for (const principal of principals.slice(0, 3)) {
      found.push(
        {
          wish: of('degrade', { principal }, { detail: 'label' }),
          why: 'Who gets labels alone needs many times as many questions to copy or to fool a model, and honest use goes on.',
        },
        {
          wish: of('throttle', { principal }, { perMinute: 30 }),
          why: 'It gains time to look: what needs thousands of questions takes days.',
        },
        {
          wish: of('quarantine', { principal }),
          why: 'It ends the attack at once, and everything else that this principal does here.',
        },
      );
    }
    if (principals.length === 0 && model !== undefined)
      found.push({
        wish: of('degrade', { model }, { detail: 'label' }),
        why: 'The alarm names nobody: the attack may come from many at once, so that only less detail for all stops it.',
      });
    if (model !== undefined)
      found.push({
        wish: of('verify', { model }),
        why: 'An input that was made for one model seldom fools another in the same way.',
      });
  }
  if (kind !== 'attack' && model !== undefined)
    found.push(
      {
        wish: { ...of('rollback', { model }), until: undefined },
        why: 'If it began with the version in service, the one before is the quickest way back.',
      },
      { wish: of('verify', { model }), why: 'The verifying model answers while you look.' },
      {
        wish: of('pause', { model }),
        why: 'Where a wrong answer costs more than none: the model answers nothing until you say so.',
      },
    );
  found.push({
    wish: of('freeze', {}),
    why: 'Nothing goes into service while you look, so that nothing changes under your hands.',
  });
  const shown: Suggestion[] = [];
  for (const { wish, why } of found) {
    const isThere =
      active.some((order) => isSameWish(order, wish)) || shown.some((each) => isSameWish(each.wish, wish));
    if (!isThere && shown.length < MOST && suits(wish))
      shown.push({ title: titleOf(wish), why, wish, needsApproval: needsApproval(wish) });
  }
  return shown;
}

/** What it does, in a sentence. Names of callers are in it as they are. */
function titleOf({ measure, target: { principal, model }, perMinute, guard }: OrderWish): string {
  const who = principal ?? (model === undefined ? 'everybody' : `everybody who asks ${model}`);
  switch (measure) {
    case 'throttle':
      return `At most ${perMinute} requests a minute for ${who}`;
    case 'degrade':
      return `Labels alone for ${who}`;
    case 'quarantine':
      return `No answers for ${who}`;
    case 'guard':
      return `The guard ${guard?.name} of ${model} stricter`;
    case 'verify':
      return `The verifying model answers for ${model}`;
    case 'pause':
      return `${model} answers nothing`;
    case 'rollback':
      return `${model} goes back to the version before`;
    case 'freeze':
      return 'Nothing in the registry goes into service';
  }
}
