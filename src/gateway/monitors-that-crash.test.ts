import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../../test/until.ts';
import type { Alarm } from '../monitor/alarm.ts';
import type { MonitorState } from '../monitor/monitor.ts';
import { serializeModel } from '../onnx/write.ts';
import { hiddenModel } from '../threat/small-model.fixture.ts';
import { readServe } from './config/read-serve.ts';
import { openProcessLog } from './observe/process-log.ts';
import { openGateway, type RunningGateway } from './open-gateway.ts';

// Two monitors in the place of all: one counts, the other breaks in as many ways as there are principals.
vi.mock('../monitor/hub/open-monitors.ts', async (original) => {
  const real = await original<typeof import('../monitor/hub/open-monitors.ts')>();
  const kindsFrom = new URL('../monitor/hub/kinds.fixture.ts', import.meta.url).href;
  return {
    ...real,
    openMonitors: (...[setting, around]: Parameters<typeof real.openMonitors>) =>
      real.openMonitors(setting, { ...around, kindsFrom }),
  };
});

const DATA = [0.3, -1, 0.7, 0.1, 2];
/** However long the machine stands still. */
const PATIENT = 180_000;

let folder: string;
let gateway: RunningGateway;
/** Keys by principal. */
let keys: Map<string, string>;
/** Lines of the process's log. */
let lines: string[];
/** Questions that were asked. */
let asked: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-crashing-monitors-'));
  writeFileSync(join(folder, 'm.onnx'), serializeModel(hiddenModel(5, 8, 3)));
  const serve = {
    listen: { port: 0 },
    management: { port: 0 },
    models: { m: { file: 'm.onnx', check: { asGiven: true } } },
    rates: { limits: [{ per: 'principal', requests: 1e9, every: 'second' }] },
    budgets: { limits: [{ per: 'principal', queries: 1e9 }] },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'test');
  [lines, asked] = [[], 0];
  gateway = await openGateway({
    ...{ config, folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
    log: openProcessLog({ write: (line) => void lines.push(line) }),
  });
  keys = new Map();
  for (const principal of ['admin', 'ann', 'bomb', 'crash', 'loose']) {
    const wish = {
      ...{ principal, tenant: 'acme', roles: principal === 'admin' ? ['admin'] : [] },
      scope: { models: ['*'], operations: ['infer'], detail: 'logits' },
    } as const;
    keys.set(principal, (await gateway.keys.create(wish, { id: 'test', mayGrant: true })).text);
  }
}, PATIENT);
afterEach(async () => {
  await gateway.drain();
  rmSync(folder, { recursive: true });
});

/** What the model answers a principal. */
async function ask(principal: string): Promise<readonly number[]> {
  asked++;
  const answer = await fetch(`${gateway.addresses.rest}/v2/models/m/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.get(principal)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 5], data: DATA }] }),
  });
  expect(answer.status).toBe(200);
  const { outputs } = (await answer.json()) as { readonly outputs: readonly { readonly data: number[] }[] };
  return outputs[0]!.data;
}

/** What a person with all rights is told. */
async function managed(path: string): Promise<string> {
  const answer = await fetch(`${gateway.addresses.management}${path}`, {
    headers: { authorization: `Bearer ${keys.get('admin')}` },
  });
  expect(answer.status).toBe(200);
  return answer.text();
}

interface Standing {
  readonly states: readonly MonitorState[];
  readonly counts: { readonly seen: number; readonly dropped: number; readonly restarts: number };
}
const standing = async (): Promise<Standing> => JSON.parse(await managed('/api/monitors?model=m'));
const counted = async (): Promise<number> =>
  (await standing()).states.find(({ monitor }) => monitor === 'counting')?.score ?? 0;
const faults = async (): Promise<readonly Alarm[]> =>
  (JSON.parse(await managed('/api/alarms?kind=fault')) as { readonly rows: readonly Alarm[] }).rows;
const cases = async (): Promise<readonly { readonly kind: string }[]> =>
  (JSON.parse(await managed('/api/cases')) as { readonly rows: readonly { readonly kind: string }[] }).rows;

describe('a whole gateway', () => {
  it(
    'answers on when a monitor throws: it is stopped and a case, the other monitor goes on',
    async () => {
      const right = await ask('ann');
      expect(right).toHaveLength(3);
      await until(async () => (await counted()) === 1);
      expect(await ask('bomb')).toEqual(right);
      await until(async () => (await cases()).length === 1);
      expect(await faults()).toMatchObject([{ monitor: 'fragile', model: 'm', severity: 'medium' }]);
      expect(await cases()).toMatchObject([{ kind: 'fault' }]);
      for (let i = 0; i < 20; i++) expect(await ask('ann')).toEqual(right);
      await until(async () => (await counted()) === 22);
      const { states, counts } = await standing();
      expect(states).toContainEqual(
        expect.objectContaining({ monitor: 'fragile', phase: 'blind', because: 'stopped: boom' }),
      );
      // The thread itself was not touched.
      expect(counts).toMatchObject({ seen: 22, dropped: 0, restarts: 0 });
    },
    PATIENT,
  );

  it.each([
    ['crash', 'a monitor end the thread', 'it ended with 7'],
    ['loose', 'a monitor throw where nobody catches it', 'boom outside'],
  ])(
    'answers on when a call of %s makes %s: the loss is told, the thread is started again',
    async (principal, _, because) => {
      const right = await ask('ann');
      await until(async () => (await counted()) === 1);
      expect(await ask(principal)).toEqual(right);
      // Questions all the while: none is refused, none is answered otherwise.
      await until(async () => {
        expect(await ask('ann')).toEqual(right);
        return (await standing()).counts.restarts === 1;
      });
      await until(async () => {
        expect(await ask('ann')).toEqual(right);
        return (await counted()) > 0;
      });
      const { states, counts } = await standing();
      expect(states.map(({ monitor, phase }) => [monitor, phase])).toEqual([
        ['counting', 'watching'],
        ['fragile', 'watching'],
      ]);
      expect(counts.restarts).toBe(1);
      await until(async () => (await cases()).length === 1);
      const [fault] = await faults();
      expect(fault).toMatchObject({ monitor: 'monitors', kind: 'fault', severity: 'medium' });
      expect(fault!.why).toContain(`The thread of the monitors died: ${because}.`);
      expect(fault!.why).toContain('It is started again from its snapshots.');
      expect(await cases()).toMatchObject([{ kind: 'fault' }]);
      expect(await managed('/metrics')).toContain('glacis_failures_total{where="monitors"} 1\n');
      const told = lines.map((line) => JSON.parse(line)).filter(({ where }) => where === 'monitors');
      expect(told).toMatchObject([{ level: 'error', msg: 'failed', message: because }]);
      // Every answer is counted and was offered to the monitors, whether they lived or not.
      await until(async () => {
        const [, answered] = /glacis_decisions_total\{[^}]*outcome="answered"[^}]*\} (\d+)/.exec(
          await managed('/metrics'),
        )!;
        return Number(answered) === asked && (await standing()).counts.seen === asked;
      });
    },
    PATIENT,
  );
});
