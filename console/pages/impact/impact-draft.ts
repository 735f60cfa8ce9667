import type { ImpactScope } from '../../../src/gateway/console/api.ts';
import type { Case } from '../../../src/incident/case.ts';

/** What a person chose of a search; texts as they were typed, empty where it may be anything. */
export interface ImpactDraft {
  readonly principal: string;
  readonly tenant: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly feed: string;
  readonly data: string;
  /** As `<input type="datetime-local">` has it, in the time of this browser. */
  readonly from: string;
  readonly to: string;
}

/** What a case is about, as a beginning. One that is of a single moment (opened by hand, say) does not tell how long it went on: then the past has no ends, in which nothing can be missed. */
export function draftOf({ principals, models, first, last }: Case): ImpactDraft {
  const [from, to] = first === last ? ['', ''] : [fieldOf(first), fieldOf(last)];
  return {
    ...{ principal: principals[0] ?? '', model: models[0] ?? '', from, to },
    ...{ tenant: '', version: '', digest: '', feed: '', data: '' },
  };
}

/** The scope that a draft stands for; a sentence where it stands for none. Seconds of the case are kept where its times were not touched. */
export function scopeOf(
  draft: ImpactDraft,
  { first, last }: Pick<Case, 'first' | 'last'>,
): ImpactScope | string {
  const [from, to] = [timeOf(draft.from, first), timeOf(draft.to, last)];
  if (Number.isNaN(from) || Number.isNaN(to)) return 'A time is not complete.';
  if (from !== undefined && to !== undefined && from > to) return 'The end lies before the beginning.';
  const texts = (['principal', 'tenant', 'model', 'version', 'digest', 'feed', 'data'] as const).flatMap(
    (key) => (draft[key].trim() === '' ? [] : [[key, draft[key].trim()] as const]),
  );
  for (const [key, text] of texts)
    if ((key === 'digest' || key === 'data') && !/^sha256:[0-9a-f]{64}$/.test(text))
      return 'A digest is “sha256:” and 64 hexadecimal digits.';
  if (draft.version.trim() !== '' && draft.model === '')
    return 'A version is one of a model: choose the model.';
  return {
    ...Object.fromEntries(texts),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

/** A time as the field shows it, to the minute, in the time of this browser. */
function fieldOf(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What the field says; what it was made of where nobody touched it, undefined where it is empty. */
function timeOf(text: string, made: number): number | undefined {
  if (text === '') return undefined;
  return text === fieldOf(made) ? made : new Date(text).getTime();
}
