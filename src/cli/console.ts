import { lstat, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { storeOf } from '../gateway/config/sections.ts';
import type { ServeConfig } from '../gateway/config/serve-schema.ts';
import { keyForLink, makeLink } from '../gateway/console/links.ts';
import { visible } from '../report/markup.ts';
import { openStore } from '../store/index.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { configOf } from './serve-config.ts';

/** Bytes of an answer that is read, and milliseconds that one waits for it. */
const MOST_ANSWER = 64 << 10;
const TIMEOUT = 10_000;

/** `glacis console`: a link that signs in to the console. */
export const command: Command = {
  usage: 'console [options]',
  about:
    'Prints a link that opens the console and signs you in. It works once, for ten minutes, and gives what the key behind it may do. On the machine of the server it is made in the data folder; from elsewhere --server asks the management side with a key.',
  options: {
    as: {
      value: 'PRINCIPAL',
      help: 'whom to sign in: somebody with a key that has a role (admin unless given)',
    },
    'data-dir': { value: 'DIR', help: 'the data folder of the server (glacis-data unless given)' },
    config: {
      value: 'FILE',
      help: 'the configuration of the server (glacis.yaml unless given, where there is one): where its store and its console are',
    },
    address: { value: 'URL', help: 'the address to open (that of the configuration unless given)' },
    server: { value: 'URL', help: 'ask the management side there, in place of the data folder' },
    'key-file': { value: 'FILE', help: 'the key to ask with, for --server' },
  },
  examples: [
    ['glacis console', 'a link for the administrator of the server on this machine'],
    ['glacis console --as ann', 'a link for ann'],
    ['glacis console --server https://glacis.example.org:8082 --key-file key', 'from another machine'],
  ],
  async run(run) {
    const { given, terminal } = run;
    if (given.positionals.length > 0)
      throw new GlacisError(
        'option/invalid',
        `console: expected no argument, got ${given.positionals.length}`,
      );
    const server = given.text('server');
    const url = server === undefined ? await linkInStore(run) : await linkFromServer(run, server);
    terminal.print(`${visible(url)}\n`);
    terminal.say('Open it within ten minutes; it works once.');
    return EXIT.good;
  },
};

async function linkInStore({ given }: CommandRun): Promise<string> {
  if (given.text('key-file') !== undefined)
    throw new GlacisError('option/invalid', '--key-file: expected --server with it');
  const dataDir = resolve(given.text('data-dir') ?? 'glacis-data');
  const { config, folder } = await configOf(given.text('config'));
  const place = storeOf(config, dataDir, (path) => resolve(folder, path));
  // Opening would make a store: whoever mistypes a folder would get a link to nothing.
  if (place.kind === 'sqlite' && (await lstat(place.file).catch(() => undefined)) === undefined)
    throw new GlacisError(
      'option/invalid',
      `${place.file}: expected the store of a server, got nothing; --data-dir names its folder`,
    );
  if (!config.console.enabled)
    throw new GlacisError('option/invalid', 'serve.console: expected it to be enabled, got false');
  const principal = given.text('as') ?? 'admin';
  const store = await openStore(place, { migrations: 'none' });
  try {
    const now = Date.now();
    const credential = await keyForLink(store, principal, now);
    if (credential === undefined)
      throw new GlacisError(
        'option/invalid',
        `--as: expected somebody with a key that has a role, got '${principal}'; glacis serve --new-key makes one for the administrator`,
      );
    const { linkLifetime, address } = config.console;
    const { link } = await makeLink(store, { credential, by: 'glacis console', now, lifetime: linkLifetime });
    const base = given.text('address') ?? address ?? managementAddress(config.management);
    return `${base.replace(/\/$/, '')}/console/#link=${link}`;
  } finally {
    await store.close();
  }
}

async function linkFromServer({ given, signal }: CommandRun, server: string): Promise<string> {
  const keyFile = given.text('key-file');
  if (keyFile === undefined) throw new GlacisError('option/invalid', '--server: expected --key-file with it');
  const base = URL.parse(server);
  if (base === null || (base.protocol !== 'https:' && base.protocol !== 'http:'))
    throw new GlacisError(
      'option/invalid',
      `--server: expected an address such as https://glacis.example.org:8082, got '${server}'`,
    );
  // A key must not travel in the clear to another machine.
  if (base.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(base.hostname))
    throw new GlacisError('option/invalid', '--server: expected https, except on this machine');
  const key = (
    await readFile(keyFile, 'utf8').catch((thrown) => {
      throw asGlacisError(thrown, 'option/invalid', keyFile);
    })
  ).trim();
  const where = base.origin;
  try {
    const answer = await fetch(new URL('/api/session/links', base), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
    const text = (await answer.text()).slice(0, MOST_ANSWER);
    if (answer.status !== 201)
      throw new GlacisError('endpoint/bad-answer', `${where}: expected a link, got status ${answer.status}`);
    const { url } = JSON.parse(text) as { readonly url?: unknown };
    if (typeof url !== 'string')
      throw new GlacisError('endpoint/bad-answer', `${where}: expected a link, got something else`);
    const address = given.text('address');
    return address === undefined ? url : `${address.replace(/\/$/, '')}/console/${new URL(url).hash}`;
  } catch (thrown) {
    throw asGlacisError(thrown, 'endpoint/unavailable', where);
  }
}

function managementAddress({ host, port, socket, tls }: ServeConfig['management']): string {
  if (socket !== undefined || port === 0)
    throw new GlacisError(
      'option/invalid',
      '--address: expected the address that the browser opens, because the configuration names no port',
    );
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
