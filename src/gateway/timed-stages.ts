import type { CallTrace } from './call-trace.ts';
import type { Stage, Stages } from './stages.ts';

/** Times a stage of a call. */
export type Timed = <T>(
  trace: Pick<CallTrace, 'span'>,
  stage: Stage,
  work: () => Promise<T> | T,
) => Promise<T> | T;

/** What needs no waiting comes back as it is: a promise for each of eight stages would cost more than most of them. */
export function timedStages({ observer, clock }: Pick<Stages, 'observer' | 'clock'>): Timed {
  return ({ span }, stage, work) => {
    const start = clock();
    const end = () => {
      const now = clock();
      observer.stage(stage, now - start);
      span?.stage(stage, start, now);
    };
    let done: ReturnType<typeof work>;
    try {
      done = work();
    } catch (thrown) {
      end();
      throw thrown;
    }
    // Not `finally`, which makes three promises more.
    if (done instanceof Promise)
      return done.then(
        (value) => {
          end();
          return value;
        },
        (thrown: unknown) => {
          end();
          throw thrown;
        },
      );
    end();
    return done;
  };
}
