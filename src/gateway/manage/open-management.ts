import { chmod } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { GlacisError } from '../../core/error.ts';
import type { Caller } from '../call.ts';
import type { Event } from '../decision.ts';
import type { Principal } from '../principal.ts';
import { REFUSALS, Refused } from '../refusal.ts';
import type { Identifier } from '../rights.ts';
import { removeLeftSocket } from './left-socket.ts';
import { type Door, type Knock, type ManagementAnswer, type ManagementRoute, NOBODY } from './route.ts';

/** Where the management side listens. The file of a socket is its owner's alone, and one that a killed process left is taken away. */
export type ManagementPlace = { readonly host: string; readonly port: number } | { readonly socket: string };

/** What it stands on. */
export interface ManagementSurroundings {
  readonly routes: readonly ManagementRoute[];
  readonly identifier: Identifier;
  /** Whether somebody may do this. */
  readonly allows: (principal: Principal, action: string, address: string) => boolean;
  /** Writes an act down before it is done. */
  readonly record: (event: Event) => Promise<unknown>;
  readonly failed: (where: string, thrown: unknown) => void;
  readonly now: () => number;
  /** Lets browsers in with a session; without, only keys, tokens and certificates count. */
  readonly door?: Door | undefined;
  /** TLS for a port; none on loopback or a socket. */
  readonly tls?:
    | { readonly cert: string | Buffer; readonly key: string | Buffer; readonly ca?: string | Buffer }
    | undefined;
}

/** A management side that listens. */
export interface Management {
  /** `http://127.0.0.1:8081`, or the socket's path. */
  readonly address: string;
  close(): Promise<void>;
}

const MOST_BODY = 1 << 20;
/** On every answer, unless a route says otherwise: nothing is run, framed, sniffed or kept. */
const SENT_ALWAYS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
} as const;
const FOREIGN = new GlacisError('request/invalid', 'origin: expected a request of this server’s own pages');
const DROPPED = new Set(['authorization', 'cookie']);

/**
 * Opens the management side: a server of its own, with rights of its own, that the public side never forwards to. Acts are recorded before they are done; one that
 * cannot be recorded is not done. Errors here may be frank: who gets this far has a right.
 * Errors: `option/invalid` where the place cannot be had.
 */
export async function openManagement(
  place: ManagementPlace,
  given: ManagementSurroundings,
): Promise<Management> {
  // Windows' pipes are no files.
  const file = 'socket' in place && process.platform !== 'win32' ? place.socket : undefined;
  if (file !== undefined) await removeLeftSocket(file);
  const server: FastifyInstance = fastify({
    bodyLimit: MOST_BODY,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    logger: false,
    ...(given.tls && {
      https: { ...given.tls, requestCert: given.tls.ca !== undefined, rejectUnauthorized: false },
    }),
  } as object) as unknown as FastifyInstance;
  server.addHook('onRequest', async (request, reply) => {
    // A page in a browser must not be able to use a loopback server by another name (DNS rebinding).
    if (!isOwnHost(request.headers.host, place, given.door?.names))
      await refuse(reply, new Refused('unknown', 'another host name'));
    // Nor may another site's page make the browser act here with a certificate or a session of its user.
    else if (request.method !== 'GET' && isForeign(knockOf(request), given.door))
      await refuse(reply, FOREIGN);
  });
  server.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(SENT_ALWAYS))
      if (!reply.hasHeader(name)) reply.header(name, value);
  });
  const streams = new Set<Readable>();
  server.addHook('preClose', async () => {
    for (const stream of streams) stream.destroy();
  });
  server.setErrorHandler(async (thrown, _request, reply) => refuse(reply, thrown, given.failed));
  server.setNotFoundHandler(async (_request, reply) =>
    refuse(reply, new Refused('unknown', 'no such route')),
  );
  for (const route of given.routes)
    server.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const by = route.action === undefined ? NOBODY : await allowed(request, route.action, given);
        const may = (action: string) => given.allows(by, action, request.ip ?? '');
        const body = bodyOf(request, route);
        const params = request.params as Record<string, string>;
        if (route.event !== undefined)
          await given.record({
            kind: 'event',
            at: given.now(),
            event: route.event,
            by: by.id,
            about: { ...aboutFrom(params), ...aboutFrom(body) },
          });
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const answer = await route.run({
          params,
          query: queryOf(request),
          body,
          by,
          may,
          signal: gone.signal,
          knock: knockOf(request),
        });
        if (!('stream' in answer)) return send(reply, answer);
        const stream = request.method === 'HEAD' ? undefined : answer.stream();
        if (stream !== undefined) {
          streams.add(stream);
          stream.once('close', () => streams.delete(stream));
        }
        reply
          .code(answer.status ?? 200)
          .type(answer.type)
          .headers(answer.headers ?? {});
        return reply.send(stream);
      },
    });
  try {
    const address = await server.listen(
      'socket' in place ? { path: place.socket } : { host: place.host, port: place.port },
    );
    // Whatever the umask says.
    if (file !== undefined) await chmod(file, 0o600);
    return { address: 'socket' in place ? place.socket : address, close: () => server.close() };
  } catch (thrown) {
    await server.close();
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    throw new GlacisError('option/invalid', `management: expected a place to listen, got ${said}`, {
      cause: thrown,
    });
  }
}

