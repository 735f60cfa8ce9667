import type { Gateway } from '../gateway.ts';
import type { Padding } from '../padding.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Callers } from './callers.ts';
import type { Codec } from './codec/codec.ts';
import type { ListenConfig } from './config-schema.ts';

import type { InWork } from './in-work.ts';
import type { Inflater } from './inflate.ts';
import type { TlsOptions } from './tls.ts';

/** What both faces stand on. */
export interface FaceSurroundings {
  readonly gateway: Gateway;
  readonly config: ListenConfig;
  readonly callers: Callers;
  readonly budget: ByteBudget;
  readonly inflater: Inflater;
  readonly codec: Codec;
  readonly inWork: InWork;
  /** Where the length of an answer must say little. */
  readonly padding: Padding | undefined;
}

/** One face that listens. */
export interface Face {
  readonly address: string;
  /** Takes no new connections, and asks clients to leave; what is in work goes on. */
  leave(): Promise<void>;
  /** Resolves when its connections are closed, or have had the time for it. */
  gone(): Promise<void>;
  /** Closes every connection. */
  close(): Promise<void>;
  /** Takes new certificates for connections to come. */
  renew(tls: TlsOptions): void;
}
