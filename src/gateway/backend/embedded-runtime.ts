import { availableParallelism } from 'node:os';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { type LanePool, lanePool } from './lane-pool.ts';
import { type LostThread, type LostThreads, lostThreads } from './lost-threads.ts';
import type { MemoryBound } from './memory-bound.ts';

/** Worker threads with the runtime, shared by all models. */
export interface EmbeddedRuntime {
  readonly engine: Engine;
  readonly pool: LanePool;
  readonly memory: MemoryBound;
  readonly threads: LostThreads;
  /** Hears of what fails in the background. */
  readonly failed: (where: string, thrown: unknown) => void;
  /** Why a thread is gone, and no model that ran there can answer; only a restart helps. */
  broken: string | undefined;
  close(): Promise<void>;
}

/** How {@link startEmbedded} begins. */
export interface RuntimeOptions {
  /** Worker threads; one a core unless given. */
  readonly threads?: number | undefined;
  /** Most threads at a time that are replaced because their run does not end; 2 unless given. */
  readonly mostLost?: number;
  readonly lost?: (lost: LostThread) => void;
  readonly failed?: EmbeddedRuntime['failed'];
  /** Runs graphs; one of its own unless given. */
  readonly engine?: Engine;
}

/** Starts the runtime with `memory` for weights. */
export function startEmbedded(memory: MemoryBound, options: RuntimeOptions = {}): EmbeddedRuntime {
  const { threads = availableParallelism(), mostLost = 2, lost = () => {}, failed = () => {} } = options;
  const engine = options.engine ?? startEngine({ threads });
  const pool = lanePool(threads);
  return {
    ...{ engine, pool, memory, failed },
    threads: lostThreads({ engine, pool }, mostLost, lost),
    broken: undefined,
    close: () => engine.close(new Set([...Array(threads).keys()].filter(pool.isStuck))),
  };
}
