import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import sharp from 'sharp';
import { throwIfCancelled } from '../core/cancel.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { digestOfParts } from './byte-source.ts';
import type { DataOptions, Dataset } from './dataset.ts';
import { requireRows } from './stored-array.ts';

const EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff', '.avif']);
/** What sharp may find in the bytes; a file is judged by its content, so that e.g. an SVG named `.png` is refused. */
const FORMATS = new Set(['png', 'jpeg', 'webp', 'gif', 'tiff', 'heif']);
const MAX_PIXELS = 1 << 26;
const MAX_FILE = 1 << 28;
const MAX_FILES = 5_000_000;
/** Images that are decoded at the same time. */
const AT_ONCE = 4;

interface ImageFile {
  /** Path inside the folder with `/` between, e.g. `cat/01.png`. */
  readonly name: string;
  readonly path: string;
  readonly label: number;
}

/**
 * Opens a folder that holds one folder of images for each class. The images are decoded when they are read, to 8 bits,
 * `[height, width, channels]`; transparency is dropped, orientation tags are not applied (as torchvision's ImageFolder).
 * All must have one size unless `imageSize` resizes them.
 *
 * Symbolic links are followed only to places inside the folder. Images over 64 megapixels or 256 MiB are refused.
 * Errors: `data/unreadable` (no classes, no images, a link that leads out, a damaged image), `data/mismatch` (sizes or
 * channels differ), `option/invalid` (`classes` and the folders differ), `run/cancelled`.
 */
export async function openImageFolder(folder: string, options: DataOptions): Promise<Dataset> {
  const { signal } = options;
  try {
    const listing = await listImages(folder, options);
    const { files, classes, notes } = listing;
    const parts: { name: string; digest: string }[] = [];
    for (const file of files) {
      throwIfCancelled(signal, folder);
      parts.push({
        name: file.name,
        digest: createHash('sha256')
          .update(await readBounded(file))
          .digest('hex'),
      });
    }
    const digests = parts.map(({ digest }) => digest);
    const { shape } = await decode(files[0]!, options, undefined);
    const size = shape[0] * shape[1] * shape[2];
    return {
      n: files.length,
      sampleShape: shape,
      dtype: 'uint8',
      layout: 'hwc',
      classes,
      labels: Int32Array.from(files, ({ label }) => label),
      digest: digestOfParts(parts),
      describe: `${files.length} images as uint8 [${shape.join(', ')}] from a folder, ${classes.length} classes`,
      notes: options.imageSize
        ? [...notes, `images resized to ${shape[0]}×${shape[1]} pixels (Lanczos 3)`]
        : notes,
      async read(start, count, readSignal) {
        requireRows(start, count, files.length, folder);
        const out = new Uint8Array(count * size);
        const one = async (i: number) => {
          const image = await decode(files[start + i]!, options, { shape, digest: digests[start + i]! });
          out.set(image.pixels, i * size);
        };
        for (let i = 0; i < count; i += AT_ONCE) {
          throwIfCancelled(readSignal, folder);
          await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) => one(i + k)));
        }
        return out;
      },
      close: async () => {},
    };
  } catch (error) {
    throw asGlacisError(error, 'data/unreadable', folder);
  }
}

async function listImages(folder: string, options: DataOptions) {
  const root = await realpath(folder);
  const entries = (await readdir(root)).filter((name) => !name.startsWith('.')).sort();
  const found: string[] = [];
  let ignored = 0;
  for (const name of entries) {
    const place = await inside(root, join(root, name));
    if ((await stat(place)).isDirectory()) found.push(name);
    else ignored++;
  }
  const classes = options.classes ?? found;
  if (found.length === 0)
    throw new GlacisError('data/unreadable', `${folder}: expected one folder for each class, got none`);
  if (options.classes && [...options.classes].sort().join('\0') !== found.join('\0')) {
    throw new GlacisError(
      'option/invalid',
      `${folder}: expected classes to name the ${found.length} folders there, each once`,
    );
  }
  const files: ImageFile[] = [];
  for (const [label, name] of classes.entries()) {
    for (const file of (await readdir(join(root, name))).sort()) {
      throwIfCancelled(options.signal, folder);
      if (file.startsWith('.')) continue;
      const path = await inside(root, join(root, name, file));
      const kind = await stat(path);
      if (kind.isDirectory())
        throw new GlacisError('data/unreadable', `${name}/${file}: expected an image, got a folder`);
      if (!kind.isFile() || !EXTENSIONS.has(extname(file).toLowerCase())) ignored++;
      else files.push({ name: `${name}/${file}`, path, label });
      if (files.length > MAX_FILES)
        throw new GlacisError('data/too-large', `${folder}: expected at most ${MAX_FILES} images, got more`);
    }
  }
  if (files.length === 0)
    throw new GlacisError(
      'data/unreadable',
      `${folder}: expected images (${[...EXTENSIONS].join(', ')}), got none`,
    );
  return { files, classes, notes: listingNotes(classes, files, ignored, options.classes !== undefined) };
}

