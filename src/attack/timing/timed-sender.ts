import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { TimedAnswer } from './measure.ts';
import type { PreparedQuery } from './queries.ts';

/** Most bytes of an answer that are read. */
const MOST_BYTES = 16 * 2 ** 20;

/** Sends queries over one connection that stays open. */
export interface TimedSender {
  send(query: PreparedQuery, signal: AbortSignal): Promise<TimedAnswer>;
  close(): void;
}

/**
 * Times answers with `node:http` and not `fetch`, whose streams add more noise than a fast server takes. The clock starts when the
 * request is handed to an open connection and stops at the last byte; a request that had to open a connection first is refused
 * (the caller asks again), because the handshake would be in its time.
 */
export function timedSender(options: {
  readonly timeout: number;
  readonly clock: () => number;
}): TimedSender {
  const { timeout, clock } = options;
  const one = { keepAlive: true, maxSockets: 1, scheduling: 'fifo' } as const;
  const [http, https] = [new HttpAgent(one), new HttpsAgent(one)];
  return {
    send: ({ url, headers, body }, signal) =>
      new Promise((resolve, reject) => {
        const isSecure = url.startsWith('https:');
        const call = (isSecure ? httpsRequest : httpRequest)(url, {
          method: 'POST',
          agent: isSecure ? https : http,
          headers: { ...headers, 'content-length': body.length, 'accept-encoding': 'identity' },
          timeout,
          signal,
        });
        let start = 0;
        call.on('error', reject);
        call.on('timeout', () => call.destroy(new Error(`no answer within ${timeout} ms`)));
        call.on('response', (response) => {
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            if (length > MOST_BYTES) call.destroy(new Error('an answer without end'));
          });
          response.on('error', reject);
          response.on('end', () => {
            const time = clock() - start;
            if (call.reusedSocket) resolve({ time, status: response.statusCode ?? 0, length });
            else reject(new Error('a new connection'));
          });
        });
        start = clock();
        call.end(body);
      }),
    close() {
      http.destroy();
      https.destroy();
    },
  };
}
