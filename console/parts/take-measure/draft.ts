import type { Measure, OrderTarget, OrderWish } from '../../../src/incident/order.ts';

/** Kinds of somebody that a measure may be for. */
export const WHO = ['principal', 'tenant', 'credential', 'address'] as const;

/** What a person has chosen so far; texts as they were typed. */
export interface Draft {
  readonly measure: Measure;
  /** `everybody`: whoever asks. */
  readonly who: (typeof WHO)[number] | 'everybody';
  readonly name: string;
  /** Empty: every model. */
  readonly model: string;
  readonly perMinute: string;
  readonly detail: 'label' | 'scores';
  readonly guard: string;
  /** How many times as strict. */
  readonly times: string;
  /** Empty: what the guard does now. */
  readonly action: '' | 'flag' | 'degrade' | 'refuse';
  /** Hours; empty: until it is lifted. */
  readonly hours: string;
  readonly because: string;
  /** Empty: of no case. */
  readonly case: string;
}

type Need = 'must' | 'may' | 'never';

/** What each measure has to say of whom it is for, as the server asks it. */
export const NEEDS: Readonly<Record<Measure, { readonly who: Need; readonly model: Need }>> = {
  throttle: { who: 'must', model: 'may' },
  degrade: { who: 'may', model: 'may' },
  quarantine: { who: 'must', model: 'may' },
  guard: { who: 'may', model: 'must' },
  verify: { who: 'may', model: 'must' },
  pause: { who: 'never', model: 'must' },
  rollback: { who: 'never', model: 'must' },
  freeze: { who: 'never', model: 'never' },
};

const HOUR = 3_600_000;

/** A draft with what is known where it is begun. */
export function draftFrom(given: Partial<Draft> = {}): Draft {
  return {
    ...{ measure: 'throttle', who: 'principal', name: '', model: '', perMinute: '30', detail: 'label' },
    ...{ guard: '', times: '2', action: '', hours: '24', because: '', case: '' },
    ...given,
  };
}

/** The wish that a draft stands for; undefined while something is missing. */
export function wishFrom(draft: Draft, now: number): OrderWish | undefined {
  const { measure } = draft;
  const needs = NEEDS[measure];
  const [name, because, guard] = [draft.name.trim(), draft.because.trim(), draft.guard.trim()];
  const isSomebody = needs.who !== 'never' && draft.who !== 'everybody';
  if (because === '' || (isSomebody && name === '') || (needs.who === 'must' && !isSomebody))
    return undefined;
  if (needs.model === 'must' && draft.model === '') return undefined;
  const perMinute = Number(draft.perMinute);
  if (measure === 'throttle' && !(draft.perMinute.trim() !== '' && perMinute > 0)) return undefined;
  if (measure === 'guard' && guard === '') return undefined;
  const target: OrderTarget = {
    ...(isSomebody && { [draft.who]: name }),
    ...(needs.model !== 'never' && draft.model !== '' && { model: draft.model }),
  };
  return {
    ...{ measure, target, because },
    ...(measure === 'throttle' && { perMinute }),
    ...(measure === 'degrade' && { detail: draft.detail }),
    ...(measure === 'guard' && {
      guard: {
        ...{ name: guard, strictness: 1 / Number(draft.times) },
        ...(draft.action !== '' && { action: draft.action }),
      },
    }),
    ...(draft.hours !== '' && { until: now + Number(draft.hours) * HOUR }),
    ...(draft.case !== '' && { case: draft.case }),
  };
}
