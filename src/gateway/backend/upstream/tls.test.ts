import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Issued, issue } from '../../../supply/sign/certificate.fixture.ts';
import { backendSchema } from '../config-schema.ts';
import { testGrpcUpstream } from './grpc-upstream.fixture.ts';
import { openUpstream } from './open-upstream.ts';
import { testUpstream } from './upstream.fixture.ts';

let folder: string;
let [authority, server, impostor, ours, theirs]: Issued[] = [];
const pem = (who: Issued) => who.key.export({ type: 'pkcs8', format: 'pem' }) as string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-upstream-tls-'));
  const address = [0x87, Uint8Array.of(127, 0, 0, 1)] as const;
  authority = issue({ name: 'authority', authority: true });
  server = issue({ name: 'server', issuer: authority, alternativeNames: [address] });
  impostor = issue({ name: 'other', issuer: authority, alternativeNames: [[0x82, 'other.example']] });
  ours = issue({ name: 'gateway', issuer: authority });
  theirs = issue({ name: 'gateway', issuer: issue({ name: 'others', authority: true }) });
  const files = {
    'ca.pem': authority.pem,
    'our.pem': ours.pem,
    'our.key': pem(ours),
    'their.pem': theirs.pem,
    'their.key': pem(theirs),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

/** Opens the model and asks it once: what it answers, or the code of the failure. */
async function ask(url: string, rest: object): Promise<unknown> {
  const upstream = { url, digest: `sha256:${'1'.repeat(64)}`, timeoutMilliseconds: 3000, ...rest };
  const config = backendSchema.parse({ models: { m: { upstream } } }).models.m!.upstream!;
  try {
    const model = await openUpstream({ name: 'm', version: '1', config, classifier: {}, folder });
    const x = { name: 'x', datatype: 'FP32', shape: [1, 3], data: Float32Array.of(1, 2, 3) } as const;
    const { outputs } = await model.run([x], { n: 1, signal: new AbortController().signal, features: false });
    await model.close();
    return outputs[0]!.data;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

/** Servers of both kinds; with `mutual` they want a certificate of the authority. */
const starts = {
  async REST(who: Issued, mutual: boolean) {
    const made = await testUpstream({
      tls: {
        cert: who.pem,
        key: pem(who),
        ca: authority!.pem,
        requestCert: mutual,
        rejectUnauthorized: mutual,
      },
    });
    return { url: made.url, stop: () => made.close() };
  },
  async gRPC(who: Issued, mutual: boolean) {
    const pair = { cert_chain: Buffer.from(who.pem), private_key: Buffer.from(pem(who)) };
    const credentials = ServerCredentials.createSsl(Buffer.from(authority!.pem), [pair], mutual);
    const made = await testGrpcUpstream((good) => good, { credentials });
    return { url: made.url, stop: async () => made.stop() };
  },
};
const trusted = { ca: 'ca.pem' };
const shown = (who: string) => ({ ...trusted, certificate: `${who}.pem`, key: `${who}.key` });

describe.each(Object.keys(starts) as (keyof typeof starts)[])('an upstream with TLS over %s', (kind) => {
  it('is believed when its certificate leads to the authority and names the host', async () => {
    const { url, stop } = await starts[kind](server!, false);
    expect(await ask(url, trusted)).toEqual(Float32Array.of(2, 4, 6));
    // The system's authorities do not know it.
    expect(await ask(url, {})).toBe('endpoint/unavailable');
    await stop();
    const other = await starts[kind](impostor!, false);
    expect(await ask(other.url, trusted)).toBe('endpoint/unavailable');
    await other.stop();
  });

  it('sees the certificate that it asks for', async () => {
    const { url, stop } = await starts[kind](server!, true);
    expect(await ask(url, shown('our'))).toEqual(Float32Array.of(2, 4, 6));
    expect(await ask(url, shown('their'))).toBe('endpoint/unavailable');
    expect(await ask(url, trusted)).toBe('endpoint/unavailable');
    await stop();
  });
});
