import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { readServe } from '../gateway/config/read-serve.ts';
import { openProcessLog } from '../gateway/observe/process-log.ts';
import { openGateway, type RunningGateway } from '../gateway/open-gateway.ts';
import { serializeModel } from '../onnx/write.ts';
import { linearModel } from '../threat/small-model.fixture.ts';
import { readArgs } from './args.ts';
import { command } from './gateway.ts';

let folder: string;
let gateway: RunningGateway;
const file = () => join(folder, 'glacis.yaml');
const keyFile = (who: string) => join(folder, `${who}.key`);

/** The file of the gateway: both versions of a model, and which is in use. */
function write(use: string, rest: object = {}): void {
  const versions = Object.fromEntries(
    ['v1', 'v2'].map((each) => [each, { file: `${each}.onnx`, check: { asGiven: true } }]),
  );
  const serve = {
    ...{ listen: { port: 0 }, management: { socket: 'manage.sock' }, console: { enabled: false } },
    models: { net: { use, versions } },
    ...rest,
  };
  writeFileSync(file(), JSON.stringify({ serve }));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-cli-'));
  mkdirSync(join(folder, 'data'));
  for (const version of ['v1', 'v2'])
    writeFileSync(join(folder, `${version}.onnx`), serializeModel(linearModel([1, 2, 3, 4], [0, 0])));
  write('v1');
  const reread = async () => ({ config: readServe(await readFile(file(), 'utf8'), file()).config });
  gateway = await openGateway({
    ...(await reread()),
    ...{ reread, file: file(), folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
    log: openProcessLog({ write: () => {} }),
  });
  for (const [principal, roles] of [
    ['ann', ['operator']],
    ['bob', []],
  ] as const) {
    const scope = { models: ['*'], operations: ['infer'], detail: 'scores' } as const;
    const wish = { principal, tenant: 'acme', roles: [...roles], scope };
    const { text } = await gateway.keys.create(wish, { id: 'test', mayGrant: true });
    writeFileSync(keyFile(principal), `${text}\n`);
  }
});
afterEach(async () => {
  await gateway.drain();
  rmSync(folder, { recursive: true });
});

/** Runs the command in this process, through the gateway's socket and with ann's key unless told otherwise. */
async function run(
  line: string,
  place: readonly string[] = socket(),
): Promise<{ code: number; text: string }> {
  const args = [...line.split(' '), ...place];
  const printed: string[] = [];
  const code = await command.run({
    given: readArgs(args, command.options),
    args,
    terminal: {
      ...{ width: 96, progress: silent, say() {}, clear() {} },
      print: (text) => printed.push(text),
      bold: (text) => text,
    },
    signal: new AbortController().signal,
  });
  return { code, text: printed.join('') };
}
const socket = (who = 'ann') => ['--url', `unix:${join(folder, 'manage.sock')}`, '--key-file', keyFile(who)];
const inUse = () => gateway.models()[0]!;

describe('glacis gateway', () => {
  it('shows what is served, and whether all is well', async () => {
    const { code, text } = await run('status');
    expect(code).toBe(0);
    expect(text).toMatch(/^net: v1 {2}sha256:[0-9a-f]{64}\nall parts are well\n$/);
  });

  it('puts the changed file into force, or nothing of it', async () => {
    write('v2');
    expect(await run('reload')).toEqual({ code: 0, text: 'the configuration is in force\n' });
    expect(inUse()).toMatchObject({ use: 'v2', previous: { version: 'v1' } });
    write('v3');
    await expect(run('reload')).rejects.toThrow(/^gateway: .*versions/);
    expect(inUse().use).toBe('v2');
  });

  it('says which models were not loaded, as a verdict', async () => {
    write('v1', {
      models: {
        net: { file: 'v1.onnx', check: { asGiven: true } },
        gone: { file: 'gone.onnx', check: { asGiven: true } },
      },
    });
    const { code, text } = await run('reload');
    expect(code).toBe(1);
    expect(text).toMatch(/^the configuration is in force\nnot loaded: gone@1: /);
  });

  it('gives a version to a share of the callers, and ends that', async () => {
    const given = await run('canary net v2 --share 0.25');
    expect(given.text).toMatch(/^net: v1 {2}sha256:\S+ {2}canary v2 for 25 % of the callers\n$/);
    expect(inUse().canary).toEqual({ version: 'v2', share: 0.25 });
    await run('canary net v2');
    expect(inUse().canary).toEqual({ version: 'v2', share: 0.05 });
    expect((await run('canary net')).text).not.toContain('canary');
    expect(inUse().canary).toBeUndefined();
  });

  it('puts the version before back, and writes the result as JSON', async () => {
    write('v2');
    await run('reload');
    const json = join(folder, 'out.json');
    const { code, text } = await run('rollback net --because errs', [...socket(), '--json', json]);
    expect([code, text]).toEqual([0, expect.stringMatching(/^net: v1 .* before: v2\n$/)]);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
      ...{ schema: 'glacis.gateway.model/1', model: 'net', use: 'v1' },
    });
  });

  it('ends the server in order, and waits for that', async () => {
    expect(await run('drain --wait')).toEqual({ code: 0, text: 'the server has ended\n' });
    await gateway.closed;
    await expect(run('status')).rejects.toMatchObject({ code: 'endpoint/unavailable' });
  });

  it('asks an address, too', async () => {
    await gateway.drain();
    write('v1', { management: { port: 0 } });
    gateway = await openGateway({
      config: readServe(readFileSync(file(), 'utf8'), file()).config,
      ...{ folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
      log: openProcessLog({ write: () => {} }),
    });
    const place = ['--url', gateway.addresses.management, '--key-file', keyFile('ann')];
    expect((await run('status', place)).code).toBe(0);
  });

  it('says what is wrong, and changes nothing', async () => {
    const wrong: readonly [line: string, place: readonly string[], message: RegExp][] = [
      ['drain', socket('bob'), /gateway: .*no such model or operation/],
      ['canary net v9', socket(), /gateway: net: expected a loaded version/],
      ['rollback nets', socket(), /nets/],
      ['rollback net', socket(), /net/],
      ['canary net v2 --share 2', socket(), /--share: expected a share from 0 to 1, got '2'/],
      ['canary net --share 0.5', socket(), /--share: expected a VERSION/],
      ['relaod', socket(), /did you mean 'reload'/],
      ['rollback', socket(), /expected MODEL/],
      ['status', ['--url', 'http://192.0.2.1:8082', '--key-file', keyFile('ann')], /--url: expected https/],
      ['status', ['--url', 'ftp://x', '--key-file', keyFile('ann')], /--url: expected an address/],
      ['status', ['--url', 'unix:x', '--key-file', join(folder, 'nothing')], /nothing/],
      ['status', ['--url', 'unix:/nowhere', '--key-file', keyFile('ann')], /unix:\/nowhere/],
    ];
    for (const [line, place, message] of wrong) {
      await expect(run(line, place), line).rejects.toThrow(message);
      expect(inUse(), line).toMatchObject({ use: 'v1', canary: undefined });
    }
  });
});
