import type { Server, Socket } from 'node:net';
import { neighbourhoodOf } from '../identity/network-address.ts';
import type { Callers } from './callers.ts';
import type { ListenLimits } from './config-schema.ts';

/**
 * Bounds a server's connections, all together and from one neighbourhood of addresses: what is too much is closed before a byte is
 * read. Gives the open ones.
 */
export function boundConnections(
  server: Server,
  limits: ListenLimits,
  callers: Callers,
): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const from = new Map<string, number>();
  server.maxConnections = limits.connections;
  // First of all listeners, before TLS or HTTP look at it.
  server.prependListener('connection', (socket: Socket) => {
    const who = neighbourhoodOf(socket.remoteAddress ?? '');
    const count = from.get(who) ?? 0;
    if (count >= limits.connectionsPerAddress && !callers.isProxy(socket)) {
      socket.destroy();
      return;
    }
    from.set(who, count + 1);
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      const left = from.get(who)! - 1;
      if (left > 0) from.set(who, left);
      else from.delete(who);
    });
  });
  return open;
}

/** How long idle connections are left open once a server leaves: a request may be on its way. */
const LINGER = 2000;

/** Resolves when all connections are closed, or after two seconds. */
export async function emptied(open: ReadonlySet<Socket>): Promise<void> {
  const until = performance.now() + LINGER;
  while (open.size > 0 && performance.now() < until) await new Promise((next) => setTimeout(next, 20));
}
