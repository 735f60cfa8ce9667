import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/store/engine.ts';
import type { StorePlace } from '../../src/store/open-store.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from './postgres.ts';

/** Both engines, with the reason where one cannot be tested. */
export const ENGINES: readonly { readonly engine: Engine; readonly missing: string }[] = [
  { engine: 'sqlite', missing: '' },
  { engine: 'postgres', missing: NO_POSTGRES ?? '' },
];

/** Long enough for a machine that does much else. */
const PATIENCE = 60_000;

/** Empty places for stores, as many as a test likes. */
export interface Places {
  next(): Promise<StorePlace>;
  /** The server, of PostgreSQL. */
  readonly server: PostgresServer | undefined;
  /** A folder of its own. */
  readonly folder: string;
  end(): Promise<void>;
}

/** Makes {@link Places} of an engine. */
export async function placesOf(engine: Engine): Promise<Places> {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-store-'));
  const server = engine === 'postgres' ? await startPostgres() : undefined;
  let count = 0;
  return {
    server,
    folder,
    async next() {
      if (server)
        return {
          kind: 'postgres',
          url: await server.createDatabase(),
          connectTimeout: PATIENCE,
          queryTimeout: PATIENCE,
        };
      return { kind: 'sqlite', file: join(folder, `${++count}`, 'store.db') };
    },
    async end() {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
