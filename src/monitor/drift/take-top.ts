import { callerOf } from './rows.ts';
import type { WindowedSubject } from './windowed-subject.ts';

/** Hands over one number of each answered sample: its likeliest class, or that class's score. */
export function takeTop(part: 'class' | 'score'): NonNullable<WindowedSubject['take']> {
  const index = part === 'class' ? 0 : 1;
  const one = new Float32Array(1);
  return (sighting, offer) => {
    const { top } = sighting;
    if (top === undefined || sighting.outcome !== 'answered') return;
    const caller = callerOf(sighting);
    for (let i = 0; i < top.length; i++) {
      one[0] = top[i]![index];
      offer(one, 0, caller, sighting.id, sighting.at);
    }
  };
}
