import { crc32, deflateSync } from 'node:zlib';
import { GlacisError } from '../core/error.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** The "sub" filter: a pixel as the difference to its left neighbour, which packs smooth pictures well. */
const SUB = 1;

/** The format's numbers for what pixels of so many bytes are: grey, grey and opacity, colour, colour and opacity. */
const COLOUR_TYPE = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

/** A picture of bytes: `height` rows of `width` pixels of `channels` bytes: grey, or red, green and blue; with opacity one more. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  /** `height × width × channels` values, pixel by pixel. */
  readonly pixels: Uint8Array;
}

/**
 * A picture as a PNG file: 8 bits a channel, not interlaced, no colour profile.
 *
 * @throws GlacisError `data/mismatch` when the sizes do not fit the pixels
 * @see https://www.w3.org/TR/png-3/
 */
export function encodePng({ width, height, channels, pixels }: Picture): Uint8Array {
  const stride = width * channels;
  if (!(width >= 1 && height >= 1) || pixels.length !== stride * height) {
    throw new GlacisError(
      'data/mismatch',
      `png: expected ${width}×${height}×${channels} bytes, got ${pixels.length}`,
    );
  }
  const filtered = new Uint8Array((stride + 1) * height);
  for (let row = 0; row < height; row++) {
    const from = row * stride;
    const to = row * (stride + 1);
    filtered[to] = SUB;
    for (let i = 0; i < stride; i++) {
      filtered[to + 1 + i] = pixels[from + i]! - (i < channels ? 0 : pixels[from + i - channels]!);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = COLOUR_TYPE[channels];
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filtered, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function chunk(type: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8);
  return out;
}

/** The picture as a `data:` address that a page can show without loading anything. */
export function pngAddress(picture: Picture): string {
  return `data:image/png;base64,${Buffer.from(encodePng(picture)).toString('base64')}`;
}
