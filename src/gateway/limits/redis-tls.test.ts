import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, freePort, makeCertificate } from '../../../test/servers/certificate.ts';
import { removeFolder } from '../../../test/servers/program.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../../../test/servers/redis.ts';
import { openRates } from './open-rates.ts';
import { principalFixture, ratesFixture } from './rates.fixture.ts';

describe.skipIf(NO_REDIS)(NO_REDIS ?? 'Redis over TLS', () => {
  const certificates: Certificate[] = [];
  const servers: RedisServer[] = [];
  const ports: number[] = [];
  beforeAll(async () => {
    certificates.push(makeCertificate('IP:127.0.0.1'), makeCertificate('DNS:other.example'));
    for (const { key, certificate } of certificates) {
      const port = await freePort();
      ports.push(port);
      servers.push(
        await startRedis([
          ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--requirepass', 'word'],
          ...['--tls-cert-file', certificate, '--tls-key-file', key],
        ]),
      );
    }
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    for (const { folder } of certificates) removeFolder(folder);
  });

  /** Whether limits can be asked for there, and otherwise why not. */
  async function ask(
    server: number,
    ca: string | undefined,
    { password = 'word', most = 40 }: { readonly password?: string; readonly most?: number } = {},
  ): Promise<string> {
    const redis = { url: `rediss://:${password}@127.0.0.1:${ports[server]}`, ca, timeout: '5 seconds' };
    let because = '';
    const rates = openRates(ratesFixture([{ per: 'all', requests: 1000, every: 'hour' }], { redis }), {
      changed: (_, why) => {
        because = why;
      },
    });
    const who = { principal: principalFixture('alice'), address: '::1' };
    try {
      for (let tries = 0; tries < most; tries++) {
        try {
          await rates.take(who, 1);
          return 'works';
        } catch {
          await sleep(25);
        }
      }
      return because;
    } finally {
      await rates.close();
    }
  }

  it('takes a server with the right certificate and password, and no other', async () => {
    const [right, other] = certificates.map(({ certificate }) => certificate) as [string, string];
    expect(await ask(0, right, { most: Number.POSITIVE_INFINITY })).toBe('works');
    expect(await ask(0, other), 'another authority').not.toBe('works');
    expect(await ask(0, undefined), 'an authority that the system does not know').not.toBe('works');
    expect(await ask(1, other), 'another name').not.toBe('works');
    expect(await ask(0, right, { password: 'wrong' })).not.toBe('works');
  });
});
