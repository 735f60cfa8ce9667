import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/incident/case.ts';
import { draftOf, scopeOf } from './impact-draft.ts';

const first = Date.UTC(2026, 10, 22, 9, 30, 12, 345);
const of = { principals: ['mallory'], models: ['signs'], first, last: first + 61_000 } as unknown as Case;
const digest = `sha256:${'0a'.repeat(32)}`;

describe('what is asked about the past', () => {
  it('begins with what the case is about, to the millisecond', () => {
    expect(scopeOf(draftOf(of), of)).toEqual({
      ...{ principal: 'mallory', model: 'signs', from: first, to: first + 61_000 },
    });
  });

  it('has no ends where the case is of a single moment: nobody said how long it went on', () => {
    const opened = { ...of, last: first };
    expect(scopeOf(draftOf(opened), opened)).toEqual({ principal: 'mallory', model: 'signs' });
  });

  it('asks by version, tenant, window, feed, file and data, and leaves out what is empty', () => {
    const nothing = { ...draftOf(of), principal: ' ', model: '', from: '', to: '' };
    expect(scopeOf(nothing, of)).toEqual({});
    const all = { ...nothing, tenant: ' trial ', model: 'signs', version: '2', feed: 'price', data: digest };
    expect(scopeOf({ ...all, digest }, of)).toEqual({
      ...{ tenant: 'trial', model: 'signs', version: '2', feed: 'price', data: digest, digest },
    });
    expect(scopeOf({ ...nothing, from: '2026-11-22T08:00' }, of)).toEqual({
      from: new Date('2026-11-22T08:00').getTime(),
    });
  });

  it('says what cannot be asked', () => {
    const draft = draftOf(of);
    expect(scopeOf({ ...draft, data: 'sha256:12' }, of)).toMatch(/64 hexadecimal/);
    expect(scopeOf({ ...draft, model: '', version: '2' }, of)).toMatch(/choose the model/);
    expect(scopeOf({ ...draft, from: '2026-11-23T08:00' }, of)).toMatch(/before the beginning/);
    expect(scopeOf({ ...draft, to: 'soon' }, of)).toMatch(/not complete/);
  });
});
