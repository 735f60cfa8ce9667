import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A line between a client and a server that a test can slow, hold up or cut. */
export interface Wire {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Milliseconds by which everything is late. */
  delay: number;
  /**
   * Whether bytes get lost on their way, in both directions, with the connection left open: an unplugged cable. A connection that has lost some never says anything again, as one that a firewall
   * forgot.
   */
  isDead: boolean;
  /** Ends all connections at once. */
  cut(): void;
  /** Whether new connections are refused. */
  isShut: boolean;
  close(): Promise<void>;
}

/** Starts a line to a server's socket. */
export async function startWire(socket: string): Promise<Wire> {
  const open = new Set<Socket>();
  const wire = { delay: 0, isDead: false, isShut: false };
  const lost = new Set<Socket>();
  const carry = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => {
      if (wire.isDead) for (const end of [from, to]) lost.add(end);
      if (lost.has(from)) return;
      if (wire.delay > 0) setTimeout(() => to.destroyed || to.write(bytes), wire.delay);
      else to.write(bytes);
    });
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer((client) => {
    if (wire.isShut) {
      client.destroy();
      return;
    }
    const behind = connect(socket);
    for (const end of [client, behind]) {
      open.add(end);
      end.once('close', () => {
        open.delete(end);
        lost.delete(end);
      });
    }
    carry(client, behind);
    carry(behind, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(wire, {
    port,
    cut() {
      for (const end of open) end.destroy();
    },
    async close() {
      for (const end of open) end.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
