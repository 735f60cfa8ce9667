import { Refused } from '../refusal.ts';
import type { Job, Piece } from './job.ts';

/** Requests that wait for a run, the oldest first. */
export interface JobQueue {
  readonly first: Job | undefined;
  /** Rows that wait, and bytes of the inputs that they belong to. */
  readonly rows: number;
  readonly bytes: number;
  add(job: Job): void;
  /** Takes up to `most` rows of the oldest and, unless it runs `alone`, of those that fit to it. A request longer than that is cut; others go as a whole. */
  take(most: number, alone: boolean): readonly Piece[];
  /** Leaves out who has gone or is late, and looks again when the next deadline passes. */
  sweep(): void;
  /** Lets go of what still waits of a job. */
  drop(job: Job): void;
  /** Lets go of all, and gives them. */
  empty(): readonly Job[];
  close(): void;
}

/** An empty one. `refuse` hears of those who are late; `clock` gives milliseconds and only goes forward. */
export function openJobQueue(clock: () => number, refuse: (job: Job, refused: Refused) => void): JobQueue {
  let jobs: Job[] = [];
  let rows = 0;
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let sweepAt = Number.POSITIVE_INFINITY;

  const leave = (job: Job): void => {
    rows -= job.options.n - job.taken;
    bytes -= job.bytes;
    job.taken = job.options.n;
  };
  const sweep = (): void => {
    const now = clock();
    let next = Number.POSITIVE_INFINITY;
    jobs = jobs.filter((job) => {
      const because = job.over ? 'over' : lateness(job, now);
      if (because === undefined) {
        next = Math.min(next, job.options.deadline ?? Number.POSITIVE_INFINITY);
        return true;
      }
      leave(job);
      refuse(job, new Refused('late', because));
      return false;
    });
    watch(next, now);
  };
  const watch = (deadline: number, now: number): void => {
    if (deadline >= sweepAt) return;
    clearTimeout(timer);
    sweepAt = deadline;
    timer = setTimeout(
      () => {
        sweepAt = Number.POSITIVE_INFINITY;
        sweep();
      },
      Math.min(2 ** 31 - 1, Math.max(1, Math.ceil(deadline - now))),
    );
    timer.unref();
  };

  return {
    get first() {
      return jobs[0];
    },
    get rows() {
      return rows;
    },
    get bytes() {
      return bytes;
    },
    add(job) {
      rows += job.options.n;
      bytes += job.bytes;
      jobs.push(job);
      if (job.options.deadline !== undefined) watch(job.options.deadline, job.came);
    },
    take(most, alone) {
      const pieces: Piece[] = [];
      let taken = 0;
      for (const job of jobs) {
        if (taken > 0 && alone) break;
        if (job.kind !== jobs[0]!.kind) continue;
        const left = job.options.n - job.taken;
        const count = taken === 0 ? Math.min(left, most) : left;
        if (taken + count > most) continue;
        const piece: Piece = { job, from: job.taken, rows: count };
        pieces.push(piece);
        job.pieces.push(piece);
        taken += count;
        job.taken += count;
        rows -= count;
        if (job.taken === job.options.n) bytes -= job.bytes;
        if (taken === most) break;
      }
      jobs = jobs.filter((job) => job.taken < job.options.n);
      return pieces;
    },
    sweep,
    drop(job) {
      if (job.taken === job.options.n) return;
      leave(job);
      jobs = jobs.filter((each) => each !== job);
    },
    empty() {
      const all = jobs;
      jobs = [];
      for (const job of all) leave(job);
      return all;
    },
    close: () => clearTimeout(timer),
  };
}

function lateness({ options: { signal, deadline } }: Job, now: number): string | undefined {
  if (signal.aborted) return 'the caller has gone';
  return deadline !== undefined && now > deadline ? 'its deadline passed while it waited' : undefined;
}
