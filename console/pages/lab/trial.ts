import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LabRun } from '../../../src/gateway/console/api.ts';
import { ask, tell } from '../../data/ask.ts';

/** What a person wants tried. */
export interface Wish {
  readonly model: string;
  readonly version: string;
  readonly attack: string;
  readonly norm: string;
  readonly eps: number;
  readonly input?: string | undefined;
  readonly values?: readonly number[] | undefined;
  /** The id of a logged call; `sample` of it is tried. */
  readonly decision?: string | undefined;
  readonly sample?: number | undefined;
  readonly label: number;
  readonly integrated: boolean;
}

/** A trial, and what to do with it. */
export interface Trial {
  readonly run: LabRun | undefined;
  readonly problem: string | undefined;
  readonly isRunning: boolean;
  start(wish: Wish): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds between two looks at a trial. */
const LOOK = 250;

/** The trial of this page: one at a time; a new one ends the one before. */
export function useTrial(): Trial {
  const [run, setRun] = useState<LabRun | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const latest = useRef<string | undefined>(undefined);
  const isRunning = run?.state === 'running';
  useEffect(() => {
    if (!isRunning) return;
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      try {
        const next = await ask<LabRun>(`/api/lab/${encodeURIComponent(run.id)}`, leaving.signal);
        if (latest.current !== run.id) return;
        if (next.state === 'failed') setProblem(next.because);
        setRun(next);
        if (next.state === 'running') timer = setTimeout(look, LOOK);
      } catch (thrown) {
        if (leaving.signal.aborted) return;
        setProblem(thrown instanceof Error ? thrown.message : String(thrown));
        setRun((before) => before && { ...before, state: 'failed' });
      }
    };
    timer = setTimeout(look, LOOK);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [run?.id, isRunning]);
  const end = useCallback(async (): Promise<void> => {
    const id = latest.current;
    latest.current = undefined;
    if (id !== undefined) await tell(`/api/lab/${encodeURIComponent(id)}`, {}, 'DELETE').catch(() => {});
  }, []);
  // Whoever leaves the page wants no answer.
  useEffect(() => () => void end(), []);
  return {
    run,
    problem,
    isRunning,
    async start(wish) {
      setProblem(undefined);
      await end();
      const begun = await tell<LabRun>('/api/lab', wish);
      latest.current = begun.id;
      setRun(begun);
    },
    async stop() {
      await end();
      setRun(undefined);
    },
  };
}
