import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import {
  type Asked,
  BOB,
  type BusyGateway,
  busyGateway,
  CLASS,
  CLIENTS,
  question,
  WITHOUT_BOB,
} from './busy-gateway.fixture.ts';

/** However long the machine stands still. */
const PATIENT = 180_000;
const EVERYBODY = [...CLIENTS, BOB];

let busy: BusyGateway;
beforeEach(async () => {
  busy = await busyGateway();
}, PATIENT);
afterEach(() => busy.close(), PATIENT);

/** The version that answered each; of who had several, all of them. */
function versionsIn(requests: readonly Asked[]): ReadonlyMap<string, string> {
  const found = new Map<string, Set<string>>();
  for (const { principal, version } of requests)
    if (version !== undefined) found.set(principal, (found.get(principal) ?? new Set()).add(version));
  return new Map([...found].map(([principal, versions]) => [principal, [...versions].join(' and ')]));
}
const all = (version: string, who: readonly string[] = CLIENTS) =>
  new Map(who.map((each) => [each, version]));

/** Nobody who may ask was refused or cut off at any time, and no answer was one version's under the other's name. */
function expectNothingLost(): void {
  const mayAsk = busy.asked.filter(({ principal }) => principal !== BOB);
  expect(mayAsk.filter(({ status, version, top }) => status !== 200 || top !== CLASS[version!])).toEqual([]);
}
const statusesOfBob = (requests: readonly Asked[]) =>
  new Set(requests.filter(({ principal }) => principal === BOB).map(({ status }) => status));

