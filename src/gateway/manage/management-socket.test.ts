import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serializeModel } from '../../onnx/write.ts';
import { linearModel } from '../../threat/small-model.fixture.ts';
import { readServe } from '../config/read-serve.ts';
import { openProcessLog } from '../observe/process-log.ts';
import { openGateway, type RunningGateway } from '../open-gateway.ts';
import { openManagement } from './open-management.ts';

let folder: string;
let path: string;
let gateway: RunningGateway;
/** Keys by principal: one may do everything, one is a caller of the model and nothing else. */
const keys: Record<string, string> = {};

/** Listens on a socket in a process of its own, and kills it: the file stays. */
async function leaveSocket(at: string): Promise<void> {
  const listen = 'require("net").createServer().listen(process.argv[1], () => console.log("listens"))';
  const child = spawn(process.execPath, ['-e', listen, at], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-socket-'));
  path = join(folder, 'manage.sock');
  writeFileSync(join(folder, 'm.onnx'), serializeModel(linearModel([1, 2, 3, 4], [0, 0])));
  const serve = {
    listen: { port: 0 },
    management: { socket: 'manage.sock' },
    models: { m: { file: 'm.onnx', check: { asGiven: true } } },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'test');
  await leaveSocket(path);
  expect(lstatSync(path).isSocket()).toBe(true);
  const before = process.umask(0);
  try {
    gateway = await openGateway({
      ...{ config, folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
      log: openProcessLog({ write: () => {} }),
    });
  } finally {
    process.umask(before);
  }
  for (const principal of ['admin', 'caller']) {
    const wish = {
      ...{ principal, tenant: 'acme', roles: principal === 'admin' ? ['admin'] : [] },
      scope: { models: ['*'], operations: ['infer'], detail: 'scores' },
    } as const;
    keys[principal] = (await gateway.keys.create(wish, { id: 'test', mayGrant: true })).text;
  }
}, 180_000);
afterAll(async () => {
  await gateway.drain();
  rmSync(folder, { recursive: true });
});

/** Asks through the socket: the status, and what the JSON says. */
function ask(
  at: string,
  { method = 'GET', key }: { readonly method?: string; readonly key?: string | undefined } = {},
): Promise<readonly [status: number | undefined, json: unknown]> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return new Promise((resolve, reject) => {
    request({ socketPath: path, path: at, method, headers }, (answer) => {
      let text = '';
      answer.on('data', (piece) => {
        text += piece;
      });
      answer.on('end', () => resolve([answer.statusCode, JSON.parse(text)]));
    })
      .once('error', reject)
      .end();
  });
}

/** Opens another management side at a place. */
const another = (socket: string) =>
  openManagement(
    { socket },
    {
      routes: [],
      identifier: { identify: () => ({ id: 'a', tenant: 't', credential: 'c', kind: 'key', roles: [] }) },
      allows: () => true,
      record: async () => 0,
      failed: () => {},
      now: () => 0,
    },
  );

describe.skipIf(process.platform === 'win32')('the management side on a Unix socket', () => {
  it('takes the place of what a killed process left, for its owner alone whatever the umask says', () => {
    expect(gateway.addresses.management).toBe(path);
    const { mode } = lstatSync(path);
    expect(lstatSync(path).isSocket()).toBe(true);
    expect((mode & 0o777).toString(8)).toBe('600');
  });

  it('answers who has the right, and asks everybody for a key', async () => {
    const [status, said] = await ask('/api/models', { key: keys.admin });
    expect([status, said]).toMatchObject([200, { models: [{ model: 'm', use: '1' }] }]);
    expect((await ask('/health/live'))[0]).toBe(200);
    expect((await ask('/api/models'))[0]).toBe(401);
    expect((await ask('/api/models', { key: 'glacis_of_nobody' }))[0]).toBe(401);
    const nowhere = await ask('/api/nowhere', { key: keys.caller });
    expect(nowhere[0]).toBe(404);
    for (const [method, at] of [
      ['GET', '/api/models'],
      ['POST', '/api/drain'],
    ] as const)
      expect([at, await ask(at, { method, key: keys.caller })]).toEqual([at, nowhere]);
  });

  it('leaves a socket to the process that has it', async () => {
    await expect(another(path)).rejects.toMatchObject({
      code: 'option/invalid',
      message: `management: expected a socket that nobody listens on, got ${path}, which another process has`,
    });
    expect((await ask('/health/live'))[0]).toBe(200);
  });

  it('leaves files of other kinds as they are', async () => {
    const notes = join(folder, 'notes');
    writeFileSync(notes, 'mine');
    const link = join(folder, 'link.sock');
    symlinkSync(notes, link);
    for (const place of [notes, link])
      await expect(another(place)).rejects.toMatchObject({
        code: 'option/invalid',
        message: `management: expected ${place} to be a socket, got a file of another kind`,
      });
    expect([readFileSync(notes, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual(['mine', true]);
  });

  it('says where it cannot listen', async () => {
    const nowhere = join(folder, 'no-such-folder', 'manage.sock');
    await expect(another(nowhere)).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('expected a place to listen'),
    });
  });

  it('takes its file away when it ends in order', async () => {
    const place = join(folder, 'other.sock');
    const side = await another(place);
    expect([side.address, existsSync(place)]).toEqual([place, true]);
    await side.close();
    expect(existsSync(place)).toBe(false);
  });
});
