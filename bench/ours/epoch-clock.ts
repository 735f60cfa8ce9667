import { clock, line } from './lines.ts';

/** Takes the number of each step that ends, from 1 over all epochs, and prints what each epoch but the first took after its first step. */
export function epochClock(steps: number): (step: number) => void {
  let before = clock();
  return (step) => {
    const within = ((step - 1) % steps) + 1;
    if (within === 1) before = clock();
    if (within !== steps) return;
    const after = clock();
    const index = step / steps - 2;
    // The first epoch holds what happens once.
    if (index >= 0) line('repeat', { index, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
  };
}
