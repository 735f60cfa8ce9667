import { type Logger, type LoggerOptions, pino } from 'pino';
import { GlacisError } from '../../core/error.ts';

/** How the process speaks about itself. */
export interface ProcessLogOptions {
  /** `info` unless given. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
  /** Where lines go; standard error unless given, because standard output belongs to the command. */
  readonly write?: ((line: string) => void) | undefined;
}

/** The log of the process: what it does and what goes wrong, as JSON lines. Decisions are not in it; they are in the ledger. */
export interface ProcessLog {
  info(what: string, about?: Readonly<Record<string, unknown>>): void;
  warn(what: string, about?: Readonly<Record<string, unknown>>): void;
  failed(where: string, thrown: unknown): void;
}

/** Fields that are never written, wherever they stand in what is logged. */
const SECRET = ['authorization', 'secret', 'key', 'password', 'token', 'cookie', 'inputs', 'outputs', 'data'];

/** Opens it. An error is written with its code and message, not with its cause: causes come from libraries that may quote what they were given. */
export function openProcessLog({ level = 'info', write }: ProcessLogOptions = {}): ProcessLog {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), remove: true },
  };
  const logger: Logger = pino(options, write ? { write } : pino.destination({ dest: 2, sync: false }));
  return {
    info: (what, about = {}) => logger.info(about, what),
    warn: (what, about = {}) => logger.warn(about, what),
    failed(where, thrown) {
      const code = thrown instanceof GlacisError ? thrown.code : undefined;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      logger.error({ where, code, message }, 'failed');
    },
  };
}
