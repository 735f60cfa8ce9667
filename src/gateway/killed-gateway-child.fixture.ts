/**
 * A whole gateway in a process of its own, to be killed: `node killed-gateway-child.fixture.ts FOLDER`. It serves `FOLDER/m.onnx`, keeps its data in
 * `FOLDER/data`, and prints a line of JSON when it is ready. Ends orderly when its input does.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readServe } from './config/read-serve.ts';
import { openGateway } from './open-gateway.ts';

const folder = process.argv[2]!;
const serve = {
  listen: { port: 0 },
  management: { port: 0 },
  models: { m: { file: join(folder, 'm.onnx'), check: { asGiven: true } } },
  rates: { limits: [{ per: 'principal', requests: 1e9, every: 'second' }] },
  budgets: { limits: [{ per: 'principal', queries: 1e9 }], lease: 500 },
};
const { config } = readServe(JSON.stringify({ serve }), 'killed');
const gateway = await openGateway({
  ...{ config, folder, env: process.env, home: folder },
  dataFolder: join(folder, 'data'),
});
const keyFile = join(folder, 'key');
if (!existsSync(keyFile)) {
  const { text } = await gateway.keys.create(
    {
      principal: 'alice',
      tenant: 'acme',
      roles: ['admin'],
      scope: { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' },
    },
    { id: 'test', mayGrant: true },
  );
  writeFileSync(keyFile, text);
}
const { rest, management } = gateway.addresses;
process.stdout.write(`${JSON.stringify({ rest, management, key: readFileSync(keyFile, 'utf8') })}\n`);
process.stdin.resume();
process.stdin.on('end', () => void gateway.drain().then(() => process.exit(0)));
