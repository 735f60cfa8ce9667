import type { Engine } from '../../runtime/engine.ts';
import type { RunFor } from '../served-model.ts';
import type { LanePool } from './lane-pool.ts';

/** A thread that is in a run which took too long. */
export interface LostThread {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  /** Milliseconds that the run was given. */
  readonly timeout: number;
  /** Threads that are lost now, this one included. */
  readonly lost: number;
  /** Most that are replaced. */
  readonly most: number;
  /** Whether a fresh thread took its place: for the first {@link LostThread.most}. */
  readonly isReplaced: boolean;
  /** Whose calls were in the run: one of them is what it does not end for. Nobody's where it was a question of the gateway's own. */
  readonly by: readonly RunFor[];
}

/** Somebody with sessions on the lanes. */
export interface LaneUser {
  /** A lane has a fresh thread: sessions on it are gone. `ended`: when the old thread ended after all, and what it held is free. */
  lost(lane: number, ended: Promise<void>): void;
}

/** Replaces threads that do not come back. */
export interface LostThreads {
  /** Threads that are lost now. */
  readonly count: number;
  /** A run on a lane takes too long: gives it a fresh thread, or says that there is none left to give. */
  lose(lane: number, about: Pick<LostThread, 'model' | 'version' | 'digest' | 'timeout' | 'by'>): void;
  /** Tells a user of the lanes from now on; the function that it gives ends that. */
  tell(user: LaneUser): () => void;
}

/**
 * A run of the runtime cannot be ended without the process, and a lost one keeps a core busy for as long as it likes. So `most` lanes at a time get a fresh thread, and after that a lost lane stays lost: its models refuse. A
 * thread that ends after all makes room again.
 */
export function lostThreads(
  { engine, pool }: { readonly engine: Engine; readonly pool: LanePool },
  most: number,
  heard: (lost: LostThread) => void,
): LostThreads {
  const users = new Set<LaneUser>();
  let replaced = 0;
  return {
    get count() {
      return replaced + pool.stuck;
    },
    lose(lane, about) {
      const isReplaced = replaced < most;
      heard({ ...about, lost: replaced + pool.stuck, most, isReplaced });
      if (!isReplaced) return;
      replaced++;
      const ended = engine.replaceLane(lane).then(() => {
        replaced--;
      });
      pool.replace(lane);
      for (const user of users) user.lost(lane, ended);
    },
    tell(user) {
      users.add(user);
      return () => void users.delete(user);
    },
  };
}

/** What happened, for the operator. */
export function lostText({ model, version, timeout, lost, most, isReplaced }: LostThread): string {
  const what = `${model} ${version}: a run took more than ${timeout} ms and cannot be ended; its thread keeps a core busy (${lost} lost)`;
  return isReplaced
    ? `${what}; a fresh thread took its place`
    : `${what}; ${most} were replaced already, so this one is not: only a restart gives it back`;
}
