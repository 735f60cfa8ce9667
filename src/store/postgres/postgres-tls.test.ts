import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, freePort, makeCertificate } from '../../../test/servers/certificate.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts';
import { removeFolder } from '../../../test/servers/program.ts';
import type { PostgresConfig } from '../config-schema.ts';
import { postgresPool } from './postgres-pool.ts';

describe.skipIf(NO_POSTGRES)(NO_POSTGRES ?? 'PostgreSQL over TLS', () => {
  const certificates: Certificate[] = [];
  const servers: PostgresServer[] = [];
  const ports: number[] = [];
  beforeAll(async () => {
    certificates.push(makeCertificate('IP:127.0.0.1'), makeCertificate('DNS:other.example'));
    for (const { key, certificate } of certificates) {
      const port = await freePort();
      ports.push(port);
      servers.push(
        await startPostgres(
          ['listen_addresses=127.0.0.1', 'ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`],
          port,
        ),
      );
    }
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    for (const { folder } of certificates) removeFolder(folder);
  });

  /** Whether the connection is encrypted, or the error. */
  async function connect(server: number, tls: PostgresConfig['tls']): Promise<unknown> {
    const url = `postgres://glacis@127.0.0.1:${ports[server]}/postgres`;
    const pool = postgresPool({ kind: 'postgres', url, tls, connectTimeout: 60_000 });
    try {
      const client = await pool.connect();
      const { rows } = await client.query<{ ssl: boolean }>(
        'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
        [],
      );
      client.release();
      return rows[0]!.ssl;
    } catch (thrown) {
      return (thrown as { code?: string }).code;
    } finally {
      await pool.end();
    }
  }

  it('takes a server with the right certificate, and no other', async () => {
    const ca = (of: number) => ({ ca: certificates[of]!.certificate });
    expect(await connect(0, ca(0))).toBe(true);
    expect(await connect(0, ca(1)), 'another authority').toBe('store/unavailable');
    expect(await connect(0, 'on'), 'an authority that the system does not know').toBe('store/unavailable');
    expect(await connect(1, ca(1)), 'another name').toBe('store/unavailable');
    expect(await connect(0, 'off')).toBe(false);
  });
});
