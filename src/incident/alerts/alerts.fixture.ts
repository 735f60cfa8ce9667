import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alarm } from '../../monitor/alarm.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Case, CaseEvent } from '../case.ts';
import type { IncidentChange } from '../change.ts';
import type { Connect, Transmit } from './channel.ts';
import { alertsSchema } from './config-schema.ts';
import { type Alerts, type AlertsSurroundings, openAlerts } from './open-alerts.ts';

/** A request that a receiver got. */
export interface Received {
  readonly at: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

/** Alerts over a store of their own, with a clock that the test moves, and a receiver that answers as it is told. */
export interface AlertsSide {
  alerts: Alerts;
  readonly store: Store;
  readonly received: Received[];
  readonly failures: unknown[];
  readonly time: { now: number };
  /** Status and headers of the next answers, or what is thrown in place of one. */
  answer: (received: Received) => { readonly status: number; readonly headers?: Record<string, string> };
  /** Cases that are there when alerts are opened anew. */
  recent: Case[];
  /** Ends this process's part without a word and opens it anew, as after kill -9. */
  again(config?: object, later?: AlertsSurroundings['later']): Promise<void>;
  /** Moves the clock in steps, sending what is due at each. */
  pass(milliseconds: number, step?: number): Promise<void>;
  close(): Promise<void>;
}

export const START = Date.parse('2026-11-20T12:00:00Z');
/** A webhook for everything. */
export const HOOK = {
  kind: 'webhook',
  name: 'hook',
  url: 'https://hooks.example.org/glacis',
  keys: [{ env: 'KEY' }],
  least: 'low',
} as const;
export const ENV = {
  KEY: 'a key of many characters',
  NEW: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
  ROUTE: 'routing-key',
  SLACK: 'https://hooks.slack.example/T0/B0/secret',
  TOKEN: 'bearer-token',
  PASSWORD: 'hunter2',
};

/** Opens it. */
export async function alertsSide(
  config: object = { channels: [HOOK] },
  over: { readonly connect?: Connect; readonly transmit?: Transmit } = {},
): Promise<AlertsSide> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-alerts-'));
  const time = { now: START };
  const now = () => time.now;
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') }, { now });
  const [received, failures]: [Received[], unknown[]] = [[], []];
  const transmit: Transmit = async (url, { headers, body }) => {
    const text = Buffer.from(body).toString();
    const got = {
      at: time.now,
      url: url.href,
      headers,
      body: text,
      json: JSON.parse(text) as Record<string, unknown>,
    };
    const answer = side.answer(got);
    received.push(got);
    return { status: answer.status, headers: answer.headers ?? {} };
  };
  const open = (from: object, later: AlertsSurroundings['later'] = () => () => {}) =>
    openAlerts(alertsSchema.parse(from), {
      ...{ store, now, env: ENV },
      transmit: over.transmit ?? transmit,
      connect: over.connect ?? (() => Promise.reject(new Error('no mail server'))),
      placeOf: (path) => path,
      address: 'https://glacis.example.org',
      random: () => 0.6180339,
      freshId: () => randomBytes(16).toString('hex'),
      failed: (_, thrown) => failures.push(thrown),
      recent: async () => side.recent,
      later,
    });
  const side: AlertsSide = {
    alerts: undefined as never,
    ...{ store, received, failures, time },
    answer: () => ({ status: 204 }),
    recent: [],
    async again(next = config, later) {
      side.alerts = await open(next, later);
    },
    async pass(milliseconds, step = 1000) {
      for (const end = time.now + milliseconds; time.now < end; ) {
        time.now = Math.min(end, time.now + step);
        await side.alerts.send();
      }
    },
    async close() {
      await side.alerts.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  side.alerts = await open(config);
  return side;
}

/** A case. */
export function aCase(over: Partial<Case> = {}): Case {
  return {
    ...{ id: 'C-2026-0007', title: 'acme is copying signs', kind: 'attack', severity: 'high', state: 'open' },
    ...{
      opened: START - 1000,
      updated: START,
      first: START - 60_000,
      last: START,
      queries: 1234,
      alarms: 1,
      revision: 1,
    },
    ...{ models: ['signs'], principals: ['acme'], atlas: ['AML.T0024.002'] },
    ...over,
  } as Case;
}

/** An alarm that begins a case, or joins it. */
export function alarmIn(found: Case = aCase(), over: Partial<Alarm> = {}): IncidentChange {
  const alarm = {
    ...{
      id: randomBytes(16).toString('hex'),
      at: START,
      monitor: 'extraction',
      kind: 'attack',
      severity: found.severity,
      model: 'signs',
    },
    ...{
      principals: found.principals,
      subject: 's',
      title: found.title,
      why: 'It asks what a copy needs.',
      score: 9,
      threshold: 4,
    },
    ...{
      first: START - 60_000,
      last: START,
      queries: 1234,
      decisions: ['d1', 'd2'],
      atlas: found.atlas,
      figures: {},
    },
    ...over,
  } as Alarm;
  return { kind: 'alarm', alarm, case: found, isNew: true };
}

/** Something else that happens in a case. */
export function eventIn(found: Case, what: CaseEvent['what'], by = 'ann'): IncidentChange {
  return {
    kind: 'case',
    case: found,
    event: { id: randomBytes(16).toString('hex'), case: found.id, at: START, by, what },
  };
}
