import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { readArgs } from './args.ts';
import { command } from './attack-timing.ts';

let home: string;
let server: Server;
let url: string;
const asked: string[] = [];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-timing-'));
  server = createServer((request, response) => {
    asked.push(request.headers.authorization ?? 'none');
    request.resume();
    request.on('end', () => {
      const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2] });
      response.end(
        request.method === 'GET'
          ? JSON.stringify({ name: 'm', platform: 'p', inputs: [tensor('x')], outputs: [tensor('y')] })
          : '{}',
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/models/m`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(home, { recursive: true });
});

async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = '';
  const terminal = {
    width: 96,
    print: (line: string) => {
      text += line;
    },
    say: () => {},
    progress: silent,
    clear: () => {},
    bold: (line: string) => line,
  };
  const { signal } = new AbortController();
  const code = await command.run({
    given: readArgs(args, command.options),
    args: ['attack', 'timing', ...args],
    terminal,
    signal,
  });
  return { code, text };
}

describe('glacis attack timing', () => {
  const json = () => join(home, 'out.json');
  const quick = ['--n', '10', '--rate', '100000'];

  it('writes a result that a later run is shown beside, and keeps tokens and passwords out of it', async () => {
    const token = 'hunter22-hunter22';
    await run(url, ...quick, '--json', json(), '--token', token, `--token-b=${token}b`);
    expect(asked).toContain(`Bearer ${token}`);
    const written = readFileSync(json(), 'utf8');
    expect(written).not.toContain('hunter22');
    expect(JSON.parse(written).command).toContain('--token');
    const { text } = await run(url, ...quick, '--before', json());
    expect(text).toMatch(/before +now/);
    await run(url.replace('//', '//ann:hunter22@'), ...quick, '--json', json());
    expect(readFileSync(json(), 'utf8')).not.toContain('hunter22');
  });

  it('sends the second class with the credentials that were given for it', async () => {
    asked.length = 0;
    await run(url, ...quick, '--token', 'first', '--token-b', 'second');
    expect(new Set(asked)).toEqual(new Set(['Bearer first', 'Bearer second']));
  });

  it('refuses wrong use before it asks', async () => {
    asked.length = 0;
    writeFileSync(join(home, 'broken.json'), '{');
    const wrong = [
      [],
      [url, url],
      [url, '--range', '1,0'],
      [url, '--n', '1'],
      [url, '--rate', '0'],
      [url, '--a', 'noise'],
    ];
    for (const args of wrong) await expect(run(...args)).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(run(url, '--before', join(home, 'broken.json'))).rejects.toMatchObject({
      code: 'result/invalid',
    });
    await expect(run('grpc://host/v2/models/m')).rejects.toMatchObject({ code: 'option/invalid' });
    expect(asked).toEqual([]);
  });
});