function listingNotes(
  classes: readonly string[],
  files: readonly ImageFile[],
  ignored: number,
  given: boolean,
): string[] {
  const notes: string[] = [];
  const numeric = classes.every((name) => /^\d+$/.test(name));
  const asText = numeric && classes.some((name, i) => i > 0 && Number(name) < Number(classes[i - 1]));
  if (!given && asText) {
    notes.push(
      `class folders are numbered in text order (${classes.slice(0, 4).join(', ')}, …), as torchvision does; classes gives another order`,
    );
  } else if (!given) notes.push('class folders are numbered in sorted order');
  const filled = new Set(files.map(({ label }) => label));
  const empty = classes.filter((_, label) => !filled.has(label));
  if (empty.length > 0) notes.push(`${empty.length} class folders hold no image`);
  if (ignored > 0) notes.push(`${ignored} files that are no images were left out`);
  return notes;
}

/** The real place of `path`, which must lie in `root`: links may not lead out of the data set. */
async function inside(root: string, path: string): Promise<string> {
  const real = await realpath(path);
  if (real === path || real.startsWith(root + sep)) return real;
  throw new GlacisError(
    'data/unreadable',
    `${path.slice(root.length + 1)}: expected a place inside the folder, got a link that leads out`,
  );
}

async function readBounded(file: ImageFile): Promise<Buffer> {
  const { size } = await stat(file.path);
  if (size > MAX_FILE)
    throw new GlacisError('data/too-large', `${file.name}: expected at most ${MAX_FILE} bytes, got ${size}`);
  return readFile(file.path);
}

/**
 * One picture as grey values 0 to 255, `[height, width]`. Errors: `data/unreadable` (also for colour and for more than 8 bits),
 * `data/too-large`.
 */
export async function readGreyImage(
  path: string,
): Promise<{ readonly values: Uint8Array; readonly shape: readonly [number, number] }> {
  const { pixels, shape } = await decode({ name: path, path, label: 0 }, { channels: 1 }, undefined);
  return { values: pixels, shape: [shape[0], shape[1]] };
}

interface Expected {
  readonly shape: readonly number[];
  readonly digest: string;
}

/** Decodes one image; what is decoded must be what was hashed when the folder was opened. */
async function decode(file: ImageFile, options: DataOptions, expected: Expected | undefined) {
  const bytes = await readBounded(file);
  if (expected && createHash('sha256').update(bytes).digest('hex') !== expected.digest) {
    throw new GlacisError('data/unreadable', `${file.name}: the image changed after the data set was opened`);
  }
  let image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
  const meta = await image.metadata().catch((error: unknown) => {
    throw new GlacisError(
      'data/unreadable',
      `${file.name}: expected an image, got bytes that cannot be decoded`,
      { cause: error },
    );
  });
  if (!FORMATS.has(meta.format ?? '') || meta.depth !== 'uchar') {
    const got = FORMATS.has(meta.format ?? '') ? `${meta.depth} samples` : `${meta.format}`;
    throw new GlacisError(
      'data/unreadable',
      `${file.name}: expected a PNG, JPEG, WebP, GIF, TIFF or AVIF of 8 bits a channel, got ${got}`,
    );
  }
  const grey = meta.channels <= 2;
  const channels = expected?.shape[2] ?? options.channels ?? (grey ? 1 : 3);
  if (channels === 1 && !grey && options.channels === undefined) {
    throw new GlacisError(
      'data/mismatch',
      `${file.name}: expected a grey image as the first one, got colour; set channels to 1 or 3`,
    );
  }
  if (options.imageSize) {
    const [height, width] = options.imageSize;
    image = image.resize({ width, height, fit: 'fill', kernel: 'lanczos3' });
  }
  const { data, info } = await image
    .removeAlpha()
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new GlacisError('data/unreadable', `${file.name}: the image is damaged`, { cause: error });
    });
  const shape: [number, number, number] = [info.height, info.width, info.channels];
  const wanted = expected?.shape ?? [info.height, info.width, channels];
  if (shape.join() !== wanted.join()) {
    throw new GlacisError(
      'data/mismatch',
      `${file.name}: expected [${wanted.join(', ')}] as the first image, got [${shape.join(', ')}]; set imageSize to resize all`,
    );
  }
  return { pixels: data, shape };
}
