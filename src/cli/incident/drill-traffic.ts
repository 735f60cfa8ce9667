import { renderSplit } from '../../data/traffic-signs/render.ts';
import type { Ask } from '../signs/ask.ts';

/** A picture that nobody has asked about, in [0, 1], and its class. */
export function picture(seed: number, index: number): { readonly x: Float32Array; readonly label: number } {
  const { x, y } = renderSplit({ seed, split: 'test', n: 1, start: index });
  return { x: Float32Array.from(x, (value) => value / 255), label: y[0]! };
}

/** Each asks about pictures of their own, all at once, so many questions in all. Gives how many were answered. */
export async function calmTraffic(
  asks: readonly Ask[],
  {
    from,
    questions,
    seed,
    asked,
  }: {
    /** The first picture. */
    readonly from: number;
    readonly questions: number;
    readonly seed: number;
    readonly asked: (done: number) => void;
  },
): Promise<number> {
  let [next, answered] = [from, 0];
  await Promise.all(
    asks.map(async (ask) => {
      for (let i = next++; i < from + questions; i = next++) {
        const { scores } = await ask(picture(seed, i).x, 1);
        if (scores !== undefined) answered++;
        asked(answered);
      }
    }),
  );
  return answered;
}
