import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serializeModel } from '../onnx/write.ts';
import { linearModel } from '../threat/small-model.fixture.ts';
import { readServe } from './config/read-serve.ts';
import { openProcessLog } from './observe/process-log.ts';
import { openGateway, type RunningGateway } from './open-gateway.ts';

const PATIENT = 120_000;

describe('31: a caller of one tenant who knows the names of another tenant’s things', () => {
  let folder: string;
  let gateway: RunningGateway;
  const keys: Record<string, { readonly text: string; readonly id: string }> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'glacis-tenants-'));
    for (const name of ['ours', 'theirs'])
      writeFileSync(join(folder, `${name}.onnx`), serializeModel(linearModel([1, 2, 3, 4], [0, 0])));
    const model = (name: string) => ({ file: `${name}.onnx`, check: { asGiven: true } });
    const serve = {
      ...{ listen: { port: 0 }, management: { port: 0 } },
      models: { ours: model('ours'), theirs: model('theirs') },
    };
    gateway = await openGateway({
      config: readServe(JSON.stringify({ serve }), 'test').config,
      ...{ folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
      log: openProcessLog({ write: () => {} }),
    });
    for (const [principal, tenant, models, roles] of [
      ['ann', 'acme', ['ours'], []],
      ['bob', 'beta', ['theirs'], []],
      ['admin', 'local', ['*'], ['admin']],
    ] as const) {
      const scope = {
        models: [...models],
        operations: ['infer', 'metadata', 'ready'],
        detail: 'scores',
      } as const;
      const wish = { principal, tenant, roles: [...roles], scope };
      const { text, record } = await gateway.keys.create(wish, { id: 'test', mayGrant: true });
      keys[principal] = { text, id: record.id };
    }
  }, PATIENT);
  afterAll(async () => {
    await gateway?.drain();
    rmSync(folder, { recursive: true, force: true });
  }, PATIENT);

  async function asked(who: string, url: string, method = 'GET', body?: object) {
    const answer = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${keys[who]!.text}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return {
      status: answer.status,
      text: await answer.text(),
      decision: answer.headers.get('glacis-decision'),
    };
  }
  const question = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] };
  const infer = (who: string, model: string) =>
    asked(who, `${gateway.addresses.rest}/v2/models/${model}/infer`, 'POST', question);

  it(
    'hears of their model what is said of one that is not there',
    async () => {
      expect((await infer('ann', 'ours')).status).toBe(200);
      expect((await infer('bob', 'theirs')).status).toBe(200);
      for (const path of ['', '/ready', '/versions/1', '/versions/1/ready']) {
        const at = (model: string) => asked('ann', `${gateway.addresses.rest}/v2/models/${model}${path}`);
        const [theirs, nobodys] = [await at('theirs'), await at('nobodys')];
        expect([theirs.status, theirs.text]).toEqual([404, nobodys.text]);
      }
      const [theirs, nobodys] = [await infer('ann', 'theirs'), await infer('ann', 'nobodys')];
      expect([theirs.status, theirs.text]).toEqual([404, nobodys.text]);
    },
    PATIENT,
  );

  it(
    'reads and changes nothing of theirs on the management side, whatever the route',
    async () => {
      const { decision } = await infer('bob', 'theirs');
      const { addresses } = gateway;
      const nowhere = await asked('ann', `${addresses.management}/api/nowhere`);
      const listed = JSON.parse((await asked('admin', `${addresses.management}/api`)).text) as readonly {
        readonly method: string;
        readonly path: string;
        readonly action?: string;
      }[];
      const guarded = listed.filter(({ action }) => action !== undefined);
      expect(guarded.length).toBeGreaterThan(50);
      const names: Readonly<Record<string, string>> = { id: keys.bob!.id, name: 'theirs', entry: '0' };
      /** By id and without their last use, because the ring reads its keys again from the store: in whatever order, with what was used by then. */
      const everything = () => [
        Object.fromEntries(gateway.keys.list().map(({ lastUsed: _, ...key }) => [key.id, key])),
        gateway.models(),
      ];
      const before = structuredClone(everything());
      for (const { method, path } of guarded)
        for (const id of [names.id!, 'bob', decision!]) {
          const at = path
            .replace(/:(\w+)/g, (_, name: string) => (name === 'id' ? id : (names[name] ?? id)))
            .replace('*', 'x');
          const came = await asked(
            'ann',
            addresses.management + at,
            method,
            method === 'POST' ? {} : undefined,
          );
          expect([method, at, came.status, came.text]).toEqual([method, at, 404, nowhere.text]);
          if (!path.includes(':')) break;
        }
      expect(everything()).toEqual(before);
      expect((await infer('bob', 'theirs')).status).toBe(200);
    },
    PATIENT,
  );
});
