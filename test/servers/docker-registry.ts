import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, removeFolder, serverFolder, startProcess, until } from './program.ts';

const program = findProgram('docker-registry');

/** Why tests that need an OCI registry of somebody else are skipped; undefined where it is there. */
export const NO_DOCKER_REGISTRY =
  program === undefined ? "Debian's package docker-registry is not installed" : undefined;

/** An OCI registry of a test: the reference implementation (distribution), as Debian has it. */
export interface DockerRegistry {
  /** `HOST:PORT`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts an empty one in a folder of its own, as a user without rights, without TLS and passwords, at a port that the system chooses. */
export async function startDockerRegistry(): Promise<DockerRegistry> {
  const folder = serverFolder('oci');
  const config = join(folder, 'config.yml');
  const settings = {
    version: 0.1,
    log: { level: 'info', formatter: 'json' },
    storage: { filesystem: { rootdirectory: join(folder, 'blobs') }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(settings));
  chmodSync(config, 0o644);
  const log: string[] = [];
  const server = startProcess(program!, ['serve', config], log);
  const host = () => /listening on (127\.0\.0\.1:\d+)/.exec(log.join(''))?.[1];
  await until(
    server,
    () => host() !== undefined,
    () => log.join(''),
  );
  return {
    host: host()!,
    async stop() {
      await server.kill();
      removeFolder(folder);
    },
  };
}
