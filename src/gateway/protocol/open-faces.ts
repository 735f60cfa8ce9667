import { asGlacisError } from '../../core/error.ts';
import type { Gateway } from '../gateway.ts';
import type { Padding } from '../padding.ts';
import { ByteBudget } from './byte-budget.ts';
import { Callers } from './callers.ts';
import { Codec } from './codec/codec.ts';
import { blockListOf, type ListenConfig } from './config-schema.ts';
import { openGrpc } from './grpc/grpc-face.ts';
import { InWork } from './in-work.ts';
import { Inflater } from './inflate.ts';
import { openRest } from './rest/rest-face.ts';
import type { Face, FaceSurroundings } from './surroundings.ts';
import { readTls } from './tls.ts';

/** The public side of a gateway. */
export interface Faces {
  /** Where it listens: `http://127.0.0.1:8080`, `grpc://127.0.0.1:8081`; `https` and `grpcs` with TLS. */
  readonly addresses: { readonly rest: string; readonly grpc?: string };
  /** Requests in work. */
  readonly inWork: () => number;
  /** Bytes of requests that are read or in work. */
  readonly buffered: () => number;
  /** Takes no new connections, lets everything in work end (as long as `limits.drainTime` says), then closes. Twice is once. */
  drain(): Promise<void>;
  /** Reads certificate, key and authorities again, for connections to come. Errors: `option/invalid`; the old ones stay. */
  renewTls(): Promise<void>;
  /** Closes at once, whatever is in work. */
  close(): Promise<void>;
}

/**
 * Opens the faces of the Open Inference Protocol v2, REST and, where it has a port, gRPC, in front of a gateway. With `padding`, answers
 * and REST's refusals are filled up as it says, and nothing is compressed.
 * Errors: `option/invalid` where the place cannot be had or the files of TLS do not fit.
 */
export async function openFaces(
  gateway: Gateway,
  listen: ListenConfig,
  { padding }: { readonly padding?: Padding | undefined } = {},
): Promise<Faces> {
  const config = padding ? { ...listen, compression: false } : listen;
  const tls = config.tls && (await readTls(config.tls));
  const { limits } = config;
  const share = Math.max(limits.bufferedBytes / 4, Math.min(limits.bufferedBytes, 2 * gateway.mostBytes));
  const budget = new ByteBudget(limits.bufferedBytes, share);
  const inWork = new InWork(limits.requestsAtOnce);
  const codec = new Codec();
  const surroundings: FaceSurroundings = {
    gateway,
    config,
    callers: new Callers(blockListOf(config.trustedProxies), config.trustedProxies.length > 0),
    budget,
    inflater: new Inflater(),
    codec,
    inWork,
    padding,
  };
  const open: Face[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.map((face) => face.close()));
    await codec.close();
  };
  let rest: Face;
  let grpc: Face | undefined;
  try {
    rest = await openRest(surroundings, tls);
    open.push(rest);
    if (config.grpcPort !== undefined) {
      grpc = await openGrpc(surroundings, config.grpcPort, tls);
      open.push(grpc);
    }
  } catch (thrown) {
    await close();
    throw asGlacisError(thrown, 'option/invalid', `serve.listen ${config.host}`);
  }
  let draining: Promise<void> | undefined;
  return {
    addresses: { rest: rest.address, ...(grpc && { grpc: grpc.address }) },
    inWork: () => inWork.count,
    buffered: () => budget.total,
    drain() {
      draining ??= (async () => {
        const left = Promise.all(open.map((face) => face.leave()))
          .then(() => inWork.idle())
          // An answer that was handed over is not yet at the caller's.
          .then(() => Promise.all(open.map((face) => face.gone())));
        let timer: NodeJS.Timeout | undefined;
        const enough = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, limits.drainTime);
        });
        await Promise.race([left, enough]);
        clearTimeout(timer);
        await close();
      })();
      return draining;
    },
    async renewTls() {
      if (!config.tls) return;
      const fresh = await readTls(config.tls);
      for (const face of open) face.renew(fresh);
    },
    close,
  };
}
