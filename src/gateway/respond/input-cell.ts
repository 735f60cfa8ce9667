import { randomFrom } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { keyedHash } from './keyed-hash.ts';

/** Pictures are looked at as this many times as many patches. */
const GRID = 4;
const PROJECTIONS = 8;
/** Width of a cell along a projection, of the length of the sample, which is 1. */
const WIDTH = 0.4;
/** Significant digits of the elements of samples that are no pictures. */
const DIGITS = 2;

/** Gives each sample the cell it lies in, as bytes: near-identical samples lie in one cell, except near its walls. */
export type CellOf = (inputs: Float32Array, row: number) => Uint8Array;

/**
 * Cells of samples of shape `sampleDims`, where `secret` places the walls. Pictures (`[H, W]`, `[C, H, W]`, `[H, W, C]`, at least
 * 4 × 4): brightness of 4 × 4 patches, its mean taken out and its length made 1, so that light and contrast do not matter; then
 * eight random projections, cut into intervals of width 0.4 with a random start (E2LSH: Datar et al. 2004, "Locality-sensitive
 * hashing scheme based on p-stable distributions"). Anything else: each element to two significant digits. How often a cell
 * survives noise: docs/answers.md. Cost: a pass over the sample.
 */
export function cellsOf(sampleDims: readonly number[], secret: Uint8Array): CellOf {
  const size = elementCount(sampleDims);
  const picture = pictureOf(sampleDims);
  if (picture === undefined) {
    return (inputs, row) => {
      const text: string[] = [];
      for (let i = row * size; i < (row + 1) * size; i++) text.push(inputs[i]!.toPrecision(DIGITS));
      return Buffer.from(text.join());
    };
  }
  const seed = keyedHash(secret, 'glacis cells v1')(new Uint8Array(0));
  const rng = randomFrom(seed.readUIntBE(0, 6), seed.toString('hex'));
  const patches = GRID * GRID;
  const directions = Float64Array.from({ length: PROJECTIONS * patches }, () => rng.normal());
  const starts = Float64Array.from({ length: PROJECTIONS }, () => rng.uniform());
  const patchOf = patchTable(picture, size);
  const perPatch = new Float64Array(patches);
  for (const patch of patchOf) perPatch[patch]!++;
  const brightness = new Float64Array(patches);
  return (inputs, row) => {
    brightness.fill(0);
    for (let i = 0, at = row * size; i < size; i++) brightness[patchOf[i]!]! += inputs[at + i]!;
    let mean = 0;
    for (let p = 0; p < patches; p++) {
      brightness[p]! /= perPatch[p]!;
      mean += brightness[p]! / patches;
    }
    let square = 0;
    for (let p = 0; p < patches; p++) {
      brightness[p]! -= mean;
      square += brightness[p]! ** 2;
    }
    const length = Math.sqrt(square) || 1;
    const cell = new Int8Array(PROJECTIONS);
    for (let j = 0; j < PROJECTIONS; j++) {
      let along = 0;
      for (let p = 0; p < patches; p++) along += directions[j * patches + p]! * brightness[p]!;
      cell[j] = Math.max(-128, Math.min(127, Math.floor(along / length / WIDTH + starts[j]!)));
    }
    return new Uint8Array(cell.buffer);
  };
}

interface Picture {
  readonly height: number;
  readonly width: number;
  /** Whether channels are last. */
  readonly last: number;
}

function pictureOf(dims: readonly number[]): Picture | undefined {
  const [a = 0, b = 0, c = 0] = dims;
  const picture =
    dims.length === 2
      ? { height: a, width: b, last: 1 }
      : dims.length !== 3
        ? undefined
        : c <= 4 && a > 4
          ? { height: a, width: b, last: c }
          : { height: b, width: c, last: 1 };
  return picture !== undefined && picture.height >= GRID && picture.width >= GRID ? picture : undefined;
}

/** The patch of each element. */
function patchTable({ height, width, last }: Picture, size: number): Uint8Array {
  const area = height * width;
  return Uint8Array.from({ length: size }, (_, i) => {
    const pixel = last > 1 ? Math.floor(i / last) : i % area;
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    return Math.floor((y * GRID) / height) * GRID + Math.floor((x * GRID) / width);
  });
}
