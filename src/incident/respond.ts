import type { Alarm } from '../monitor/alarm.ts';
import { fitsPattern } from '../policy/name-pattern.ts';
import type { Store } from '../store/index.ts';
import type { Acts } from './acts.ts';
import { isWorse } from './case-store.ts';
import type { IncidentsConfig, ResponseStep } from './config-schema.ts';
import type { Containment, OrderWish } from './order.ts';
import { isSameWish } from './wish.ts';

const HOUR = 3_600_000;

/** What the rules want done about an alarm, in their order: nothing twice. Principals that are never touched are left out. */
export function wishesFor(
  alarm: Alarm,
  { rules, never }: IncidentsConfig['respond'],
  now: number,
): readonly OrderWish[] {
  const fits = (patterns: readonly string[], name: string) =>
    patterns.some((each) => fitsPattern(each, name));
  const wishes: OrderWish[] = [];
  for (const { when, do: steps } of rules) {
    if (when.kind !== undefined && when.kind !== alarm.kind) continue;
    if (when.severity !== undefined && isWorse(when.severity, alarm.severity)) continue;
    if (!fits(when.monitor, alarm.monitor) || !fits(when.model, alarm.model)) continue;
    for (const step of steps)
      for (const target of targetsOf(step, alarm, (name) => fits(never, name))) {
        const wish = wishOf(step, target, alarm, now);
        if (!wishes.some((each) => isSameWish(each, wish))) wishes.push(wish);
      }
  }
  return wishes;
}

function targetsOf(
  { to, measure }: ResponseStep,
  { principals, model }: Alarm,
  isSpared: (name: string) => boolean,
): readonly OrderWish['target'][] {
  if (measure === 'freeze') return [{}];
  if (to === 'model' || ['guard', 'verify', 'pause', 'rollback'].includes(measure)) return [{ model }];
  return principals.filter((name) => !isSpared(name)).map((principal) => ({ principal }));
}

function wishOf(step: ResponseStep, target: OrderWish['target'], alarm: Alarm, now: number): OrderWish {
  const { measure, perMinute, detail, guard, lasts } = step;
  return {
    ...{ measure, target, until: now + lasts },
    ...(perMinute !== undefined && { perMinute }),
    ...(measure === 'degrade' && { detail: detail ?? 'label' }),
    ...(guard !== undefined && { guard }),
    because: `${alarm.monitor}: ${alarm.title}`.slice(0, 500),
  };
}

/** What automatic response depends on. */
export interface RespondSetting {
  readonly config: () => IncidentsConfig;
  readonly acts: Acts;
  readonly containment: Containment;
  readonly store: Store;
  readonly now: () => number;
  /** Writes a sentence of Glacis into a case; of an urgent one people are told at once. */
  readonly say: (id: string, text: string, urgent?: true) => Promise<unknown>;
  readonly failed: (where: string, thrown: unknown) => void;
}

/**
 * Does what the rules say about an alarm of a case. Beyond the hour's limits a person is asked in its place, so that an attacker who speaks in the name of many
 * cannot have everybody locked out. What cannot be done is said in the case, and the rest is done. Never throws.
 */
export async function respond(alarm: Alarm, id: string, setting: RespondSetting): Promise<void> {
  const { acts, containment, store, now, say, failed } = setting;
  const { respond: rules } = setting.config();
  if (rules.mode === 'off') return;
  try {
    const active = containment.active();
    const wishes: OrderWish[] = [];
    for (const wish of wishesFor(alarm, rules, now())) {
      const there = active.find((order) => isSameWish(order, wish));
      if (there === undefined) wishes.push(wish);
      // Another case had it done: it holds for this one as well.
      else if (rules.mode === 'on' && there.case !== id) await acts.note({ ...there, case: id });
    }
    if (wishes.length === 0) return;
    if (rules.mode === 'dry-run') {
      const told = wishes.map(({ measure, target }) => `${measure} ${JSON.stringify(target)}`);
      await say(id, `Dry run: would ${told.slice(0, 16).join('; ')}`);
      return;
    }
    let taken = await takenIn(store, now() - HOUR);
    for (const wish of wishes) {
      const isQuarantine = wish.measure === 'quarantine';
      const isTooMuch =
        taken.all >= rules.mostMeasures || (isQuarantine && taken.quarantines >= rules.mostQuarantined);
      try {
        const { done } = await acts.act(id, wish, 'glacis', isTooMuch);
        if (done) taken = { all: taken.all + 1, quarantines: taken.quarantines + (isQuarantine ? 1 : 0) };
      } catch (thrown) {
        failed(`response ${wish.measure}`, thrown);
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        await say(id, `Could not ${wish.measure}: ${why}`, true);
      }
    }
  } catch (thrown) {
    failed('response', thrown);
  }
}

/** Measures that Glacis took since then, on all gateways of the store. */
async function takenIn(
  { db }: Store,
  since: number,
): Promise<{ readonly all: number; readonly quarantines: number }> {
  const rows = await db
    .selectFrom('case_events')
    .select('body')
    .where('kind', '=', 'measure')
    .where('at', '>', since)
    .where('actor', '=', JSON.stringify('glacis'))
    .limit(100_001)
    .execute();
  const quarantines = rows.filter(
    ({ body }) => (JSON.parse(body) as { measure?: unknown }).measure === 'quarantine',
  );
  return { all: rows.length, quarantines: quarantines.length };
}
