import { connect, isIP, type Socket } from 'node:net';
import { GlacisError } from '../../core/error.ts';
import { checkedLookup, type RequestLimits } from './checked-request.ts';
import { isReachable, type ReachableNetworks } from './reachable.ts';

/** Connects to a host and port as {@link checkedRequest} does: only to an address that may be asked. Errors: `endpoint/unavailable`. */
export function checkedConnect(
  { host, port }: { readonly host: string; readonly port: number },
  networks: ReachableNetworks,
  timeout: number,
  resolve?: RequestLimits['resolve'],
): Promise<Socket> {
  const fail = (got: string) =>
    new GlacisError('endpoint/unavailable', `${host}: expected a connection, got ${got}`);
  return new Promise((done, failed) => {
    // A numeric host is never looked up.
    if (isIP(host) !== 0 && !isReachable(host, networks))
      return failed(fail('an address that may not be asked'));
    const socket = connect({ host, port, lookup: checkedLookup(networks, resolve) });
    socket.setTimeout(timeout, () => socket.destroy(fail(`nothing within ${timeout} ms`)));
    socket.once('error', (thrown) =>
      failed(thrown instanceof GlacisError ? thrown : fail((thrown as NodeJS.ErrnoException).code ?? 'none')),
    );
    socket.once('connect', () => {
      socket.setTimeout(0);
      // Whoever takes it over hears of its errors; nobody may be listening in between.
      socket.on('error', () => {});
      done(socket);
    });
  });
}
