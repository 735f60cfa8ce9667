import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as askHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Issued, issue } from '../../supply/sign/certificate.fixture.ts';
import { SOUND, soundMessage, startFaces } from './faces.fixture.ts';

let folder: string;
let server: Issued;
let [ours, theirs]: Issued[] = [];
const pem = ({ key }: Issued) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const path = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-tls-'));
  const authority = issue({ name: 'clients', authority: true });
  server = issue({ name: 'gateway.example' });
  ours = issue({ name: 'ann', issuer: authority });
  theirs = issue({ name: 'mallory', issuer: issue({ name: 'others', authority: true }) });
  await writeFile(path('cert.pem'), server.pem);
  await writeFile(path('key.pem'), pem(server));
  await writeFile(path('clients.pem'), authority.pem);
});
afterAll(() => rm(folder, { recursive: true }));
const files = () => ({ cert: path('cert.pem'), key: path('key.pem') });
const mutual = () => ({ ...files(), clientCa: path('clients.pem') });

/** Asks over HTTPS; the client does not look at the server's certificate. */
function ask(port: number, who?: Issued): Promise<number> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const options = { rejectUnauthorized: false, agent, ...(who && { cert: who.pem, key: pem(who) }) };
    const request = askHttps(
      `https://127.0.0.1:${port}/v2/models/echo/infer`,
      { ...options, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify(SOUND));
  });
}

/** Asks over gRPC with TLS: the status. */
function call(port: number, who?: Issued): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      ...(who && { cert: who.pem, key: pem(who) }),
    });
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
    });
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('closed without an answer')));
    stream.on('trailers', (given) => {
      resolve(String(given['grpc-status']));
      session.destroy();
    });
    stream.resume();
    const message = soundMessage();
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
}

describe('TLS', () => {
  it('is spoken by both faces, and names them so', async () => {
    const at = await startFaces({ tls: files() });
    expect(at.rest).toMatch(/^https:/);
    expect(at.faces.addresses.grpc).toMatch(/^grpcs:/);
    expect([await ask(at.restPort), await call(at.grpcPort)]).toEqual([200, '0']);
    expect(at.seen.questions.map(({ caller }) => caller.certificate)).toEqual([undefined, undefined]);
    // Plain HTTP gets nothing, least of all an answer.
    expect(await at.raw('GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n')).not.toMatch(/glacis/);
    await at.stop();
  });

  it('asks for certificates of its authorities, and hands them over', async () => {
    const at = await startFaces({ tls: mutual() });
    expect([await ask(at.restPort, ours), await call(at.grpcPort, ours)]).toEqual([200, '0']);
    expect(at.seen.questions.map(({ caller }) => caller.certificate?.subject.CN)).toEqual(['ann', 'ann']);
    for (const who of [undefined, theirs]) {
      await expect(ask(at.restPort, who)).rejects.toThrow();
      await expect(call(at.grpcPort, who)).rejects.toThrow();
    }
    expect(at.seen.questions).toHaveLength(2);
    await at.stop();
  });

  it('with optional certificates serves those without, and believes none that is not verified', async () => {
    const at = await startFaces({ tls: { ...mutual(), clientCertificates: 'optional' } });
    for (const who of [undefined, theirs, ours]) {
      expect(await ask(at.restPort, who)).toBe(200);
      expect(await call(at.grpcPort, who)).toBe('0');
    }
    const names = at.seen.questions.map(({ caller }) => caller.certificate?.subject.CN);
    expect(names).toEqual([undefined, undefined, undefined, undefined, 'ann', 'ann']);
    await at.stop();
  });

  it('takes new certificates without a restart', async () => {
    const at = await startFaces({ tls: files() });
    const shown = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ port: at.restPort, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(`${socket.getPeerCertificate().subject.CN}`);
          socket.destroy();
        });
        socket.on('error', reject);
      });
    expect(await shown()).toBe('gateway.example');
    const next = issue({ name: 'next.example' });
    await writeFile(path('cert.pem'), next.pem);
    await expect(at.faces.renewTls()).rejects.toMatchObject({ code: 'option/invalid' });
    expect(await shown()).toBe('gateway.example');
    await writeFile(path('key.pem'), pem(next));
    await at.faces.renewTls();
    expect(await shown()).toBe('next.example');
    await at.stop();
  });

  it('with files that are missing or do not fit does not start', async () => {
    const none = { cert: path('none.pem'), key: path('key.pem') };
    await expect(startFaces({ tls: none })).rejects.toMatchObject({ code: 'option/invalid' });
    const swapped = { cert: path('key.pem'), key: path('cert.pem') };
    await expect(startFaces({ tls: swapped })).rejects.toThrow(/expected a certificate, its key/);
  });
});
