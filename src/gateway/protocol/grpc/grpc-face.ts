import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { boundConnections, emptied } from '../connections.ts';
import type { Face, FaceSurroundings } from '../surroundings.ts';
import type { TlsOptions } from '../tls.ts';
import { Call } from './call.ts';
import { Patience } from './patience.ts';
import { serveCall } from './serve-call.ts';

/** How long clients have to see that this server is leaving before their connections close behind the last call. */
const NOTICE = 250;
/** Bytes that may be on the way to us on one stream, and on one connection. */
const WINDOW = 1 << 20;
const LAST_STREAM = 2 ** 31 - 1;

/**
 * Opens the gRPC face: unary calls over HTTP/2, framed by our own code over Node's, because a server that is exposed needs what the gRPC
 * library does not have: times for bodies and answers, bounds over connections, messages from our catalogue alone, and no
 * copy of a tensor. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. Errors: what `listen` throws.
 */
export async function openGrpc(
  face: FaceSurroundings,
  port: number,
  tls: TlsOptions | undefined,
): Promise<Face> {
  const { config, callers } = face;
  const { limits } = config;
  const options = {
    settings: {
      maxConcurrentStreams: limits.streamsPerConnection,
      maxHeaderListSize: limits.headerBytes,
      initialWindowSize: WINDOW,
      enablePush: false,
    },
    maxHeaderListPairs: 64,
    maxSessionInvalidFrames: 32,
    maxSessionRejectedStreams: 100,
    // Resets of streams (CVE-2023-44487): so many at once, and so many a second.
    streamResetBurst: 2 * limits.streamsPerConnection,
    streamResetRate: 50,
    unknownProtocolTimeout: limits.headerTime,
  };
  const server: Http2Server = tls
    ? (createSecureServer({
        ...options,
        ...tls,
        ALPNProtocols: ['h2'],
        handshakeTimeout: limits.headerTime,
      }) as unknown as Http2Server)
    : createServer(options);
  const sockets = boundConnections(server, limits, callers);
  const sessions = new Map<ServerHttp2Session, number>();
  let leaving = false;

  const speechless = new Patience<ServerHttp2Session>(limits.headerTime, (session) => session.destroy());
  const idle = new Patience<ServerHttp2Session>(limits.keepAliveTime, (session) => session.close());
  const arriving = new Patience<Call>(limits.bodyTime, (call) => call.late());
  const leavingCalls = new Patience<ServerHttp2Stream>(limits.idleTime, (stream) =>
    stream.close(constants.NGHTTP2_CANCEL),
  );
  const watch = setInterval(
    () => {
      const now = performance.now();
      for (const patience of [speechless, idle, arriving, leavingCalls]) patience.look(now);
    },
    Math.max(20, Math.min(1000, limits.headerTime / 4, limits.bodyTime / 4)),
  );
  watch.unref();

  server.on('session', (session) => {
    sessions.set(session, 0);
    speechless.watch(session, performance.now());
    session.setLocalWindowSize(4 * WINDOW);
    session.on('error', () => session.destroy());
    session.once('close', () => {
      sessions.delete(session);
      speechless.forget(session);
      idle.forget(session);
    });
    if (leaving) session.close();
  });
  // Errors of connections say something of the network, or of whoever plays with it: they are closed.
  server.on('sessionError', (_error: Error, session: ServerHttp2Session) => session.destroy());
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const session = stream.session as ServerHttp2Session | undefined;
    // What was reset before it was looked at has no connection any more.
    if (session === undefined || session.destroyed || stream.destroyed) return;
    const now = performance.now();
    const count = (sessions.get(session) ?? 0) + 1;
    sessions.set(session, count);
    speechless.forget(session);
    idle.forget(session);
    const call = new Call(
      stream,
      headers,
      callers.of(
        session.socket,
        headers.authorization,
        headers['x-forwarded-for'] as string | undefined,
        headers.traceparent as string | undefined,
      ),
    );
    arriving.watch(call, now);
    leavingCalls.watch(stream, now);
    stream.once('end', () => arriving.forget(call));
    stream.once('close', () => {
      arriving.forget(call);
      leavingCalls.forget(stream);
      if (!session.destroyed && !session.closed) idle.watch(session, performance.now());
    });
    if (count >= limits.requestsPerConnection) session.close();
    const type = headers['content-type'] ?? '';
    if (headers[':method'] !== 'POST' || !/^application\/grpc(?:$|[;+]proto)/.test(type)) {
      stream.respond({ ':status': 415 }, { endStream: true });
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    void serveCall(call, headers[':path'] ?? '', face);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: config.host, port, exclusive: true }, () => {
      server.off('error', reject);
      // A connection that cannot be accepted (no file descriptors left, say) ends no server.
      server.on('error', () => {});
      resolve();
    });
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return {
    address: `${tls ? 'grpcs' : 'grpc'}://${host}:${bound}`,
    async leave() {
      leaving = true;
      NetServer.prototype.close.call(server);
      // First that no more should be asked, then the last call that is answered (RFC 9113, section 6.8).
      for (const session of sessions.keys()) if (!session.destroyed) session.goaway(0, LAST_STREAM);
      if (sessions.size > 0) await new Promise((next) => setTimeout(next, NOTICE));
      for (const session of sessions.keys()) session.close();
    },
    gone: () => emptied(sockets),
    async close() {
      clearInterval(watch);
      for (const session of sessions.keys()) session.destroy();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
    renew(fresh) {
      (server as unknown as { setSecureContext?(given: TlsOptions): void }).setSecureContext?.(fresh);
    },
  };
}
