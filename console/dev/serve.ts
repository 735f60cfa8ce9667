/**
 * `node console/dev/serve.ts [PORT] [--empty] [--signed-out]`: the console on made-up data, for work on its pages; built anew at each start. Not part of what is
 * published.
 */
import { buildConsole } from '../../scripts/build-console.mjs';
import { openFixture } from './fixture-server.ts';

const flags = process.argv.slice(2);
await buildConsole({ ifNewer: true });
const { url } = await openFixture({
  port: Number(flags.find((flag) => /^\d+$/.test(flag)) ?? 8090),
  empty: flags.includes('--empty'),
  signedOut: flags.includes('--signed-out'),
});
process.stdout.write(`${url}/console/\n`);
