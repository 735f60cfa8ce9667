import { describe, expect, it } from 'vitest';
import { generalisationOf } from '../assess/generalisation/generalisation.ts';
import { generalisationSection, generalisationSummary } from './generalisation-section.ts';
import { source } from './markup.ts';

/** Two classes: a share of `right` answers, all with one margin. */
function scored(right: number, margin: number) {
  const labels = Int32Array.from({ length: 100 }, (_, i) => i % 2);
  const logits = new Float32Array(200);
  for (const [i, label] of labels.entries())
    logits[2 * i + (i % 10 < 10 * right ? label : 1 - label)] = margin;
  return { logits, labels, classes: 2 };
}

describe('the section on training data', () => {
  it('shows both sides and the gap', () => {
    const found = generalisationOf(scored(1, 8), scored(0.7, 2));
    const page = source(generalisationSection(found)!);
    expect(page).toContain('a gap of 30.0 points (95 % interval');
    expect(page).toMatch(/accuracy<\/th><td class="num">100\u00a0%.*70\.0\u00a0%/);
    expect(page).toContain('tells them apart');
  });

  it('says where nothing is told apart, and is absent without training data', () => {
    expect(generalisationSummary(generalisationOf(scored(0.8, 3), scored(0.8, 3)))).toContain(
      'does not tell them apart',
    );
    expect(generalisationSection(undefined)).toBeNull();
  });
});
