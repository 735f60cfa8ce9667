import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { quoted } from '../../../onnx/problems.ts';
import type { Described } from '../../gateway.ts';
import { boundConnections, emptied } from '../connections.ts';
import { isNamed } from '../names.ts';
import { SERVER } from '../server-metadata.ts';
import type { Face, FaceSurroundings } from '../surroundings.ts';
import type { TlsOptions } from '../tls.ts';
import { DOCS_PAGE, DOCS_POLICY } from './docs-page.ts';
import { Exchange, rawRefusal } from './exchange.ts';
import { infer } from './infer.ts';
import { OPENAPI } from './openapi.ts';
import { OPERATIONS, type RestOperation } from './operations.ts';

const OPENAPI_BYTES = Buffer.from(JSON.stringify(OPENAPI));
const DOCS_BYTES = Buffer.from(DOCS_PAGE);
/** Opens the REST face. Errors: what `listen` throws. */
export async function openRest(face: FaceSurroundings, tls: TlsOptions | undefined): Promise<Face> {
  const { gateway, config, callers } = face;
  const { limits } = config;
  let leaving = false;
  const requests = new WeakMap<Socket, number>();
  let server: Server | undefined;
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256 },
    // What fastify itself would say quotes the request.
    frameworkErrors: (_error, request, reply) =>
      unknownPath(request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
    serverFactory: (handler) => {
      server = newServer(face, tls, handler);
      return server;
    },
  });
  const begin = (request: FastifyRequest, reply: FastifyReply): Exchange => {
    reply.hijack();
    return exchangeOf(request.raw, reply.raw);
  };
  const exchangeOf = (request: IncomingMessage, response: ServerResponse): Exchange => {
    const { authorization, 'x-forwarded-for': forwarded, traceparent } = request.headers;
    const { socket } = request;
    const count = (requests.get(socket) ?? 0) + 1;
    requests.set(socket, count);
    return new Exchange(
      request,
      response,
      callers.of(socket, authorization, forwarded as string | undefined, traceparent as string | undefined),
      {
        compresses: config.compression,
        padding: face.padding,
        isLast: () => leaving || count >= limits.requestsPerConnection,
      },
    );
  };
  /** Nothing that goes wrong here may reach the caller, or be lost. */
  const guarded = async (exchange: Exchange, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (thrown) {
      const because = thrown instanceof Error ? thrown.message : 'something that is no error';
      const { caller, arrived } = exchange;
      try {
        exchange.refuse(await gateway.malformed(caller, { refusal: 'failed', because, arrived }));
      } catch {
        // Nothing was written down, so nothing is said.
        exchange.response.destroy();
      }
    }
  };
  const refuse = async (
    exchange: Exchange,
    refusal: 'unknown' | 'malformed' | 'encoding',
    because: string,
  ) => {
    const { caller, arrived } = exchange;
    exchange.refuse(await gateway.malformed(caller, { refusal, because, arrived }));
  };
  const unknownPath = (request: FastifyRequest, reply: FastifyReply): void => {
    const exchange = begin(request, reply);
    const path = (request.raw.url ?? '').split('?', 1)[0]!;
    void guarded(
      exchange,
      refuse(exchange, 'unknown', `no such call: ${request.raw.method} ${quoted(path)}`),
    );
  };
  const look = async (
    exchange: Exchange,
    { model, version }: Named,
    ask: (model: string, version: string | undefined) => Promise<Described>,
    show: (described: Extract<Described, { kind: 'description' }>) => unknown,
  ): Promise<void> => {
    if (!isNamed(model, version)) return refuse(exchange, 'unknown', 'a name that no model has');
    const described = await ask(model, version);
    if (described.kind === 'refusal') exchange.refuse(described);
    else exchange.json(200, show(described));
  };
  const describe = (exchange: Exchange, named: Named) =>
    look(
      exchange,
      named,
      (model, version) => gateway.describe(exchange.caller, model, version),
      ({ metadata }) => metadata,
    );
  const ready = (exchange: Exchange, named: Named) =>
    look(
      exchange,
      named,
      (model, version) => gateway.modelReady(exchange.caller, model, version),
      ({ metadata }) => ({ name: metadata.name, ready: true }),
    );
  const ask = (exchange: Exchange, { model, version }: Named) => infer(exchange, model, version, face);
  const handlers: Readonly<
    Record<RestOperation['id'], (exchange: Exchange, named: Named) => Promise<void> | void>
  > = {
    live: (exchange) => exchange.json(200, { live: true }),
    ready: (exchange) => {
      const isReady = !leaving && gateway.isReady();
      exchange.json(isReady ? 200 : 503, { ready: isReady });
    },
    server: (exchange) => exchange.json(200, SERVER),
    model: describe,
    modelVersion: describe,
    modelReady: ready,
    modelVersionReady: ready,
    infer: ask,
    inferVersion: ask,
    openapi: (exchange) => exchange.send(200, { 'content-type': 'application/json' }, OPENAPI_BYTES),
    docs: (exchange) =>
      exchange.send(
        200,
        {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': DOCS_POLICY,
          'referrer-policy': 'no-referrer',
        },
        DOCS_BYTES,
      ),
  };
  // The stream is left alone: the handler reads it, with its own bounds.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  for (const { id, method, path } of OPERATIONS) {
    const handle = handlers[id];
    app.route({
      method,
      url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) => {
        const exchange = begin(request, reply);
        const done = handle(exchange, request.params as Named);
        if (done) void guarded(exchange, done);
      },
    });
  }
  app.setNotFoundHandler(unknownPath);
  app.setErrorHandler((error: { readonly statusCode?: number }, request, reply) => {
    const exchange = begin(request, reply);
    const refusal = error.statusCode === 415 ? 'encoding' : 'malformed';
    void guarded(exchange, refuse(exchange, refusal, 'a request that the router refuses'));
  });
  await app.ready();
  const listening = server!;
  const sockets = boundConnections(listening, limits, callers);
  await new Promise<void>((resolve, reject) => {
    listening.once('error', reject);
    listening.listen({ host: config.host, port: config.port, exclusive: true }, () => {
      listening.off('error', reject);
      // A connection that cannot be accepted (no file descriptors left, say) ends no server.
      listening.on('error', () => {});
      resolve();
    });
  });
  const { address, port, family } = listening.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return {
    address: `${tls ? 'https' : 'http'}://${host}:${port}`,
    async leave() {
      leaving = true;
      // Not `http.Server.close`, which closes idle connections at once: their next request may be on its way.
      NetServer.prototype.close.call(listening);
      await emptied(sockets);
      listening.closeIdleConnections();
    },
    gone: () => emptied(sockets),
    async close() {
      leaving = true;
      listening.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      if (listening.listening) await new Promise((resolve) => listening.close(resolve));
      await app.close();
    },
    renew(fresh) {
      (listening as unknown as { setSecureContext?(given: TlsOptions): void }).setSecureContext?.(fresh);
    },
  };
}

interface Named {
  readonly model: string;
  readonly version: string | undefined;
}

function newServer(
  { config: { limits } }: FaceSurroundings,
  tls: TlsOptions | undefined,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTime,
    requestTimeout: limits.bodyTime,
    keepAliveTimeout: limits.keepAliveTime,
    connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headerTime / 4)),
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  };
  const server = tls
    ? createSecureServer(
        { ...options, ...tls, ALPNProtocols: ['http/1.1'], handshakeTimeout: limits.headerTime },
        handler,
      )
    : createServer(options, handler);
  server.timeout = limits.idleTime;
  return server;
}

/** What is no HTTP is told so in one fixed line, and the connection closed. */
function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable && socket.bytesWritten === 0) {
    const [refusal, status, reason] =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? (['too-large', 431, 'Request Header Fields Too Large'] as const)
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? (['late', 408, 'Request Timeout'] as const)
          : (['malformed', 400, 'Bad Request'] as const);
    socket.end(rawRefusal(refusal, status, reason));
    // Who does not close by himself is not waited for.
    setTimeout(() => socket.destroy(), 1000).unref();
  } else socket.destroy();
}
