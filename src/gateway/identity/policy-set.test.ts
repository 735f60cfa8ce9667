import { expect, it } from 'vitest';
import { type Cedar, freshCedar } from './cedar/engine.ts';
import { openPolicySet } from './policy-set.ts';

const SCHEMA = 'entity P; entity R; action "see" appliesTo { principal: [P], resource: [R] };';
const QUESTION = {
  principal: { type: 'P', id: 'ann' },
  action: 'see',
  resource: { type: 'R', id: 'it' },
  context: {},
  entities: [],
};

it('an instance that broke is replaced, at most once in ten seconds', async () => {
  let ticks = 0;
  let made = 0;
  let breaks = false;
  const fresh = (): Cedar => {
    made++;
    const cedar = freshCedar();
    return {
      ...cedar,
      statefulIsAuthorized(call) {
        if (breaks) throw Object.assign(new Error('memory access out of bounds'), { name: 'RuntimeError' });
        return cedar.statefulIsAuthorized(call);
      },
    };
  };
  const set = await openPolicySet(
    {
      schema: SCHEMA,
      paths: [],
      standard: { name: 'standard', text: '@id("all") permit (principal, action, resource);' },
      withStandard: false,
    },
    { changed: () => {}, clock: () => ticks, fresh },
  );
  expect(set.ask(QUESTION)).toEqual({ isAllowed: true, policies: ['all'] });
  breaks = true;
  for (let i = 0; i < 5; i++) expect(() => set.ask(QUESTION)).toThrow('out of bounds');
  expect(made).toBe(2);
  ticks = 10_000;
  expect(() => set.ask(QUESTION)).toThrow('out of bounds');
  expect(made).toBe(3);
  breaks = false;
  expect(set.ask(QUESTION).isAllowed).toBe(true);
  expect(() => set.ask({ ...QUESTION, context: { more: 'x' } })).toThrow(/policies/);
  expect(made).toBe(3);
});
