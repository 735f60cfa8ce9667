import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../bin/glacis.mjs', import.meta.url));

/** A `glacis serve` that runs as a process of its own. */
export interface Serving {
  readonly rest: string;
  /** HOST:PORT. */
  readonly grpc: string;
  readonly management: string;
  readonly key: string;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly pid: number;
  /** Asks on the public side. */
  ask(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Asks on the management side. */
  manage(path: string, body?: unknown): Promise<Response>;
  /** Sends a signal and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `glacis serve` in `folder` on free ports; its key is in `folder/key`. Rejects with what it printed when it ends before it listens. */
export async function startServing(folder: string, args: readonly string[]): Promise<Serving> {
  const ports = ['--port', '0', '--grpc-port', '0', '--management-port', '0'];
  const child = spawn(process.execPath, [LAUNCHER, 'serve', ...args, ...ports, '--key-file', 'key'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let [stdout, stderr] = ['', ''];
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
      if (/^Log {2}/m.test(stdout)) resolve();
    });
    child.stderr.on('data', (part: Buffer) => {
      stderr += part.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`glacis serve ended with ${code}: ${stdout}${stderr}`)));
  });
  const at = (label: string) => new RegExp(`^${label} +(\\S+)`, 'm').exec(stdout)![1]!;
  const [rest, management] = [at('REST'), at('Management')];
  const key = (await readFile(join(folder, 'key'), 'utf8')).trim();
  const send = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return {
    rest: rest.replace(/\/v2$/, ''),
    grpc: at('gRPC'),
    management,
    key,
    stdout: () => stdout,
    stderr: () => stderr,
    pid: child.pid!,
    ask: (path, body, headers) => send(`${rest.replace(/\/v2$/, '')}${path}`, body, headers),
    manage: (path, body) => send(`${management}${path}`, body),
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return closed;
    },
  };
}
