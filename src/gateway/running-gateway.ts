import type { Policy } from '../policy/read-policy.ts';
import type { NotLoaded } from './backend/load-version.ts';
import type { Backends } from './backend/open-backends.ts';
import type { ServeConfig } from './config/serve-schema.ts';
import type { Told } from './config-in-force.ts';
import type { Lab } from './console/lab.ts';
import type { KeyDesk } from './identity/keys/key-desk.ts';
import type { ProcessLog } from './observe/process-log.ts';

/** What a gateway is opened from. */
export interface GatewayOptions {
  readonly config: ServeConfig;
  /** The policy of the same file, if it has one. */
  readonly policy?: Policy | undefined;
  /** Where the gateway keeps what is its own: log, store, keys. */
  readonly dataFolder: string;
  /** The file with the gateway's secret; in the data folder without. Gateways that share a store share it. */
  readonly secretFile?: string | undefined;
  /** What relative paths of the configuration start from. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home. */
  readonly home: string;
  /** Reads configuration and policy again, for a reload. */
  readonly reread?: (() => Promise<Told>) | undefined;
  readonly log?: ProcessLog | undefined;
  /** The file of the configuration, where there is one: people see it on the page of policies. */
  readonly file?: string | undefined;
  /** Tries attacks for people on the console; the gateway carries none itself. Closed with the gateway. */
  readonly lab?: Lab | undefined;
}

/** A gateway that serves. */
export interface RunningGateway {
  readonly addresses: { readonly rest: string; readonly grpc?: string; readonly management: string };
  /** Versions that were not admitted, and why. */
  readonly notLoaded: readonly NotLoaded[];
  readonly models: () => ReturnType<Backends['status']>;
  /** Where keys are made. */
  readonly keys: KeyDesk;
  /** Whether this data folder was new: nobody has a key yet. */
  readonly isNew: boolean;
  /** The file that says whom to believe about the log. */
  readonly trustFile: string;
  /** Reads configuration and policies again. Errors: `policy/invalid`, `option/invalid`; then nothing has changed. */
  reload(by: string): Promise<object>;
  /** No new requests; those in work finish; then all is closed. */
  drain(): Promise<void>;
  /** Resolves when all is closed, also by the management side. */
  readonly closed: Promise<void>;
  /** Threads in runs that do not end. While there are any, the process cannot end by itself, not even with `process.exit`. */
  lostThreads(): number;
}
