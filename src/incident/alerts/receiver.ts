import type { Channel } from './channel.ts';
import type { AlertsConfig, ChannelConfig } from './config-schema.ts';
import { type ChannelSurroundings, openChannel } from './open-channel.ts';

/** Somebody who is told, and how it went lately. */
export interface Receiver {
  readonly config: ChannelConfig;
  readonly channel: Channel;
  /** Tries in a row that found it not taking anything. */
  failures: number;
  failingSince: number | undefined;
  because: string | undefined;
  /** Left alone until then. */
  pausedUntil: number;
}

/** Pauses after failures: doubled from the first to the longest, less up to half by chance. */
const FIRST_PAUSE = 5000;
const LONGEST_PAUSE = 600_000;
/** A receiver that has failed so long is a problem of the service. */
const PROBLEM_AFTER = 300_000;

/** Opens all receivers of a configuration, by name. Errors: `option/invalid`. */
export async function openReceivers(
  { channels }: AlertsConfig,
  given: ChannelSurroundings,
): Promise<Map<string, Receiver>> {
  const opened = await Promise.all(
    channels.map(async (config) => ({
      config,
      channel: await openChannel(config, given),
      failures: 0,
      failingSince: undefined,
      because: undefined,
      pausedUntil: 0,
    })),
  );
  return new Map(opened.map((each) => [each.config.name, each]));
}

/** For how long a receiver is left alone after so many failures; whole milliseconds, `chance` in [0, 1). */
export function pauseAfter(failures: number, chance: number): number {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 20));
  return Math.ceil(pause * (0.5 + chance / 2));
}

/** Which receivers have taken nothing for a while, and why; undefined where all do. */
export function problemOf(receivers: Iterable<Receiver>, now: number): string | undefined {
  const failing = [...receivers].filter(
    ({ failingSince }) => failingSince !== undefined && now - failingSince >= PROBLEM_AFTER,
  );
  return failing.length === 0
    ? undefined
    : failing.map(({ config, because }) => `${config.name}: ${because}`).join('; ');
}