function send(reply: FastifyReply, answer: Exclude<ManagementAnswer, { stream: unknown }>): FastifyReply {
  reply.code(answer.status ?? 200).headers(answer.headers ?? {});
  if ('json' in answer) return reply.type('application/json').send(JSON.stringify(answer.json ?? null));
  if (answer.cache !== undefined) reply.header('cache-control', answer.cache);
  return reply
    .type(answer.type)
    .send(typeof answer.bytes === 'string' ? answer.bytes : Buffer.from(answer.bytes));
}

function knockOf({ method, url, headers, ip, raw }: FastifyRequest): Knock {
  const { encrypted } = raw.socket as { encrypted?: boolean };
  return { method, path: url, headers, address: ip ?? '', isSecure: encrypted === true };
}

async function allowed(
  request: FastifyRequest,
  action: string,
  given: ManagementSurroundings,
): Promise<Principal> {
  const address = request.ip ?? '';
  const socket = request.raw.socket as { authorized?: boolean; getPeerCertificate?: () => object };
  const caller: Caller = {
    address,
    authorization: request.headers.authorization,
    certificate:
      socket.authorized === true ? (socket.getPeerCertificate?.() as Caller['certificate']) : undefined,
  };
  // Who shows a key is who the key says, whatever cookies the browser adds.
  const session = caller.authorization === undefined ? await given.door?.enter(knockOf(request)) : undefined;
  const principal = session ?? (await given.identifier.identify(caller));
  if (!given.allows(principal, action, address))
    throw new Refused('unknown', `${principal.id} may not ${action}`);
  return principal;
}

/** Numeric addresses, `localhost` and the configured name are this server; any other name is somebody else's page. */
function isOwnHost(host: string | undefined, place: ManagementPlace, names: readonly string[] = []): boolean {
  if ('socket' in place || host === undefined) return true;
  const name = host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || name === 'localhost' || name === place.host || names.includes(name);
}

/** Whether a browser says that a page of another origin makes this request. Programs say neither. */
function isForeign(knock: Knock, door: Door | undefined): boolean {
  const { origin, 'sec-fetch-site': site } = knock.headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return door === undefined ? !isThis(origin, knock) : !door.isOwnOrigin(origin, knock);
}

/** Whether an origin is the address that the request itself went to. The host has been checked before. */
export function isThis(origin: string, { headers: { host }, isSecure }: Knock): boolean {
  return host !== undefined && origin === `${isSecure ? 'https' : 'http'}://${host.toLowerCase()}`;
}

function bodyOf(request: FastifyRequest, route: ManagementRoute): unknown {
  if (route.body === undefined) return undefined;
  const parsed = route.body.safeParse(request.body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new GlacisError('request/invalid', `${issue!.path.join('.') || 'body'}: ${issue!.message}`);
}

function queryOf(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.query as Record<string, string | string[]>).map(([name, value]) => [
      name,
      Array.isArray(value) ? value[0]! : value,
    ]),
  );
}

/** What an event says of a request: its plain fields, cut short, no secrets. */
function aboutFrom(given: unknown): Event['about'] {
  if (typeof given !== 'object' || given === null) return {};
  const entries = Object.entries(given).flatMap(([name, value]): [string, Event['about'][string]][] => {
    if (DROPPED.has(name) || /secret|password|token/i.test(name)) return [];
    if (typeof value === 'string') return [[name, value.slice(0, 500)]];
    if (typeof value === 'number' || typeof value === 'boolean') return [[name, value]];
    if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
      return [[name, value.slice(0, 50)]];
    return [];
  });
  return Object.fromEntries(entries.slice(0, 32));
}

async function refuse(
  reply: FastifyReply,
  thrown: unknown,
  failed?: (where: string, thrown: unknown) => void,
): Promise<FastifyReply> {
  if (thrown instanceof Refused) {
    if (thrown.retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(thrown.retryAfter)));
    return reply.code(REFUSALS[thrown.refusal].status).send({ error: thrown.message });
  }
  if (thrown instanceof GlacisError) {
    const status = thrown.code === 'option/invalid' || thrown.code === 'request/invalid' ? 400 : 409;
    return reply.code(status).send({ error: thrown.message, code: thrown.code });
  }
  // Fastify's own: a body that is no JSON, too large, of another type.
  const { statusCode, message } = thrown as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return reply.code(statusCode).send({ error: message });
  failed?.('management', thrown);
  return reply.code(500).send({ error: REFUSALS.failed.message });
}
