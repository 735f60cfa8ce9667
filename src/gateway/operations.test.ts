import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import { alarmOf } from '../incident/incident.fixture.ts';
import { openStore, type Store } from '../store/index.ts';
import type { LostThread } from './backend/lost-threads.ts';
import type { Backends } from './backend/open-backends.ts';
import { readServe } from './config/read-serve.ts';
import type { Event } from './decision.ts';
import { openManagementRights } from './identity/management.ts';
import type { Identity } from './identity/open-identity.ts';
import { lostThreadAlarm } from './lost-thread-alarm.ts';
import type { ManagementCall } from './manage/route.ts';
import { person } from './manage/routes.fixture.ts';
import type { ModelParts } from './model-parts.ts';
import { type Operations, openOperations } from './operations.ts';
import { decision } from './record/record.fixture.ts';

let folder: string;
let store: Store;
let receiver: Server;
let operations: Operations;
/** What the receiver of alerts was told. */
let told: string[];
let events: Event[];
let failures: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-operations-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') });
  [told, events, failures] = [[], [], []];
  receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += String(part);
    });
    request.on('end', () => {
      told.push(text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await operations.close();
  await store.close();
  await new Promise((resolve) => receiver.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** What watches and steers a gateway with these sections, as the gateway opens it. */
async function started(who: 'clear' | 'sealed', rules: readonly object[] = []): Promise<void> {
  const { port } = receiver.address() as AddressInfo;
  const hook = {
    ...{ kind: 'webhook', name: 'hook', url: `http://127.0.0.1:${port}/`, keys: [{ env: 'KEY' }] },
    ...{ least: 'low', insecureLoopback: true, bundle: '1 second' },
  };
  const serve = { log: { who }, alerts: { channels: [hook] }, incidents: { respond: { rules } } };
  const { config } = readServe(JSON.stringify({ serve }));
  const failed = (where: string, thrown: unknown) => void failures.push(`${where}: ${thrown}`);
  operations = await openOperations(config, {
    ...{ store, secret: new Uint8Array(32).fill(7), dataFolder: folder, home: folder },
    identity: {
      holder: (key: string) => person(key, 'admin'),
      isShutOut: () => false,
    } as unknown as Identity,
    management: await openManagementRights(config.rights, { now: Date.now, failed }),
    backends: () => ({ status: () => [] }) as unknown as Backends,
    parts: () => ({ guards: () => [], second: () => undefined }) as unknown as ModelParts,
    find: () => undefined,
    record: async (event) => events.push(event) - 1,
    observer: { stage: () => {}, decided: () => {}, failed },
    budgetShare: () => 0,
    ...{ now: Date.now, clock: () => performance.now(), placeOf: (path: string) => join(folder, path) },
    env: { KEY: 'a key of many characters' },
  });
}
const attack = (over: object = {}) =>
  alarmOf({ severity: 'critical', at: Date.now(), first: Date.now(), last: Date.now(), ...over });

/** The live events that somebody with all rights follows. */
async function follow(): Promise<() => string> {
  const route = operations.console.routes.find(({ path }) => path === '/api/events')!;
  const answer = await route.run({
    ...{ params: {}, query: {}, body: undefined, by: person('ann', 'admin'), may: () => true },
    signal: new AbortController().signal,
    knock: { method: 'GET', path: '/', headers: {}, address: '127.0.0.1', isSecure: false },
  } as ManagementCall);
  const stream: Readable = (answer as { stream: () => Readable }).stream();
  let text = '';
  stream.on('data', (part) => {
    text += String(part);
  });
  return () => text;
}

describe('what watches and steers a gateway', () => {
  it('tells the receivers of alerts what it did by itself, and what it could not do', async () => {
    await started('clear', [
      {
        when: { kind: 'attack' },
        do: [
          { measure: 'quarantine', lasts: '1 hour' },
          { measure: 'rollback', to: 'model' },
        ],
      },
    ]);
    await operations.incidents.raise(attack());
    expect(operations.containment.active()).toMatchObject([{ measure: 'quarantine', by: 'glacis' }]);
    const saying = (text: string) => told.filter((each) => each.includes(text));
    await until(() => saying('in force: quarantine, principal mallory, by glacis').length > 0);
    // At once, and not when there is enough to say.
    const failure = 'Could not rollback: order: expected';
    await until(() => saying(failure).length > 0);
    expect(JSON.parse(saying(failure)[0]!)).toMatchObject({ type: 'glacis.case.trigger' });
    expect(failures.join()).toMatch(/response rollback/);
  });

  it.each([
    ['clear', true],
    ['sealed', false],
  ] as const)(
    'names callers in the log of events and on open pages where the log is %s: %s',
    async (who, isNamed) => {
      await started(who);
      const seen = await follow();
      const at = Date.now();
      operations.observer.decided(decision(1, { at, principal: 'mallory', tenant: 'their-tenant' }), {
        entry: 7,
        milliseconds: 1,
      });
      await until(() => seen().includes('"kind":"decision"'));
      expect(seen().includes('mallory')).toBe(isNamed);
      expect(seen().includes('their-tenant')).toBe(isNamed);
      await operations.incidents.raise(attack());
      expect(events.map(({ event }) => event)).toContain('case-alarm');
      expect(JSON.stringify(events).includes('mallory')).toBe(isNamed);
    },
  );

  it('opens a case for a run that does not end, one for all of a model, the worse the fewer threads are left', async () => {
    await started('clear');
    const lost = { model: 'signs', version: '1', digest: 'sha256:0', timeout: 60_000, most: 1 };
    const call = (principal: string, decision: string) => ({ principal, decision });
    const about = (isReplaced: boolean, n: number, by: LostThread['by']) =>
      lostThreadAlarm(
        { ...lost, lost: n, isReplaced, by },
        { id: n.toString(16).padStart(32, '0'), now: Date.now() },
      );
    expect(operations.alarmed('signs')).toBe(false);
    operations.raise(about(true, 1, [call('mallory', 'd1')]));
    operations.raise(about(false, 2, [call('mallory', 'd2'), call('ann', 'd3'), call('mallory', 'd4')]));
    expect(operations.alarmed('signs')).toBe(true);
    await operations.incidents.idle();
    const { rows } = await operations.incidents.list({ most: 10 });
    expect(rows).toMatchObject([
      { kind: 'fault', severity: 'critical', models: ['signs'], alarms: 2, principals: ['mallory', 'ann'] },
    ]);
    expect(events.map(({ event }) => event)).toEqual(['case-alarm', 'case-alarm']);
  });
});
