import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

/**
 * Connects as ioredis does, to a place or a socket file, with one difference: errors of a connection are always heard. ioredis listens for the first alone, and a
 * second one (the alert that follows a refused certificate) would end the process.
 */
export class HeardConnector extends AbstractConnector {
  readonly #options: RedisOptions;

  constructor(options: unknown) {
    const given = options as RedisOptions;
    super(given.disconnectTimeout ?? 2000);
    this.#options = given;
  }

  connect(): Promise<Socket> {
    const { path, host, port, tls } = this.#options;
    const place = path === undefined ? { host: host ?? 'localhost', port: port ?? 6379 } : { path };
    this.connecting = true;
    return new Promise((resolve, reject) => {
      process.nextTick(() => {
        if (!this.connecting) {
          reject(new Error('the connection is closed'));
          return;
        }
        try {
          const stream = tls ? connectTls({ ...place, ...tls }) : createConnection(place);
          stream.on('error', (error) => {
            this.firstError ??= error;
          });
          this.stream = stream;
          resolve(stream);
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }
}
