import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../core/progress.ts';
import { type ConsoleSide, consoleSide } from '../gateway/console/console.fixture.ts';
import { readArgs } from './args.ts';
import { command } from './console.ts';

let side: ConsoleSide;
beforeEach(async () => {
  side = await consoleSide({ now: Date.now() });
});
afterEach(() => side.close());

/** Runs the command in this process; gives what it prints. */
async function consoleLink(...args: string[]): Promise<string> {
  const printed: string[] = [];
  await command.run({
    given: readArgs(args, command.options),
    args,
    terminal: {
      width: 96,
      print: (text) => printed.push(text),
      say() {},
      progress: silent,
      clear() {},
      bold: (text) => text,
    },
    signal: new AbortController().signal,
  });
  return printed.join('').trim();
}
const keyFile = (text: string): string => {
  const file = join(side.folder, 'key');
  writeFileSync(file, `${text}\n`);
  return file;
};

describe('glacis console', () => {
  it('makes a link in the data folder of a running server, which signs in once', async () => {
    await side.key('admin', ['admin']);
    const url = await consoleLink('--data-dir', side.folder);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:8082\/console\/#link=[A-Za-z0-9_-]{43}$/);
    const browser = side.browser();
    expect((await browser.signIn(url.split('#link=')[1]!)).status).toBe(200);
    expect((await browser.ask('/api/session')).json()).toMatchObject({
      principal: 'admin',
      roles: ['admin'],
    });
  });

  it('asks a server with a key', async () => {
    const { text } = await side.key('ann', ['operator']);
    const url = await consoleLink('--server', side.address, '--key-file', keyFile(text));
    expect(url.startsWith(`${side.address}/console/#link=`)).toBe(true);
    expect((await side.browser().signIn(url.split('#link=')[1]!)).status).toBe(200);
  });

  it.each<[string, () => string[], RegExp]>([
    ['nobody has such a key', () => ['--data-dir', side.folder, '--as', 'nobody'], /--new-key/],
    ['the folder is not a server’s', () => ['--data-dir', join(side.folder, 'dist')], /--data-dir/],
    [
      'the key would travel in the clear',
      () => ['--server', 'http://glacis.example.org', '--key-file', keyFile('k')],
      /https/,
    ],
    ['the key is no key', () => ['--server', side.address, '--key-file', keyFile('wrong')], /status 401/],
    ['there is no key', () => ['--server', side.address], /--key-file/],
  ])('says so where %s', async (_, args, message) => {
    await expect(consoleLink(...args())).rejects.toThrow(message);
  });
});
