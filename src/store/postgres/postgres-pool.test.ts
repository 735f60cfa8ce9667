import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts';
import { startWire, type Wire } from '../../../test/servers/wire.ts';
import { GlacisError } from '../../core/error.ts';
import { openStore, type Store } from '../open-store.ts';
import { postgresError } from './postgres-error.ts';
import { postgresPool } from './postgres-pool.ts';

describe.skipIf(NO_POSTGRES)(NO_POSTGRES ?? 'PostgreSQL that fails', () => {
  let server: PostgresServer;
  let wire: Wire;
  let store: Store;
  beforeAll(async () => {
    server = await startPostgres();
    wire = await startWire(server.socket);
    const database = new URL(await server.createDatabase()).pathname;
    const url = `postgres://glacis@127.0.0.1:${wire.port}${database}`;
    await (await openStore({ kind: 'postgres', url, queryTimeout: 60_000, connectTimeout: 60_000 })).close();
    store = await openStore(
      { kind: 'postgres', url, queryTimeout: 500, connectTimeout: 500, connections: 4 },
      { migrations: 'none' },
    );
    await working();
  });
  afterEach(async () => {
    Object.assign(wire, { delay: 0, isDead: false, isShut: false });
    await working();
  });
  afterAll(async () => {
    await store?.close();
    await wire?.close();
    await server?.stop();
  });

  const put = (name: string) =>
    store.db.insertInto('state').values({ name, value: '', changed: 0 }).execute();
  const names = async () =>
    new Set((await store.db.selectFrom('state').select('name').execute()).map(({ name }) => name));
  /** Asks until there is an answer. */
  async function working(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await names();
        return;
      } catch (thrown) {
        if (tries > 200) throw thrown;
        await sleep(20);
      }
    }
  }
  /** Writes rows of that name at once; gives those that were confirmed, and checks that the others failed with a code. */
  async function burst(name: string, count: number): Promise<readonly string[]> {
    const outcomes = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        put(`${name}-${i}`).then(
          () => `${name}-${i}`,
          (thrown: unknown) => thrown,
        ),
      ),
    );
    for (const outcome of outcomes)
      if (typeof outcome !== 'string') expect((outcome as GlacisError).code).toBe('store/unavailable');
    return outcomes.filter((outcome): outcome is string => typeof outcome === 'string');
  }

  it.each([
    ['killed', async () => server.kill(), async () => server.restart()],
    ['hanging', async () => server.pause(), async () => server.resume()],
    ['cut off', async () => wire.cut(), async () => {}],
    [
      'unplugged',
      async () => Object.assign(wire, { isDead: true }),
      async () => Object.assign(wire, { isDead: false }),
    ],
    ['slower than the limit', async () => Object.assign(wire, { delay: 2000 }), async () => {}],
    ['shut', async () => Object.assign(wire, { isShut: true }), async () => {}],
  ])(
    'while it is %s fails soon, keeps what it confirmed, and works again by itself',
    async (name, harm, mend) => {
      const before = await burst(`${name} before`, 8);
      const during = burst(`${name} during`, 20);
      await harm();
      const kept = [...before, ...(await during), ...(await burst(`${name} after`, 8))];
      await mend();
      Object.assign(wire, { delay: 0, isDead: false, isShut: false });
      await working();
      const there = await names();
      for (const each of kept) expect(there.has(each), each).toBe(true);
    },
  );

  it('gives nobody the answer to the question of another that timed out', async () => {
    wire.delay = 700;
    const late = sql`select 'late' as word`.execute(store.db).catch((thrown: unknown) => thrown);
    expect(await late).toBeInstanceOf(GlacisError);
    wire.delay = 0;
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        sql<{ i: number }>`select ${i}::int as i`.execute(store.db).then(
          ({ rows }) => rows[0]!.i,
          () => i,
        ),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('ends a statement that takes too long, and its locks with it', async () => {
    await expect(sql`select pg_sleep(20)`.execute(store.db)).rejects.toMatchObject({
      code: 'store/unavailable',
    });
    await put('after the long one');
  });

  it('undoes a transaction whose connection breaks', async () => {
    const work = store.db.transaction().execute(async (db) => {
      await db.insertInto('state').values({ name: 'broken', value: '', changed: 0 }).execute();
      wire.cut();
      await sleep(50);
      await db.insertInto('state').values({ name: 'broken 2', value: '', changed: 0 }).execute();
    });
    await expect(work).rejects.toThrow();
    await working();
    expect([...(await names())].filter((name) => name.startsWith('broken'))).toEqual([]);
  });

  it('keeps no connection that nobody can use', async () => {
    for (let round = 0; round < 3; round++) {
      wire.isDead = true;
      await Promise.all(Array.from({ length: 8 }, () => names().catch(() => {})));
      wire.isDead = false;
      await working();
    }
    for (let i = 0; i < 20; i++) await working();
  });

  it('is refused where the database or the user does not exist', async () => {
    const url = `postgres://glacis@localhost/nothing?host=${server.socketFolder}`;
    await expect(openStore({ kind: 'postgres', url })).rejects.toMatchObject({ code: 'store/unusable' });
    const nobody = `postgres://nobody@localhost/postgres?host=${server.socketFolder}`;
    await expect(openStore({ kind: 'postgres', url: nobody })).rejects.toMatchObject({
      code: 'store/unavailable',
    });
  });
});

