import { describe, expect, it } from 'vitest';
import type { CorruptionExamples } from '../assess/corruption/examples.ts';
import { errorsOf, sampleCorruption } from '../assess/corruption/result.fixture.ts';
import { relativeTo } from '../assess/corruption/summarise.ts';
import { corruptionSection } from './corruption-section.ts';
import { CORRUPTION_STYLE } from './corruption-style.ts';
import { HEAT_STEPS } from './heat-style.ts';
import { source } from './markup.ts';

const HOSTILE = `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)>\u202e`;
const page = (...args: Parameters<typeof corruptionSection>) =>
  source(corruptionSection(...args)!).replaceAll('\u00a0', ' ');

function examples(width: number, height: number, channels: 1 | 3): CorruptionExamples {
  const picture = new Float32Array(width * height * channels).fill(0.5);
  const items = [{ corruption: 'fog', pictures: [picture, picture] }];
  return { index: 7, width, height, channels, severities: [1, 5], clean: picture, items };
}

describe('corruptionSection', () => {
  it('shows every error once, the stronger the colour the more', () => {
    const text = page(
      sampleCorruption({
        corruptions: [errorsOf('fog', [0, 0.1, 0.5, 0.9, 1]), errorsOf('snow', [0.2, 0.2, 0.2, 0.2, 0.2])],
      }),
    );
    const row = /<th scope="row">Fog<\/th>(.*?)<\/tr>/.exec(text)![1]!;
    const cells = [...row.matchAll(/<td class="h(\d+) [^>]*>([\d.]+)<\/td>/g)].map((m) => [
      Number(m[1]),
      m[2],
    ]);
    expect(cells).toEqual([
      [0, '0.0'],
      [2, '10.0'],
      [10, '50.0'],
      [18, '90.0'],
      [20, '100.0'],
      [10, '50.0'],
    ]);
    expect(HEAT_STEPS).toBeGreaterThan(9);
    for (let i = 0; i <= HEAT_STEPS; i++) expect(CORRUPTION_STYLE).toContain(`td.h${i}{`);
    expect(text).toContain('<span class="figure lost">35.0 %</span>');
    expect(text).toContain('<span class="figure">8.0 %</span>');
  });

  it('puts corruptions into their families and keeps those that it does not know', () => {
    const text = page(
      sampleCorruption({
        corruptions: [errorsOf('rain', [0, 0, 0, 0, 0]), errorsOf('fog', [0, 0, 0, 0, 0])],
      }),
    );
    expect(text.indexOf('>Weather<')).toBeLessThan(text.indexOf('>Fog<'));
    expect(text.indexOf('>Other<')).toBeLessThan(text.indexOf('>rain<'));
    expect(text).not.toContain('>Blur<');
  });

  it('names the baseline, and says when a model is far worse', () => {
    const half = sampleCorruption({ corruptions: [errorsOf('fog', [0.1, 0.1, 0.1, 0.1, 0.1])] });
    const ours = sampleCorruption({ corruptions: [errorsOf('fog', [0.3, 0.3, 0.3, 0.3, 0.3])] });
    const text = page(relativeTo(ours, half, 'alexnet'));
    expect(text).toContain('errors in units of alexnet');
    expect(text).toContain('<span class="figure">300.0 %</span>');
    expect(text).toContain('<td class="aside">300.0 %</td>');
  });

  it('shows random noise by amount', () => {
    const text = page(sampleCorruption({ corruptions: [] }));
    expect(text).toContain('8/255');
    expect(text).toContain('Uniform, of at most');
    expect(text).not.toContain('mean corruption error');
  });

  it('says what is missing, and is not there without anything to show', () => {
    expect(page(sampleCorruption({ notes: ['stopped early, without fog'] }))).toContain(
      'stopped early, without fog',
    );
    expect(corruptionSection(undefined)).toBeNull();
    expect(corruptionSection(sampleCorruption({ corruptions: [], noises: [] }))).toBeNull();
  });

  it('escapes what comes from outside, and needs no style attribute', () => {
    const result = sampleCorruption({ notes: [HOSTILE], corruptions: [errorsOf(HOSTILE, [0, 0, 0, 0, 0])] });
    const text = page(relativeTo(result, result, HOSTILE), examples(4, 4, 3));
    expect(text).not.toContain('<script');
    expect(text).not.toContain('\u202e');
    expect(text).not.toMatch(/\sstyle=|\son\w+="|href=/);
    for (const [, src] of text.matchAll(/\ssrc="([^"]*)"/g)) expect(src).toMatch(/^data:image\/png;base64,/);
  });

  it('shows the pictures, large ones smaller', () => {
    const small = page(sampleCorruption(), examples(28, 28, 1));
    expect([...small.matchAll(/<img /g)]).toHaveLength(3);
    expect(small).toContain('width="28" height="28" alt="Fog, severity 5"');
    expect(page(sampleCorruption(), examples(200, 100, 3))).toContain('width="66" height="33"');
    const broken = { ...examples(4, 4, 1), clean: new Float32Array(3) };
    expect(() => page(sampleCorruption(), broken)).toThrow(
      expect.objectContaining({ code: 'data/mismatch' }),
    );
  });
});
