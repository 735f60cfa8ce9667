import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ambientToken } from './ambient-token.ts';

let server: Server;
let origin: string;
let requests: string[] = [];
let answer: { readonly status: number; readonly body: string };
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { authorization = '-', 'metadata-flavor': flavour = '-' } = request.headers;
    requests.push([request.method, request.url, authorization, flavour, body].join(' '));
    response.writeHead(answer.status);
    response.end(answer.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  answer = { status: 200, body: '' };
});

const nowhere = {
  run: async (): Promise<string> => {
    throw Object.assign(new Error('spawn'), { code: 'ENOENT' });
  },
  readText: async (): Promise<string> => {
    throw new Error('no such file');
  },
};
const tokenIn = (env: Record<string, string>, more = {}) =>
  ambientToken('sigstore', { ...nowhere, env, ...more });
const failure = (work: Promise<string>) =>
  work.then(
    (token) => `the token ${token}`,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe('the token of the place where the program runs', () => {
  it('is asked of GitHub Actions with the right that the workflow has', async () => {
    answer = { status: 200, body: '{"value":"t.o.k"}' };
    const env = {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://${origin}/token?api-version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'right',
    };
    expect(await tokenIn(env)).toBe('t.o.k');
    expect(requests).toEqual(['GET /token?api-version=2&audience=sigstore Bearer right - ']);
    answer = { status: 403, body: 'right is not enough' };
    expect(await failure(tokenIn(env))).toMatch(/^signing\/unavailable.*403: \(secret\) is not enough/);
    answer = { status: 200, body: '{"token":"t"}' };
    expect(await failure(tokenIn(env))).toMatch(/'value'/);
    answer = { status: 200, body: '{"value":" "}' };
    expect(await failure(tokenIn(env))).toMatch(/empty/);
    for (const without of ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'])
      expect(await failure(tokenIn({ ...env, [without]: '' }))).toMatch(/permissions: id-token: write/);
    expect(await failure(tokenIn({ ...env, ACTIONS_ID_TOKEN_REQUEST_URL: 'x' }))).toMatch(/an address/);
  });

  it('lies in a variable of GitLab that is named after the audience', async () => {
    expect(await tokenIn({ GITLAB_CI: 'true', SIGSTORE_ID_TOKEN: 't.o.k' })).toBe('t.o.k');
    const env = { GITLAB_CI: 'true', HTTP___TEST_AUDIENCE_ID_TOKEN: 'a', _9_ID_TOKEN: 'b' };
    expect(await ambientToken('http://test.audience', { ...nowhere, env })).toBe('a');
    expect(await ambientToken('99', { ...nowhere, env: { ...env, _9_ID_TOKEN: 'b' } })).toBe('b');
    expect(await failure(tokenIn(env))).toMatch(/id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }/);
  });

  it.each([
    ['CIRCLECI', ['circleci', 'run', 'oidc', 'get', '--claims', '{"aud":"sigstore"}', '--root-issuer']],
    ['BUILDKITE', ['buildkite-agent', 'oidc', 'request-token', '--audience', 'sigstore']],
  ])('is asked of the program that %s brings', async (name, line) => {
    const ran: unknown[] = [];
    const run = async (program: string, args: readonly string[]) => {
      ran.push([program, ...args]);
      return 't.o.k\n';
    };
    expect(await tokenIn({ [name]: 'true' }, { run })).toBe('t.o.k');
    expect(ran).toEqual([line]);
    const failing = async () => {
      throw Object.assign(new Error('Command failed: t.o.k'), { code: 3 });
    };
    expect(await failure(tokenIn({ [name]: 'true' }, { run: failing }))).toMatch(/exit code 3$/);
    expect(await failure(tokenIn({ [name]: 'true' }))).toMatch(/there is no such file/);
  });

  it('is taken from SIGSTORE_ID_TOKEN elsewhere', async () => {
    expect(await tokenIn({ SIGSTORE_ID_TOKEN: 't.o.k' })).toBe('t.o.k');
  });

  it('is asked of the machine in Google Cloud, for its own account or another', async () => {
    const readText = async () => 'Google Compute Engine\n';
    answer = { status: 200, body: 't.o.k' };
    expect(await tokenIn({ GCE_METADATA_HOST: origin }, { readText })).toBe('t.o.k');
    const base = '/computeMetadata/v1/instance/service-accounts/default';
    expect(requests).toEqual([`GET ${base}/identity?audience=sigstore&format=full - Google `]);
    requests = [];
    answer = { status: 200, body: '{"access_token":"right","token":"t.o.k"}' };
    const env = { GCE_METADATA_HOST: origin, GOOGLE_SERVICE_ACCOUNT_NAME: 'a/b@example.org' };
    expect(await tokenIn(env, { googleCredentials: `http://${origin}` })).toBe('t.o.k');
    expect(requests).toEqual([
      `GET ${base}/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform - Google `,
      'POST /v1/projects/-/serviceAccounts/a%2Fb%40example.org:generateIdToken Bearer right - {"audience":"sigstore","includeEmail":true}',
    ]);
    answer = { status: 200, body: '{}' };
    expect(await failure(tokenIn(env))).toMatch(/'access_token'/);
  });

  it('is that of the pipeline, and not of the machine below it', async () => {
    const readText = async () => 'Google';
    const env = { GITLAB_CI: 'true', SIGSTORE_ID_TOKEN: 't.o.k', GCE_METADATA_HOST: origin };
    expect(await tokenIn(env, { readText })).toBe('t.o.k');
    expect(requests).toEqual([]);
  });

  it('is an error where there is none, and nothing is asked', async () => {
    expect(await failure(tokenIn({}))).toMatch(/^signing\/unavailable.*GitHub Actions, GitLab.*found none/);
    expect(await failure(tokenIn({ GITHUB_ACTIONS: '' }, { readText: async () => 'QEMU' }))).toMatch(
      /found none/,
    );
    expect(requests).toEqual([]);
  });
});
