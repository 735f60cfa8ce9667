import { describe, expect, it } from 'vitest';
import type { Backends } from '../backend/open-backends.ts';
import type { OpenBudgets } from '../limits/index.ts';
import { openMetrics } from '../observe/metrics.ts';
import type { Reviews } from '../verify/reviews.ts';
import { budgetRoutes } from './budget-routes.ts';
import { decisionRoutes } from './decision-routes.ts';
import { type Health, healthRoutes } from './health-routes.ts';
import { logRoutes } from './log-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { textFrom, wholeFrom } from './query-values.ts';
import { reviewRoutes } from './review-routes.ts';
import { call } from './routes.fixture.ts';

describe('the routes of models', () => {
  it('say so where a model is not served any more once something was done with it', async () => {
    const backends = { status: () => [], setCanary: async () => {} } as unknown as Backends;
    const routes = modelRoutes(backends, { incidents: {} as never, classNames: async () => undefined });
    await expect(
      call(routes, 'POST /api/models/:name/canary', { params: { name: 'net' } }),
    ).rejects.toMatchObject({ code: 'option/invalid', message: 'model net: expected one that is served' });
  });
});

describe('the routes of budgets', () => {
  it('tell nothing about nobody: principal, tenant and model are all needed', async () => {
    const asked: unknown[] = [];
    const routes = budgetRoutes({
      uses: async (...about: unknown[]) => void asked.push(about),
    } as unknown as OpenBudgets);
    const whole = { principal: 'ann', tenant: 'acme', model: 'net' };
    for (const missing of Object.keys(whole)) {
      const query = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== missing));
      await expect(call(routes, 'GET /api/budgets', { query })).rejects.toMatchObject({
        code: 'option/invalid',
      });
    }
    expect(asked).toEqual([]);
    await call(routes, 'GET /api/budgets', { query: whole });
    expect(asked).toEqual([[{ id: 'ann', tenant: 'acme' }, 'net']]);
  });
});

describe('the routes of the log', () => {
  it('give files of the log, and neither others nor those that are not there', async () => {
    const read: string[] = [];
    const routes = logRoutes({
      source: {
        async read(path) {
          read.push(path);
          return path === 'checkpoint' ? Buffer.from('signed') : undefined;
        },
      },
      erase: async () => false,
    });
    const get = (path: string) => call(routes, 'GET /log/*', { params: { '*': path } });
    expect(String((await get('checkpoint')).bytes)).toBe('signed');
    expect(await get('tile/0/000')).toMatchObject({ status: 404 });
    for (const path of ['../log-key.pem', 'log-key.pem', '.staging/placed-0', ''])
      expect(await get(path), path).toMatchObject({ status: 404, json: { error: expect.any(String) } });
    expect(read).toEqual(['checkpoint', 'tile/0/000']);
  });

  it('give receipts of entries that are whole numbers, and what is not signed yet is not there', async () => {
    const routes = decisionRoutes(
      { find: async () => undefined } as never,
      { receipt: async (entry: number) => `receipt ${entry}` } as never,
    );
    expect(await call(routes, 'GET /api/decisions/:which', { params: { which: '7' } })).toMatchObject({
      status: 404,
    });
    const receipt = (entry: string) => call(routes, 'GET /api/receipts/:entry', { params: { entry } });
    expect((await receipt('7')).bytes).toBe('receipt 7');
    for (const entry of ['', '-1', '1.5', '7 ', '1e3', '0x7', '9'.repeat(17)])
      await expect(receipt(entry), entry).rejects.toMatchObject({ code: 'option/invalid' });
  });
});

describe('the routes of health', () => {
  it('answer 503 when one part is not well, and say which', async () => {
    let parts: readonly Health[] = [{ part: 'log', ok: true }];
    const routes = healthRoutes(() => parts, openMetrics());
    expect(await call(routes, 'GET /health')).toMatchObject({ status: 200, json: { ok: true } });
    parts = [...parts, { part: 'store', ok: false, because: 'disk full' }];
    expect(await call(routes, 'GET /health')).toMatchObject({ status: 503, json: { ok: false, parts } });
    expect((await call(routes, 'GET /health/live')).status).toBeUndefined();
  });
});

describe('the routes of reviews', () => {
  it('know none that is not there, and take no vote that is none', async () => {
    const votes: unknown[] = [];
    const routes = reviewRoutes({
      find: async () => undefined,
      decide: async (...vote: unknown[]) => void votes.push(vote),
    } as unknown as Reviews);
    const params = { id: 'R-1' };
    expect(await call(routes, 'GET /api/reviews/:id', { params })).toMatchObject({ status: 404 });
    const vote = { verdict: 'release', revision: 0 };
    for (const wrong of [{ verdict: 'allow' }, { revision: -1 }, { revision: undefined }, { more: 1 }])
      await expect(
        call(routes, 'POST /api/reviews/:id/decide', { params, body: { ...vote, ...wrong } }),
      ).rejects.toThrow();
    expect(votes).toEqual([]);
    await call(routes, 'POST /api/reviews/:id/decide', { params, body: vote });
    expect(votes).toEqual([['R-1', { by: 'ann', ...vote }]]);
  });
});

describe('values of a query', () => {
  it('are whole numbers and short texts, or are refused by name', () => {
    expect([wholeFrom(undefined, 'most'), wholeFrom('', 'most'), wholeFrom('12', 'most')]).toEqual([
      undefined,
      undefined,
      12,
    ]);
    for (const text of ['-1', '1.5', '1e3', ' 1', 'x', '1'.repeat(16)])
      expect(() => wholeFrom(text, 'most'), text).toThrow(/^\?most=: expected a whole number/);
    expect([textFrom('', 'find'), textFrom('x'.repeat(512), 'find')]).toEqual([undefined, 'x'.repeat(512)]);
    expect(() => textFrom('x'.repeat(513), 'find')).toThrow(
      /^\?find=: expected at most 512 characters, got 513/,
    );
  });
});
