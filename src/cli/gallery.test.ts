import { describe, expect, it } from 'vitest';
import type { Assessed } from '../assess/assess.ts';
import { sampleAssessment } from '../assess/result.fixture.ts';
import { galleryFrom } from './gallery.ts';

/** Examples of `attacks` on samples 0, 1, … each. */
function assessed(attacks: readonly string[], each: number): Assessed {
  const answer = { class: 1, confidence: 0.9 };
  const pixels = new Float32Array(64);
  return {
    assessment: sampleAssessment(),
    sampleDims: [1, 8, 8],
    bounds: [0, 1],
    examples: attacks.flatMap((attack) =>
      Array.from({ length: each }, (_, index) => ({
        ...{
          index,
          label: 0,
          before: answer,
          after: answer,
          clean: pixels,
          adversarial: pixels,
          eps: 0.1,
          attack,
        },
      })),
    ),
  };
}

describe('the pictures of a report', () => {
  const shown = (attacks: readonly string[], each: number) =>
    galleryFrom(assessed(attacks, each))!.items.map(({ attack, index }) => `${attack} ${index}`);

  it('show other samples for each attack, as long as there are others', () => {
    expect(shown(['a', 'b'], 6)).toEqual(['a 0', 'a 2', 'a 4', 'b 1', 'b 3', 'b 5']);
    expect(shown(['a', 'b'], 2)).toEqual(['a 0', 'a 1', 'b 0', 'b 1']);
  });

  it('are few, and of every attack', () => {
    const many = shown(['a', 'b', 'c', 'd', 'e'], 6);
    expect(many).toHaveLength(12);
    expect(new Set(many.map((each) => each[0])).size).toBe(5);
    expect(galleryFrom(assessed([], 0))).toBeUndefined();
  });
});
