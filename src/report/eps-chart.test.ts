import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleAssessment, sampleResult } from '../assess/result.fixture.ts';
import { chartLines, chartSection, epsChart, NARROW, spread, WIDE } from './eps-chart.ts';
import { source } from './markup.ts';

/** Reads a drawn coordinate back as [eps, accuracy]. */
function measured(frame: typeof WIDE, most: number, point: string): [number, number] {
  const [x, y] = point.split(',').map(Number) as [number, number];
  const across = frame.width - frame.left - frame.right;
  const down = frame.height - frame.top - frame.bottom;
  return [((x - frame.left) / across) * most, 1 - (y - frame.top) / down];
}

describe('epsChart', () => {
  it.each([
    ['wide', WIDE],
    ['narrow', NARROW],
  ])('draws the points where the values are (%s)', (_, frame) => {
    const assessment = sampleAssessment();
    const svg = source(epsChart(chartLines(assessment, 'linf'), 'linf', frame));
    const lines = [...svg.matchAll(/<polyline class="line" points="([^"]+)"/g)].map((m) =>
      m[1]!.split(' ').map((point) => measured(frame, 0.3, point)),
    );
    // The worst case is drawn first, below the others.
    const expected = [
      assessment.worstCases,
      assessment.results.filter((each) => each.attack === 'fgsm'),
      assessment.results.filter((each) => each.attack === 'pgd'),
    ].map((runs) => [[0, 0.977], ...runs.map((each) => [each.eps, each.robustAccuracy])]);
    expect(lines.length).toBe(3);
    for (const [i, line] of lines.entries()) {
      expect(line.length).toBe(4);
      for (const [k, [eps, value]] of line.entries()) {
        expect(eps).toBeCloseTo(expected[i]![k]![0]!, 3);
        expect(value).toBeCloseTo(expected[i]![k]![1]!, 3);
      }
    }
  });

  it('draws each interval from its low to its high end', () => {
    const assessment = sampleAssessment();
    const svg = source(epsChart(chartLines(assessment, 'linf'), 'linf', WIDE));
    const bars = [...svg.matchAll(/class="whisker" x1="([\d.]+)" x2="\1" y1="([\d.]+)" y2="([\d.]+)"/g)].map(
      (m) => [measured(WIDE, 0.3, `${m[1]},${m[3]}`)[1], measured(WIDE, 0.3, `${m[1]},${m[2]}`)[1]],
    );
    const intervals = [...assessment.worstCases, ...assessment.results].map((each) => each.confidence);
    expect(bars.length).toBe(9);
    for (const [i, bar] of bars.entries()) {
      expect(bar[0]).toBeCloseTo(intervals[i]![0], 2);
      expect(bar[1]).toBeCloseTo(intervals[i]![1], 2);
    }
  });

  it('keeps a line each for the same attack with other options', () => {
    const results = [1, 40].map((steps) =>
      sampleResult('pgd', 0.3, [600, 900, 1000], { options: { steps } }),
    );
    const labels = chartLines(sampleAssessment({ results, worstCases: [] }), 'linf').map(
      (line) => line.label,
    );
    expect(labels).toEqual(['pgd', 'pgd (2)', 'worst case']);
  });

  it('writes finite numbers only, also when the one eps is 0', () => {
    const results = [sampleResult('pgd', 0, [900, 900, 1000])];
    const svg = source(chartSection(sampleAssessment({ results, worstCases: [] }))!);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws one chart for each norm', () => {
    const more = sampleResult('pgd', 2, [1, 2, 3], { norm: 'l2' });
    const section = source(
      chartSection(sampleAssessment({ results: [...sampleAssessment().results, more] }))!,
    );
    expect(section.match(/<figure/g)?.length).toBe(2);
    expect(chartSection(sampleAssessment({ results: [], worstCases: [] }))).toBeNull();
  });
});

describe('spread', () => {
  it('keeps labels apart and inside when there is room', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 15 }), (wanted) => {
        const placed = [...spread(wanted, 17, 0, 300)].sort((a, b) => a - b);
        for (const [i, at] of placed.entries()) {
          expect(at).toBeGreaterThanOrEqual(-1e-9);
          expect(at).toBeLessThanOrEqual(300 + 1e-9);
          if (i > 0) expect(at - placed[i - 1]!).toBeGreaterThanOrEqual(17 - 1e-9);
        }
      }),
    );
  });

  it('leaves labels that are apart where they are', () => {
    expect(spread([200, 10, 100], 17, 0, 300)).toEqual([200, 10, 100]);
  });
});