describe('a gateway that is asked without pause', () => {
  it(
    'goes over to changed policies and a new version of its model at POST /api/reload, and drops nobody',
    async () => {
      expect(versionsIn(await busy.within('start', EVERYBODY))).toEqual(all('v1', EVERYBODY));
      busy.put('rights.cedar', WITHOUT_BOB);
      busy.write(busy.both('v2'));
      const came = await busy.act('new', () => busy.managed('/api/reload', {}));
      expect(came).toEqual({ status: 200, json: { reloaded: true, notLoaded: [] } });
      const after = await busy.within('new', EVERYBODY);
      expect(versionsIn(after)).toEqual(all('v2'));
      expect(statusesOfBob(after)).toEqual(new Set([404]));
      const [model] = (await busy.managed('/api/models')).json.models!;
      expect(model).toMatchObject({ use: 'v2', previous: { version: 'v1' } });
      // The one policy or the other held at all times, and nothing between.
      expect(statusesOfBob(busy.asked)).toEqual(new Set([200, 404]));
      expectNothingLost();
      await busy.quiet();
      await busy.gateway.drain();
      expect(await busy.events()).toEqual(
        expect.arrayContaining(['reload-asked by admin', 'model-in-service by admin', 'reloaded by admin']),
      );
    },
    PATIENT,
  );

  it.each<[string, () => void, number, RegExp]>([
    [
      'a key that does not exist',
      () => busy.write(busy.both('v2'), { modles: {} }),
      409,
      /glacis\.yaml:\d+:\d+.*modles/s,
    ],
    ['half of it', () => busy.put('glacis.yaml', '{"serve": {'), 409, /glacis\.yaml/],
    [
      'another port',
      () => busy.write(busy.both('v2'), { listen: { port: 1 } }),
      400,
      /expected listen as they were/,
    ],
    [
      'policies that are none',
      () => {
        busy.write(busy.both('v2'));
        busy.put('rights.cedar', `${WITHOUT_BOB}permit (everybody);\n`);
      },
      409,
      /rights\.cedar/,
    ],
  ])(
    'goes on as before where the file has %s, and says why',
    async (_, spoil, status, because) => {
      await busy.within('start', EVERYBODY);
      const before = await busy.managed('/api/config');
      // Policies that would do are not in force either: all of it or nothing.
      busy.put('rights.cedar', WITHOUT_BOB);
      spoil();
      const came = await busy.act('refused', () => busy.managed('/api/reload', {}));
      expect(came).toMatchObject({ status, json: { error: expect.stringMatching(because) } });
      expect(versionsIn(await busy.within('refused', EVERYBODY))).toEqual(all('v1', EVERYBODY));
      expect(await busy.managed('/api/config')).toEqual(before);
      expect(statusesOfBob(busy.asked)).toEqual(new Set([200]));
      expectNothingLost();
    },
    PATIENT,
  );

  it(
    'keeps the version in service where the new one is not admitted, and says which and why',
    async () => {
      await busy.within('start');
      const { versions } = busy.both('v2');
      busy.write({ use: 'v2', versions: { ...versions, v2: { ...versions.v2, file: 'v1.onnx' } } });
      const came = await busy.act('kept', () => busy.managed('/api/reload', {}));
      const because = expect.stringContaining('digest');
      expect(came).toMatchObject({
        status: 200,
        json: { notLoaded: [{ model: 'm', version: 'v2', because }] },
      });
      expect(versionsIn(await busy.within('kept'))).toEqual(all('v1'));
      expectNothingLost();
    },
    PATIENT,
  );

  it(
    'gives a canary to a share of the callers that only grows, ends it, and goes back to the version before',
    async () => {
      busy.write(busy.both('v2'));
      await busy.managed('/api/reload', {});
      const onCanary = async (phase: string) => {
        const versions = versionsIn(await busy.within(phase));
        // Nobody has both: the same ones each time.
        expect(CLIENTS.filter((each) => CLASS[versions.get(each)!] === undefined)).toEqual([]);
        return CLIENTS.filter((each) => versions.get(each) === 'v1');
      };
      const share = async (part: number) => {
        const canary = { version: 'v1', share: part };
        const came = await busy.act(`${part}`, () => busy.managed('/api/models/m/canary', canary));
        expect(came).toMatchObject({ status: 200, json: { use: 'v2', canary } });
        return onCanary(`${part}`);
      };
      const few = await share(0.3);
      const many = await share(0.7);
      expect(few.length).toBeGreaterThan(0);
      expect(many.length).toBeGreaterThan(few.length);
      expect(CLIENTS.length).toBeGreaterThan(many.length);
      expect(many).toEqual(expect.arrayContaining(few));
      await busy.act('wrong', async () => {
        for (const wrong of [{ version: 'v9' }, { version: 'v1', share: 1.5 }, { share: 0.1, more: 1 }])
          expect((await busy.managed('/api/models/m/canary', wrong)).status).toBe(400);
      });
      expect(await onCanary('wrong')).toEqual(many);
      await busy.act('ended', () => busy.managed('/api/models/m/canary', {}));
      expect(versionsIn(await busy.within('ended'))).toEqual(all('v2'));
      const back = await busy.act('back', () =>
        busy.managed('/api/models/m/rollback', { because: 'it errs' }),
      );
      expect(back).toMatchObject({ status: 200, json: { use: 'v1', previous: { version: 'v2' } } });
      expect(versionsIn(await busy.within('back'))).toEqual(all('v1'));
      expectNothingLost();
      await busy.quiet();
      await busy.gateway.drain();
      expect((await busy.events()).filter((each) => /canary|rolled/.test(each))).toEqual([
        ...Array(3).fill('canary-changed by admin'),
        'model-rolled-back by admin',
      ]);
    },
    PATIENT,
  );

  it(
    'is changed by nobody without the right, who is told as of a path that is not there',
    async () => {
      const nowhere = await busy.managed('/api/nowhere', {}, BOB);
      expect(nowhere.status).toBe(404);
      busy.write(busy.both('v2'));
      await busy.act('after', async () => {
        for (const [path, body] of [
          ['/api/reload', {}],
          ['/api/drain', {}],
          ['/api/models/m/canary', { version: 'v1', share: 1 }],
          ['/api/models/m/rollback', {}],
        ] as const)
          expect([path, await busy.managed(path, body, BOB)]).toEqual([path, nowhere]);
      });
      expect(versionsIn(await busy.within('after', EVERYBODY))).toEqual(all('v1', EVERYBODY));
      expectNothingLost();
      await busy.quiet();
      await busy.gateway.drain();
      expect((await busy.events()).filter((each) => / by bob$/.test(each))).toEqual([]);
    },
    PATIENT,
  );

  it(
    'ends in order at POST /api/drain: what is in work is answered, it is not ready, and its door is closed',
    async () => {
      await busy.within('start');
      const port = Number(new URL(busy.gateway.addresses.rest).port);
      // Half of a question has come when the server is told to end; the answer to what is before it shows that it is being read.
      const body = question();
      const half = open(port);
      half.socket.write(
        `GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\nPOST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${busy.keyOf(BOB)}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
      );
      await until(() => half.said().includes('{"live":true}'));
      const idle = open(port);
      await until(() => idle.socket.readyState === 'open');
      const came = await busy.act('draining', () => busy.managed('/api/drain', {}));
      expect(came).toEqual({ status: 202, json: { draining: true } });
      await until(() => isClosed(port));
      idle.socket.write('GET /v2/health/ready HTTP/1.1\r\nhost: x\r\n\r\n');
      await idle.closed;
      expect(idle.said()).toMatch(/^HTTP\/1.1 503 [\s\S]*connection: close[\s\S]*\{"ready":false\}$/i);
      expect(half.said()).not.toContain('outputs');
      half.socket.write(body.slice(20));
      await half.closed;
      expect(half.said()).toMatch(/HTTP\/1.1 200 [\s\S]*connection: close[\s\S]*"outputs"/i);
      await busy.gateway.closed;
      await busy.quiet();
      // An answer, or a door that was closed before anything was sent: no request was lost.
      expect(new Set(busy.asked.map(({ status }) => status))).toEqual(new Set([200, 'ECONNREFUSED']));
      await expect(fetch(`${busy.gateway.addresses.management}/health/live`)).rejects.toThrow();
      expect((await busy.events()).slice(-2)).toEqual(['drain-asked by admin', 'server-stopped by glacis']);
    },
    PATIENT,
  );
});

/** A connection, and what was said on it. */
function open(port: number) {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (piece) => {
    said += piece;
  });
  return { socket, said: () => said, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

/** Whether nobody listens on a port any more. */
function isClosed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}
