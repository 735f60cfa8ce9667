import type { Rng } from '../../src/core/random.ts';
import type {
  AlertRow,
  AlertsView,
  ClientRow,
  DecisionRow,
  Impact,
  LiveEvent,
} from '../../src/gateway/console/api.ts';
import type { Case, CaseEvent } from '../../src/incident/case.ts';
import type { Order } from '../../src/incident/order.ts';
import type { Alarm } from '../../src/monitor/alarm.ts';
import type { MonitorState } from '../../src/monitor/monitor.ts';

/** What a fixture server answers from. Acts change it, as those of a gateway would. */
export interface World {
  readonly started: number;
  readonly rng: Rng;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly clients: ClientRow[];
  readonly decisions: DecisionRow[];
  readonly cases: Map<string, Case>;
  readonly events: CaseEvent[];
  readonly alarms: Alarm[];
  readonly orders: Order[];
  readonly monitors: MonitorState[];
  readonly impacts: Map<string, Impact>;
  readonly channels: AlertsView['channels'][number][];
  readonly outbox: AlertRow[];
  /** The version in service and the canary of each model. */
  readonly service: Map<string, { use: string; canary?: { version: string; share: number } | undefined }>;
  /** Sends an event to everybody who looks. */
  publish(event: LiveEvent): void;
  /** What a gateway that has just begun has: nothing. */
  readonly isEmpty: boolean;
}

/** Hexadecimal of this many bytes. */
export function hex(rng: Rng, bytes: number): string {
  return Array.from({ length: bytes }, () => rng.integer(256).toString(16).padStart(2, '0')).join('');
}

/** One of them. */
export function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[rng.integer(from.length)]!;
}

/** Names that callers chose, some of them hostile. */
export const HOSTILE = {
  script: '<img src=x onerror="document.title=1">',
  turned: 'acme\u202Egnp.exe',
  long: `client-${'very-'.repeat(60)}long`,
  formula: '=HYPERLINK("http://evil.example","click")',
  newline: 'two\nlines\u001b[31m',
} as const;

/** Digests of versions. */
export const DIGESTS = {
  signs3: 'sha256:5f0c3a7be1d94f26a8b1c0d4e92f7a63b58e10c9d2f4a7166c0e8b3d5a9f2147',
  signs4: 'sha256:9ad1e04f7c3b82561f0d6e8a4c2b9705de3a1f86b4c7920e5d8f3a6b1c0e7429',
  signs2: 'sha256:1b7e5c9a30f4d28e6a1c7f05b3d9e8424f6a0c2d8b5e7193c4a6f0d2e8b1573a',
  digits: 'sha256:c2f8a61e0d7b3945e1a8c6f20b9d4e73586a1c0f7e2d9b84a3c5f6e01d8b7294',
  credit: 'sha256:7d3e9b1c5f0a82466e8d2c4b0a7f1935e6c8d0b2a4f79e13c5b8d6a0f2e47189',
} as const;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The callers, the busiest first. */
export function clientsOf(rng: Rng, now: number): ClientRow[] {
  const names: readonly [string, string, number, number][] = [
    ['city-cameras', 'city', 48_211, 0.002],
    ['fleet-eu', 'fleet', 31_840, 0.004],
    ['fleet-us', 'fleet', 27_102, 0.003],
    ['mallory-labs', 'mallory', 9_640, 0.31],
    ['bank-frontdesk', 'bank', 8_120, 0.001],
    ['dashcam-app', 'dashcam', 6_015, 0.012],
    ['probe-a7', 'trial', 1_204, 0.18],
    ['probe-b2', 'trial', 1_187, 0.17],
    ['probe-c9', 'trial', 1_171, 0.21],
    ['university', 'edu', 902, 0.0],
    [HOSTILE.script, 'trial', 88, 0.4],
    [HOSTILE.turned, 'trial', 61, 0.1],
    [HOSTILE.long, 'trial', 12, 0],
    [HOSTILE.formula, 'trial', 9, 0],
    [HOSTILE.newline, 'trial', 4, 0.25],
  ];
  const many = Array.from({ length: 140 }, (_, i): [string, string, number, number] => [
    `workshop-${String(i + 1).padStart(3, '0')}`,
    'workshops',
    Math.max(3, 700 - i * 5 + rng.integer(40)),
    i % 17 === 0 ? 0.02 : 0,
  ]);
  return [...names, ...many].map(([principal, tenant, requests, refusedShare], i) => {
    const limit = i < 6 ? 100_000 : 20_000;
    const samples = Math.round(requests * (1 + rng.uniform()));
    const used = principal === 'mallory-labs' ? 18_730 : Math.min(limit, samples);
    const perDay = samples / 9;
    return {
      principal,
      tenant,
      requests,
      samples,
      refused: Math.round(requests * refusedShare),
      flagged: Math.round(requests * refusedShare * 1.4),
      first: now - 9 * DAY - rng.integer(DAY),
      last: now - rng.integer(i < 10 ? 40_000 : 5 * HOUR),
      addresses: 1 + rng.integer(i < 3 ? 12 : 3),
      budget: {
        used,
        limit: principal === 'mallory-labs' ? 20_000 : limit,
        step: used / limit > 0.8 ? 'label' : 'full',
        ...(used / limit > 0.2 ? { emptyAt: now + ((limit - used) / perDay) * DAY } : {}),
      },
      orders: [],
    };
  });
}

const OUTCOMES = ['throttled', 'unacceptable', 'exhausted', 'held', 'mismatched'];

/** Calls of the last hours, the newest first. */
export function decisionsOf(rng: Rng, now: number, clients: readonly ClientRow[]): DecisionRow[] {
  return Array.from({ length: 600 }, (_, i) => decisionOf(rng, now - i * 5200, 184_233 - i, clients));
}

/** A call. */
export function decisionOf(rng: Rng, at: number, entry: number, clients: readonly ClientRow[]): DecisionRow {
  const client = clients[Math.floor(rng.uniform() ** 3 * Math.min(40, clients.length))];
  const model = client?.tenant === 'bank' ? 'credit' : rng.uniform() < 0.8 ? 'traffic-signs' : 'digits';
  const suspicious = client !== undefined && client.refused / client.requests > 0.1;
  const refused = rng.uniform() < (suspicious ? 0.4 : 0.02);
  const n = rng.uniform() < 0.8 ? 1 : 1 + rng.integer(16);
  return {
    entry,
    id: hex(rng, 16),
    at,
    principal: client?.principal,
    tenant: client?.tenant,
    model,
    version: model === 'traffic-signs' ? '3' : '1',
    n,
    outcome: refused ? pick(rng, OUTCOMES) : 'answered',
    because: refused ? 'query 0.94 away from nothing asked before; budget step label' : undefined,
    top: refused
      ? undefined
      : Array.from({ length: n }, () => [rng.integer(10), 0.6 + 0.4 * rng.uniform()] as const),
    guard:
      suspicious && rng.uniform() < 0.7
        ? {
            guard: pick(rng, ['extraction', 'near-duplicates', 'squeeze']),
            action: refused ? 'refuse' : 'flag',
            score: 0.7 + 0.3 * rng.uniform(),
          }
        : undefined,
    divergence: rng.uniform() < 0.1 ? rng.uniform() ** 6 : undefined,
  };
}
