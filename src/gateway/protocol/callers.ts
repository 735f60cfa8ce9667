import type { BlockList, Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import type { Caller } from '../call.ts';
import { plainAddress } from '../identity/network-address.ts';

/** Entries of X-Forwarded-For that are looked at, from the right. */
const MOST_HOPS = 16;

/** Tells who asks from what a connection shows. */
export class Callers {
  readonly #proxies: BlockList;
  readonly #trusts: boolean;
  /** Address and certificate do not change while a connection lives. */
  readonly #known = new WeakMap<object, Peer>();

  constructor(proxies: BlockList, trusts: boolean) {
    this.#proxies = proxies;
    this.#trusts = trusts;
  }

  /** Who asks. `forwarded`: the X-Forwarded-For header, which counts only where the connection comes from a trusted proxy; `traceparent`: the header of that name. */
  of(
    socket: Socket,
    authorization: string | undefined,
    forwarded: string | undefined,
    traceparent?: string,
  ): Caller {
    const peer = this.#peer(socket);
    const address =
      peer.isProxy && forwarded !== undefined ? this.#client(forwarded, peer.address) : peer.address;
    const trace = traceparent === undefined ? undefined : { parent: traceparent, isTrusted: peer.isProxy };
    return { address, authorization, certificate: peer.certificate, trace };
  }

  /** Whether a connection comes from a trusted proxy. */
  isProxy(socket: Socket): boolean {
    return this.#peer(socket).isProxy;
  }

  #peer(socket: Socket): Peer {
    const known = this.#known.get(socket);
    if (known) return known;
    const address = plainAddress(socket.remoteAddress ?? '') ?? '';
    const peer = {
      address,
      isProxy: this.#trusts && this.#isProxy(address),
      certificate: certificateOf(socket),
    };
    this.#known.set(socket, peer);
    return peer;
  }

  #isProxy(address: string): boolean {
    return address !== '' && this.#proxies.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  }

  /** The first address from the right that is no trusted proxy's; whatever stands left of it is the sender's own invention. */
  #client(forwarded: string, nearest: string): string {
    let address = nearest;
    const hops = forwarded.slice(-2048).split(',').slice(-MOST_HOPS).reverse();
    for (const hop of hops) {
      const next = plainAddress(hop.trim());
      if (next === undefined) break;
      address = next;
      if (!this.#isProxy(next)) break;
    }
    return address;
  }
}

interface Peer {
  readonly address: string;
  readonly isProxy: boolean;
  readonly certificate: PeerCertificate | undefined;
}

/** The client's certificate, where TLS asked for one and its chain was verified. */
function certificateOf(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerCertificate(true);
  return certificate.raw === undefined ? undefined : certificate;
}
