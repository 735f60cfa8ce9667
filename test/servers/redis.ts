import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, removeFolder, serverFolder, startProcess, until } from './program.ts';

const program = findProgram('redis-server') ?? findProgram('valkey-server');

/** Why tests that need Redis are skipped; undefined where it is there. */
export const NO_REDIS = program === undefined ? "Debian's package redis-server is not installed" : undefined;

/** A Redis server of a test. */
export interface RedisServer {
  /** Its socket. */
  readonly socket: string;
  /** `redis:///…`, for `serve.rates.redis.url`. */
  readonly url: string;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Starts it again after {@link kill}, empty. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an empty Redis on a socket in a folder of its own, as a user without rights, with nothing on the disk; with further settings of its command line. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = serverFolder('redis');
  const socket = join(folder, 's');
  const log: string[] = [];
  const start = async () => {
    removeFolder(socket);
    const started = startProcess(
      program!,
      [
        '--port',
        '0',
        '--unixsocket',
        socket,
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        folder,
        ...settings,
      ],
      log,
    );
    await until(
      started,
      () => existsSync(socket),
      () => log.join(''),
    );
    return started;
  };
  let server = await start();
  return {
    socket,
    url: `redis://${socket}`,
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async restart() {
      server = await start();
    },
    async stop() {
      await server.kill();
      removeFolder(folder);
    },
  };
}
