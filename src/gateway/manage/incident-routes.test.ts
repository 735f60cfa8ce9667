import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEvidenceShelf } from '../../incident/evidence/evidence-shelf.ts';
import { searchHere } from '../../incident/impact/search-here.ts';
import {
  alarmOf,
  countingIds,
  memoryContainment,
  readIncidents,
  START,
} from '../../incident/incident.fixture.ts';
import { type Investigations, openInvestigations } from '../../incident/investigations.ts';
import { type Incidents, openIncidents } from '../../incident/open-incidents.ts';
import { decisionOf, memoryPast } from '../../incident/past.fixture.ts';
import { runWhatIf } from '../../incident/what-if/run-what-if.ts';
import { type LogTrust, openLog } from '../../ledger/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import { recordSchema } from '../record/config-schema.ts';
import { parseTrustFile } from '../record/log-folder.ts';
import { type OpenRecorder, openRecorder } from '../record/open-recorder.ts';
import { incidentRoutes } from './incident-routes.ts';
import { investigationRoutes } from './investigation-routes.ts';
import type { ManagementAnswer, ManagementRoute } from './route.ts';
import { call, person } from './routes.fixture.ts';

let folder: string;
let store: Store;
let recorder: OpenRecorder;
let incidents: Incidents;
let investigations: Investigations;
let routes: readonly ManagementRoute[];
let id: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-incident-routes-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'store.db') });
  recorder = await openRecorder(recordSchema.parse({ publishEvery: '20 ms' }), {
    folder: join(folder, 'record'),
  });
  const trustFile = JSON.stringify(recorder.trust);
  const trust: LogTrust = parseTrustFile(Buffer.from(trustFile), 'trust');
  const now = () => START;
  const freshId = countingIds();
  const record = (event: Parameters<OpenRecorder['record']>[0]) => recorder.record(event);
  const failed = (_where: string, thrown: unknown) => {
    throw thrown;
  };
  incidents = openIncidents(readIncidents({ respond: { mode: 'off' }, fourEyes: { measures: ['pause'] } }), {
    ...{ store, record, now, freshId, failed, notify: () => {} },
    containment: memoryContainment(now),
  });
  const all = Array.from({ length: 40 }, (_, i) => decisionOf(i, { principal: i < 30 ? 'mallory' : 'ann' }));
  const past = memoryPast(all);
  investigations = await openInvestigations({
    ...{ incidents, store, record, now, freshId, failed, trustFile, log: 'here' },
    past,
    search: searchHere({ past, now }),
    replayWhatIf: (of, scope, change, watch) => runWhatIf(of, scope, change, { past, now, ...watch }),
    ledger: { reader: () => openLog(recorder.source, trust), receipt: (index) => recorder.receipt(index) },
    shelf: await openEvidenceShelf(join(folder, 'evidence')),
    models: () => [{ model: 'signs' }],
  });
  routes = [...incidentRoutes(incidents, investigations), ...investigationRoutes(incidents, investigations)];
  id = (await incidents.raise(alarmOf({ decisions: [decisionOf(3).id] })))!;
});
afterEach(async () => {
  await investigations.close();
  await incidents.close();
  await recorder.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const params = (more: object = {}) => ({ params: { id, ...more } });
const json = <T>(answer: ManagementAnswer): T => (answer as { json: T }).json;

describe('the routes of incidents', () => {
  it('show cases, alarms and what shows them', async () => {
    const list = json<{ rows: { id: string }[] }>(
      await call(routes, 'GET /api/cases', { query: { state: 'open' } }),
    );
    expect(list.rows.map((each) => each.id)).toEqual([id]);
    const shown = json<object>(await call(routes, 'GET /api/cases/:id', params()));
    expect(shown).toMatchObject({
      case: { id, state: 'open' },
      alarms: [{ principals: ['mallory'] }],
      decisions: [{ entry: 3, outcome: 'answered', principal: 'mallory' }],
    });
    const alarms = json<{ rows: unknown[] }>(await call(routes, 'GET /api/alarms', { query: { case: id } }));
    expect(alarms.rows).toHaveLength(1);
    for (const other of ['C-2026-0099', "x' or 1", '..'])
      expect(await call(routes, 'GET /api/cases/:id', params({ id: other }))).toMatchObject({ status: 404 });
    await expect(call(routes, 'GET /api/cases', { query: { most: '-1' } })).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('act in the name of who asks, and wait for a second person where two are wanted', async () => {
    const wish = { measure: 'quarantine', target: { principal: 'mallory' }, because: 'x' };
    const done = await call(routes, 'POST /api/cases/:id/act', {
      ...params(),
      body: { wish },
      by: person('ann', 'operator'),
    });
    expect(done).toMatchObject({ json: { order: { by: 'ann', case: id }, case: { state: 'contained' } } });
    const pause = { measure: 'pause', target: { model: 'signs' }, because: 'x' };
    const asked = await call(routes, 'POST /api/cases/:id/act', { ...params(), body: { wish: pause } });
    expect(asked).toMatchObject({ status: 202 });
    const body = { act: json<{ asked: string }>(asked).asked };
    await expect(call(routes, 'POST /api/cases/:id/approve', { ...params(), body })).rejects.toMatchObject({
      code: 'option/invalid',
    });
    const approved = await call(routes, 'POST /api/cases/:id/approve', {
      ...params(),
      body,
      by: person('bob'),
    });
    const { order } = json<{ order: { id: string } }>(approved);
    expect(order).toMatchObject({ measure: 'pause', by: 'ann' });
    expect(
      await call(routes, 'POST /api/cases/:id/lift', { ...params(), body: { order: order.id } }),
    ).toMatchObject({
      json: { order: { ended: START } },
    });
    expect(
      await call(routes, 'POST /api/cases/:id/lift', { ...params(), body: { order: 'nothing' } }),
    ).toMatchObject({
      status: 404,
    });
    // Outside of cases there is no way around the second person.
    await expect(incidents.overseen.order({ ...pause, measure: 'pause' }, 'ann')).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('leave closing to whoever may close, and acting to whoever may act', async () => {
    const state = routes.find(({ path }) => path === '/api/cases/:id/state')!;
    const as = (rights: readonly string[], body: object) =>
      state.run({
        params: { id },
        query: {},
        body: state.body!.parse(body),
        by: person('rob', 'reviewer'),
        may: (action) => rights.includes(action),
        signal: new AbortController().signal,
        knock: { method: 'POST', path: '/', headers: {}, address: '', isSecure: false },
      });
    const closing = { state: 'closed', verdict: 'false-alarm', revision: 0 };
    const refused = async (rights: readonly string[], body: object) =>
      expect(async () => as(rights, body)).rejects.toMatchObject({ refusal: 'unknown' });
    await refused(['incident.act'], closing);
    await refused(['incident.close'], { state: 'working', revision: 0 });
    await refused([], closing);
    expect(await as(['incident.close'], closing)).toMatchObject({ json: { state: 'closed' } });
    await expect(as(['incident.act'], { state: 'open', revision: 0 })).rejects.toMatchObject({
      code: 'store/conflict',
    });
  });

  it('search, pack and hand out evidence', async () => {
    const begun = await call(routes, 'POST /api/cases/:id/impact', {
      ...params(),
      body: { scope: { principal: 'mallory' } },
    });
    expect(begun).toMatchObject({ status: 202, json: { state: 'running', rows: [] } });
    const search = json<{ id: string }>(begun).id;
    await investigations.impacts.idle();
    const done = await call(routes, 'GET /api/impacts/:id', { params: { id: search }, query: { most: '7' } });
    expect(done).toMatchObject({
      json: { state: 'done', affected: 30, principals: [{ principal: 'mallory', decisions: 30 }] },
    });
    const { rows, next, bundle } = json<{ rows: unknown[]; next: string; bundle: { digest: string } }>(done);
    expect([rows.length, next]).toEqual([7, '0.6']);
    expect(bundle.digest).toMatch(/^sha256:/);
    const zip = await call(routes, 'GET /api/impacts/:id/bundle', { params: { id: search } });
    expect(zip).toMatchObject({
      type: 'application/zip',
      headers: { 'content-disposition': `attachment; filename="${id}.zip"` },
    });
    const made = await call(routes, 'POST /api/cases/:id/bundle', params());
    expect(made).toMatchObject({ status: 201, json: { bytes: expect.any(Number) } });
    expect((await call(routes, 'GET /api/cases/:id/bundle', params())).bytes).toHaveLength(
      json<{ bytes: number }>(made).bytes,
    );
    for (const path of ['GET /api/impacts/:id', 'GET /api/impacts/:id/bundle', 'GET /api/cases/:id/bundle'])
      expect(await call(routes, path, { params: { id: '../../x' } }), path).toMatchObject({ status: 404 });
    const elsewhere = { params: { id: 'C-2026-0099' }, body: { scope: { principal: 'mallory' } } };
    expect(await call(routes, 'POST /api/cases/:id/impact', elsewhere)).toMatchObject({ status: 404 });
    const events = (await incidents.find(id))!.events.map(({ what }) => what.kind);
    expect(events).toEqual(['alarm', 'impact', 'bundle', 'bundle']);
  });

  it('replay the past under another limit', async () => {
    const change = { kind: 'budget', per: 'principal', queries: 20, window: 1e9 };
    const begun = await call(routes, 'POST /api/what-if', { body: { from: 0, to: START + 1000, change } });
    await investigations.whatIfs.idle();
    const { id: replay } = json<{ id: string }>(begun);
    expect(await call(routes, 'GET /api/what-if/:id', { params: { id: replay } })).toMatchObject({
      json: {
        state: 'done',
        looked: 40,
        changed: [{ from: 'answered', to: 'exhausted', calls: 10 }],
        principals: [{ principal: 'mallory', calls: 30, changed: 10, inCases: true }],
      },
    });
    expect(await call(routes, 'GET /api/what-if/:id', { params: { id: 'x' } })).toMatchObject({
      status: 404,
    });
    for (const wrong of [
      { ...change, queries: 0 },
      { ...change, per: 'all' },
      { kind: 'guard', guard: 'x' },
      { ...change, more: 1 },
    ])
      await expect(
        call(routes, 'POST /api/what-if', { body: { from: 0, to: 1, change: wrong } }),
      ).rejects.toThrow();
  });

  it('open a case by hand, with comments and an owner, and take nothing that they do not know', async () => {
    const body = { title: 'odd prices', kind: 'fault', model: 'signs', principals: ['p'] };
    const { json: made } = (await call(routes, 'POST /api/cases', { body })) as { json: { id: string } };
    expect(made).toMatchObject({ id: 'C-2026-0002', kind: 'fault', severity: 'medium', isNew: true });
    const { events } = (await incidents.find(made.id))!;
    expect(events).toMatchObject([{ by: 'ann', what: { kind: 'alarm' }, entry: expect.any(Number) }]);
    const of = { params: { id: made.id } };
    await call(routes, 'POST /api/cases/:id/comment', { ...of, body: { text: '<b>x</b>' } });
    await call(routes, 'POST /api/cases/:id/owner', { ...of, body: { owner: 'ann', revision: 0 } });
    expect((await incidents.find(made.id))!.case).toMatchObject({ owner: 'ann', revision: 1 });
    await expect(call(routes, 'POST /api/cases', { body: { ...body, id: 'C-1' } })).rejects.toThrow();
    await expect(
      call(routes, 'POST /api/cases/:id/comment', { ...of, body: { text: '  ' } }),
    ).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('open a case about somebody and a time, without a model; what belongs to an open case joins it', async () => {
    const about = { title: 'asks at night', why: 'as <i>told</i>', kind: 'attack', severity: 'high' };
    const body = { ...about, principals: ['eve'], first: START - 9000, last: START - 8000 };
    const { json: made, status } = (await call(routes, 'POST /api/cases', { body })) as {
      json: { id: string };
      status: number;
    };
    expect(status).toBe(201);
    expect((await incidents.find(made.id))!.case).toMatchObject({
      ...{ models: [], principals: ['eve'], first: START - 9000, last: START - 8000, severity: 'high' },
    });
    await expect(call(routes, 'POST /api/cases', { body: about })).rejects.toMatchObject({
      code: 'option/invalid',
    });
    const more = { ...about, model: 'signs', principals: ['mallory'] };
    expect(await call(routes, 'POST /api/cases', { body: more })).toMatchObject({
      ...{ json: { id, isNew: false }, status: 200 },
    });
    expect((await incidents.find(id))!.alarms.map(({ why }) => why)).toContain('as <i>told</i>');
  });
});
