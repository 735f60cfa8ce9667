import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import { FACE_SIZE, faceOf } from './face.ts';
import { renderSign, renderSplit, SIGN_CLASSES, SIGN_SHAPE } from './render.ts';

const PIXELS = SIGN_SHAPE[0] * SIGN_SHAPE[1] * SIGN_SHAPE[2];

describe('renderSplit', () => {
  it('gives the published bytes', () => {
    const digest = createHash('sha256');
    for (const split of ['train', 'test'] as const) {
      const { x, y } = renderSplit({ seed: 1, split, n: 256 });
      digest.update(x).update(y);
    }
    expect(digest.digest('hex')).toBe('678e5f8b43fac88c5d7f7f10d95e42ce3ded57603b937d70bdf6759d60eb23ea');
  });

  it('gives the same samples in parts as at once', () => {
    const whole = renderSplit({ seed: 3, split: 'test', n: 20 });
    const part = renderSplit({ seed: 3, split: 'test', start: 10, n: 5 });
    expect(part.x).toEqual(whole.x.slice(10 * PIXELS, 15 * PIXELS));
    expect(part.y).toEqual(whole.y.slice(10, 15));
  });

  it('draws other samples for another seed, split or index', () => {
    const first = renderSplit({ seed: 1, split: 'train', n: 16 });
    expect(renderSplit({ seed: 2, split: 'train', n: 16 }).x).not.toEqual(first.x);
    expect(renderSplit({ seed: 1, split: 'test', n: 16 }).x).not.toEqual(first.x);
    expect(renderSplit({ seed: 1, split: 'train', n: 16, start: 16 }).x).not.toEqual(first.x);
  });

  it('holds every class once in each sixteen, in varying order', () => {
    const { y } = renderSplit({ seed: 1, split: 'train', n: 64 });
    const orders = [0, 16, 32, 48].map((from) => [...y.slice(from, from + 16)]);
    for (const order of orders) {
      expect([...order].sort((a, b) => a - b)).toEqual(SIGN_CLASSES.map((_, i) => i));
    }
    expect(new Set(orders.map(String)).size).toBe(4);
  });

  it('varies in brightness and never repeats a picture', () => {
    const n = 128;
    const { x } = renderSplit({ seed: 1, split: 'train', n });
    const pictures = Array.from({ length: n }, (_, i) => x.subarray(i * PIXELS, (i + 1) * PIXELS));
    const means = pictures.map((picture) => picture.reduce((sum, value) => sum + value, 0) / PIXELS);
    expect(Math.min(...means)).toBeLessThan(50);
    expect(Math.max(...means)).toBeGreaterThan(150);
    expect(new Set(pictures.map((picture) => createHash('sha256').update(picture).digest('hex'))).size).toBe(
      n,
    );
    for (const picture of pictures) expect(new Set(picture).size).toBeGreaterThan(8);
  });

  it('renders nothing when asked for nothing', () => {
    expect(renderSplit({ seed: 1, split: 'test', n: 0 })).toEqual({
      x: new Uint8Array(0),
      y: new Uint8Array(0),
    });
  });

  it.each([
    ['seed', { seed: Number.NaN }],
    ['split', { split: 'validation' as 'test' }],
    ['n', { n: -1 }],
    ['n', { n: 1.5 }],
    ['start', { start: -16 }],
  ])('refuses a wrong %s', (option, wrong) => {
    const call = () => renderSplit({ seed: 1, split: 'test', n: 1, ...wrong });
    expect(call).toThrow(GlacisError);
    expect(call).toThrow(`renderSplit ${option}: expected`);
  });
});

describe('renderSign', () => {
  it('draws the class it is asked for: the same scene differs by the sign alone', () => {
    const [stop, yields] = [7, 8].map((label) => renderSign(label, randomFrom(5, 'one scene')));
    const same = stop!.filter((value, i) => value === yields![i]).length;
    expect(stop).toHaveLength(PIXELS);
    expect(same).toBeGreaterThan(0.1 * PIXELS);
    expect(same).toBeLessThan(0.9 * PIXELS);
  });

  it.each([-1, 16, 0.5, Number.NaN])('refuses class %s', (label) => {
    expect(() => renderSign(label, randomFrom(1, 'any'))).toThrow(
      'renderSign: expected a class from 0 to 15',
    );
  });
});

describe('the signs', () => {
  it('have distinct ids and names', () => {
    expect(SIGN_CLASSES).toHaveLength(16);
    expect(new Set(SIGN_CLASSES.map(({ id }) => id)).size).toBe(16);
    expect(new Set(SIGN_CLASSES.map(({ name }) => name)).size).toBe(16);
  });

  it('look different from each other and leave the corners of their face clear', () => {
    const faces = SIGN_CLASSES.map((_, label) => faceOf(label));
    for (const [label, face] of faces.entries()) {
      expect([...face.slice(0, 4)]).toEqual([0, 0, 0, 0]);
      for (const other of faces.slice(0, label)) {
        const apart = face.reduce((sum, value, i) => sum + Math.abs(value - other[i]!), 0);
        expect(apart / (FACE_SIZE * FACE_SIZE)).toBeGreaterThan(0.02);
      }
    }
  });
});
