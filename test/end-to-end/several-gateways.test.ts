import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { testGrpcUpstream } from '../../src/gateway/backend/upstream/grpc-upstream.fixture.ts';
import { readServe } from '../../src/gateway/config/read-serve.ts';
import { openProcessLog } from '../../src/gateway/observe/process-log.ts';
import { openGateway, type RunningGateway } from '../../src/gateway/open-gateway.ts';
import { ROOT } from '../house/tree.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis.ts';
import { until } from '../until.ts';

const missing = NO_POSTGRES ?? NO_REDIS ?? '';
const REPLICAS = 2;
const [BUDGET, LEASE, RATE] = [60, 5, 100];

/** The configuration of `deploy/kubernetes`, with addresses of this machine and limits that a test can reach. */
function deployed(places: { readonly postgres: string; readonly redis: string; readonly upstream: string }) {
  const manifests = parseAllDocuments(readFileSync(join(ROOT, 'deploy/kubernetes/gateway.yaml'), 'utf8'));
  const map = manifests.map((each) => each.toJS()).find(({ kind }) => kind === 'ConfigMap') as {
    readonly data: Readonly<Record<string, string>>;
  };
  const { serve } = parse(map.data['glacis.yaml']!) as { readonly serve: Record<string, object> };
  const { classifier } = serve.models as { readonly classifier: { readonly upstream: object } };
  const local = {
    ...serve,
    listen: { port: 0 },
    management: { port: 0 },
    store: { kind: 'postgres', url: places.postgres },
    rates: {
      ...serve.rates,
      redis: { url: places.redis, timeout: '20 seconds' },
      limits: [{ per: 'principal', requests: RATE, every: 'hour' }],
    },
    budgets: {
      limits: [{ per: 'principal', who: ['spender'], queries: BUDGET }],
      lease: LEASE,
      timeout: '1 minute',
    },
    identity: { keys: { refresh: '100 ms' } },
    models: {
      classifier: {
        upstream: {
          ...classifier.upstream,
          url: places.upstream,
          networks: ['127.0.0.0/8'],
          circuit: { failures: 1000 },
        },
      },
    },
  };
  return readServe(JSON.stringify({ serve: local }), 'deployed').config;
}

describe.skipIf(missing !== '')(
  `${missing || 'the layout of deploy/kubernetes'}: several gateways, PostgreSQL, Redis and a model on another server`,
  () => {
    let folder: string;
    let postgres: PostgresServer;
    let redis: RedisServer;
    let upstream: Awaited<ReturnType<typeof testGrpcUpstream>>;
    const gateways: RunningGateway[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'glacis-several-'));
      [postgres, redis] = [await startPostgres(), await startRedis()];
      upstream = await testGrpcUpstream((good) => good);
      const config = deployed({
        postgres: await postgres.createDatabase(),
        redis: redis.url,
        upstream: upstream.url,
      });
      const log = openProcessLog({ write: () => {} });
      const secretFile = join(folder, 'secret');
      writeFileSync(secretFile, 'ab'.repeat(32), { mode: 0o600 });
      for (let i = 0; i < REPLICAS; i++) {
        mkdirSync(join(folder, `own${i}`));
        const dataFolder = join(folder, `own${i}`, 'data');
        const places = { dataFolder, secretFile, folder, home: folder };
        gateways.push(await openGateway({ config, ...places, env: {}, log }));
      }
    });
    afterAll(async () => {
      await Promise.all(gateways.map((gateway) => gateway.drain()));
      upstream?.stop();
      await redis?.stop();
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** A new key of a principal, known to all gateways. */
    async function keyOf(principal: string): Promise<{ readonly text: string; readonly id: string }> {
      const { text, record } = await gateways[0]!.keys.create(
        {
          ...{ principal, tenant: 'acme', roles: [] },
          scope: { models: ['*'], operations: ['infer', 'ready'], detail: 'scores' },
        },
        { id: 'test', mayGrant: true },
      );
      for (const gateway of gateways)
        await until(() => gateway.keys.list().some(({ id }) => id === record.id));
      return { text, id: record.id };
    }
    const ask = async (gateway: number, key: string): Promise<number> => {
      const inputs = [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [3, 1, 2] }];
      const answer = await fetch(`${gateways[gateway]!.addresses.rest}/v2/models/classifier/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ inputs }),
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    /** How many of so many questions at once, over all gateways, had each status. */
    const storm = async (key: string, count: number): Promise<Readonly<Record<number, number>>> => {
      const all = await Promise.all(Array.from({ length: count }, (_, i) => ask(i % REPLICAS, key)));
      const statuses: Record<number, number> = {};
      for (const status of all) statuses[status] = (statuses[status] ?? 0) + 1;
      return statuses;
    };

    it('know the same keys, and forget them together', async () => {
      const { text, id } = await keyOf('ann');
      for (let i = 0; i < REPLICAS; i++) expect(await ask(i, text)).toBe(200);
      await gateways[1]!.keys.revoke(id, { id: 'test', mayGrant: true });
      for (let i = 0; i < REPLICAS; i++) await until(async () => (await ask(i, text)) === 401);
    });

    it('give one budget, whoever is asked: never more, and at most the leases of the others less', async () => {
      const { text } = await keyOf('spender');
      const { 200: given = 0, 429: refused = 0 } = await storm(text, RATE - 10);
      expect(given + refused).toBe(RATE - 10);
      expect(given).toBeLessThanOrEqual(BUDGET);
      expect(given).toBeGreaterThanOrEqual(BUDGET - (REPLICAS - 1) * LEASE);
    });

    it('give one rate, whoever is asked', async () => {
      const { text } = await keyOf('racer');
      const { 200: given = 0, 429: refused = 0 } = await storm(text, RATE + 50);
      expect(given + refused).toBe(RATE + 50);
      expect(given).toBeGreaterThanOrEqual(RATE);
      // One more in each 36 seconds, should the machine stand still.
      expect(given).toBeLessThan(RATE + 10);
    });

    it('refuse while the rates are gone, and go on by themselves once they are back', async () => {
      const { text } = await keyOf('patient');
      await redis.kill();
      for (let i = 0; i < REPLICAS; i++) await until(async () => (await ask(i, text)) === 503);
      await redis.restart();
      for (let i = 0; i < REPLICAS; i++) await until(async () => (await ask(i, text)) === 200);
    });

    it('refuse while the model is gone, and find it again', async () => {
      const { text } = await keyOf('steady');
      const { port } = upstream;
      upstream.stop();
      for (let i = 0; i < REPLICAS; i++) await until(async () => (await ask(i, text)) === 503);
      upstream = await testGrpcUpstream((good) => good, { port });
      for (let i = 0; i < REPLICAS; i++) await until(async () => (await ask(i, text)) === 200);
    });

    it('come and go one by one', async () => {
      const { text } = await keyOf('loyal');
      expect(await ask(1, text)).toBe(200);
      await gateways.pop()!.drain();
      expect(await ask(0, text)).toBe(200);
    });
  },
);
