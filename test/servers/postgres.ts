import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { findProgram, removeFolder, serverFolder, startProcess, USER, until } from './program.ts';
import { runFolder } from './run-folder.ts';

const [initdb, postgres] = [findProgram('initdb'), findProgram('postgres')];

/** Why tests that need PostgreSQL are skipped; undefined where it is there. */
export const NO_POSTGRES =
  initdb === undefined || postgres === undefined ? "Debian's package postgresql is not installed" : undefined;

/** A PostgreSQL server of a test. */
export interface PostgresServer {
  /** The folder of its socket. */
  readonly socketFolder: string;
  /** Its socket. */
  readonly socket: string;
  /** Makes an empty database and gives its address. */
  createDatabase(): Promise<string>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Starts it again after {@link kill}, with what had been written. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a new PostgreSQL on a socket in a folder of its own, as a user without rights. It does not wait for the disk: a killed server loses
 * nothing, only a machine that fails would. `further` are settings such as `ssl=on`.
 */
export async function startPostgres(further: readonly string[] = [], port = 5432): Promise<PostgresServer> {
  const folder = serverFolder('postgres');
  const data = join(folder, 'data');
  makeCluster(data);
  const log: string[] = [];
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'shared_buffers=16MB',
    `port=${port}`,
    ...further,
  ];
  const connect = (database: string) => new pg.Client({ host: folder, port, user: 'glacis', database });
  const isUp = async () => {
    const client = connect('postgres');
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  };
  const start = async () => {
    // What a killed server leaves behind; the process of that number may be another's now.
    rmSync(join(data, 'postmaster.pid'), { force: true });
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const started = startProcess(postgres!, args, log);
    await until(started, isUp, () => log.join(''));
    return started;
  };
  let server = await start();
  let databases = 0;
  return {
    socketFolder: folder,
    socket: join(folder, `.s.PGSQL.${port}`),
    async createDatabase() {
      const name = `t${++databases}`;
      const client = connect('postgres');
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return `postgres://glacis@localhost:${port}/${name}?host=${folder}`;
    },
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async restart() {
      server = await start();
    },
    async stop() {
      await server.stop('SIGQUIT');
      removeFolder(folder);
    },
  };
}

/** The files of a new server. They take a second of processor time, so the first server of a run of tests leaves a copy for the others. */
function makeCluster(data: string): void {
  const shared = runFolder();
  const template = shared && join(shared, 'postgres');
  if (template !== undefined && existsSync(template)) {
    runAs('cp', ['-a', template, data]);
    return;
  }
  const options = ['-A', 'trust', '-U', 'glacis', '-E', 'UTF8', '--locale=C', '--no-sync'];
  runAs(initdb!, ['-D', data, ...options]);
  if (template === undefined) return;
  const copy = `${template}-${process.pid}`;
  runAs('cp', ['-a', data, copy]);
  try {
    // In one step: whoever sees it sees all of it.
    renameSync(copy, template);
  } catch {
    // Another process was first.
    removeFolder(copy);
  }
}

function runAs(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { ...USER, cwd: '/', encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
}