describe('the address of PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-pool-'));
  const password = join(folder, 'password');
  writeFileSync(password, 'of the file\n');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['postgres://u@host/db?sslmode=disable', {}],
    ['postgres://u@host/db?ssl=false', {}],
    ['postgres://u@host/db?options=-c%20x', {}],
    ['postgres://u@host', {}],
    ['postgres:///db', {}],
    ['postgres://u@host/db?host=/run', {}],
    ['postgres://u:secret@host/db', { passwordFile: password }],
    ['postgres://u@host/db', { passwordFile: join(folder, 'nothing') }],
    ['postgres://u@host/db', { tls: { ca: join(folder, 'nothing') } }],
    ['postgres://u@[host/db', {}],
  ])('%s with %j is refused, without its password in the message', (url, rest) => {
    let thrown: unknown;
    try {
      postgresPool({ kind: 'postgres', url, ...rest });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'option/invalid' });
    expect(String(thrown)).not.toContain('secret');
  });

  it('asks a server that does not encrypt nothing, unless it is on this machine or the policy says so', async () => {
    // A server that answers "no" to the question for encryption.
    const { createServer } = await import('node:net');
    const heard: Buffer[] = [];
    const plain = createServer((socket) => {
      socket.on('data', (bytes) => {
        heard.push(bytes);
        socket.write('N');
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as { port: number };
    const pool = postgresPool({
      kind: 'postgres',
      url: `postgres://u:secret@127.0.0.1:${port}/db`,
      tls: 'on',
    });
    await expect(pool.connect()).rejects.toMatchObject({ code: 'store/unavailable' });
    expect(Buffer.concat(heard).toString()).not.toContain('secret');
    expect(Buffer.concat(heard)).toHaveLength(8);
    await pool.end();
    await new Promise((resolve) => plain.close(resolve));
  });
});

it('a server that ends a connection with the bytes that make it ready ends nothing else', async () => {
  const { createServer } = await import('node:net');
  const message = (type: string, body: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const welcome = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
  const farewell = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'));
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([...welcome, farewell])));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const pool = postgresPool({ kind: 'postgres', url: `postgres://u@127.0.0.1:${port}/db` });
  const client = await pool.connect();
  await expect(client.query('select 1', [])).rejects.toMatchObject({ code: 'store/unavailable' });
  client.release();
  await pool.end();
  await new Promise((resolve) => server.close(resolve));
});

describe('an error of PostgreSQL', () => {
  it.each([
    ['23505', 'store/conflict'],
    ['40001', 'store/unavailable'],
    ['53300', 'store/unavailable'],
    ['57P01', 'store/unavailable'],
    ['25P03', 'store/unavailable'],
    ['28P01', 'store/unavailable'],
    ['3D000', 'store/unusable'],
    ['XX001', 'store/unusable'],
    ['42P01', 'run/failed'],
    ['22003', 'run/failed'],
    [undefined, 'store/unavailable'],
    ['ECONNREFUSED', 'store/unavailable'],
  ])('of state %s is %s', (code, expected) => {
    expect(postgresError({ message: 'm', code, detail: 'Key (hash)=(abc)' }).code).toBe(expected);
  });
});
