import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { serverFolder, USER } from './program.ts';

/** A certificate that vouches for itself, in files that a server may read. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
  readonly folder: string;
}

/** Makes a certificate for a name such as `IP:127.0.0.1` or `DNS:db.example`. */
export function makeCertificate(name: string): Certificate {
  const folder = serverFolder('certificate');
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=test', '-addext', `subjectAltName=${name}`, '-keyout', key, '-out', certificate],
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  if (USER.uid !== undefined) for (const file of [key, certificate]) chownSync(file, USER.uid, USER.gid!);
  return { key, certificate, folder };
}

/** A port of 127.0.0.1 that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
