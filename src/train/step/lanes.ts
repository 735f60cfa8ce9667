import type { Engine, Session } from '../../runtime/engine.ts';

/** Networks with more weights than this split their operators between threads, not the batch. */
const MOST_WEIGHTS = 1 << 20;

/** In how many lanes gradients of a network with so many weights are computed: all threads where operators are too short to be split. */
export function lanesFor({ device, threads }: Engine, weights: number): number {
  return device === 'cpu' && weights <= MOST_WEIGHTS ? threads : 1;
}

/** Sessions that belong together. */
export interface OpenedTogether {
  /** In the order in which they were asked for. */
  readonly sessions: readonly Session[];
  close(): Promise<void>;
}

/** Waits for sessions that are being opened; where one cannot be, the others are closed. Errors: those of opening. */
export async function openTogether(opening: readonly Promise<Session>[]): Promise<OpenedTogether> {
  const opened = await Promise.allSettled(opening);
  const sessions = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async () => {
    await Promise.all(sessions.map((session) => session.close()));
  };
  const failed = opened.find((result) => result.status === 'rejected');
  if (!failed) return { sessions, close };
  await close();
  throw failed.reason;
}
