import type { Socket } from 'node:net';
import type { AlertMessage } from './message.ts';

/** A message on its way. */
export interface Dispatch {
  /** The same at every try. */
  readonly id: string;
  readonly message: AlertMessage;
  /** When it was written, and now: milliseconds since 1970. */
  readonly at: number;
  readonly now: number;
}

/** How it went. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** For the operator; neither a secret nor what the receiver said. */
      readonly because: string;
      /** Milliseconds that the receiver asks to be left alone. */
      readonly wait?: number | undefined;
      /** Whether this message is what the receiver does not take, rather than that it takes nothing. */
      readonly isRefused?: boolean | undefined;
    };

/** A receiver. */
export interface Channel {
  /** Host or address, without a secret. */
  readonly to: string;
  /** Never throws. */
  deliver(dispatch: Dispatch): Promise<Delivery>;
}

/** Which networks a receiver may be in. */
export interface Networks {
  readonly loopback: boolean;
  readonly private: boolean;
}

/** Sends one request and reads a bounded answer; follows no redirect, and checks each address before it connects. */
export type Transmit = (
  url: URL,
  sent: {
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Uint8Array;
    readonly what: string;
  },
  limits: {
    readonly networks: Networks;
    readonly timeout: number;
    readonly mostBytes: number;
    readonly ca?: string | undefined;
  },
) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}>;

/** Connects to a mail server, once its address was checked. */
export type Connect = (
  place: { readonly host: string; readonly port: number },
  networks: Networks,
  timeout: number,
) => Promise<Socket>;

/** Milliseconds for one try. */
export const TRY_TIMEOUT = 15_000;
