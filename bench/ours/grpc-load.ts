import { parseArgs } from 'node:util';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { GlacisError } from '../../src/core/error.ts';
import { GRPC_METHODS } from '../../src/oip/index.ts';
import { bodiesOf, networkNamed } from '../suites/request-bodies.ts';

/**
 * Asks over gRPC with Google's own client for Node: `--clients` connections, each with one call at a time, for `--seconds`. Prints requests a second and latencies in milliseconds.
 * `--target http://HOST:PORT --key --network`.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { target: text, key: text, network: text, clients: text, seconds: text },
    strict: true,
  });
  const requests = bodiesOf(networkNamed(values.network!), 'grpc');
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${values.key}`);
  const clients = Array.from(
    { length: Number(values.clients) },
    () =>
      new Client(new URL(values.target!).host, credentials.createInsecure(), {
        // A connection for each, as clients in different places have.
        'grpc.use_local_subchannel_pool': 1,
      }),
  );
  const latencies: number[] = [];
  let next = 0;
  const begin = performance.now();
  const until = begin + 1000 * Number(values.seconds);
  const ask = async (client: Client): Promise<void> => {
    for (let sent = begin; sent < until; ) {
      sent = performance.now();
      await infer(client, requests[next++ % requests.length]!, metadata);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(clients.map(ask));
  const seconds = (performance.now() - begin) / 1000;
  for (const client of clients) client.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!;
  process.stdout.write(
    JSON.stringify({ requestsPerSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), errors: 0 }),
  );
}

/** Errors: `run/failed` for any answer but a good one. */
function infer(client: Client, message: Buffer, metadata: Metadata): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const same = (bytes: Buffer) => bytes;
    client.makeUnaryRequest(
      GRPC_METHODS.ModelInfer,
      same,
      same,
      message,
      metadata,
      (error: ServiceError | null, answer?: Buffer) => {
        if (answer) resolve(answer);
        else reject(new GlacisError('run/failed', `expected an answer, got ${error?.message}`));
      },
    );
  });
}

await main();
