import { GlacisError } from '../../core/error.ts';

const BLOCK = 512;
/** Bytes that eleven octal digits hold; larger sizes are written in base 256, as GNU and pax readers know it. */
const MOST_OCTAL = 8 ** 11;
/** Bytes of a path: 100 in the name and 155 in the prefix (POSIX ustar). */
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** A file of an archive. */
export interface TarFile {
  readonly path: string;
  readonly size: number;
}

/**
 * The header of a plain file (POSIX.1 ustar). Owner, rights and time are always the same, so that the same files give the same archive.
 * Errors: `option/invalid` for a path that does not fit.
 */
export function tarHeader({ path, size }: TarFile): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  const [prefix, name] = splitPath(path);
  header.write(name, 0, 'utf8');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  if (size < MOST_OCTAL) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  header.write(prefix, 345, 'utf8');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Zeros behind a file's bytes, up to a whole block. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two blocks of zeros. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/**
 * Reads a header as {@link tarHeader} writes it, and no other: plain files only, so that no link, device or second name of a file can be
 * hidden in an archive. `undefined` at the end of the archive.
 *
 * @param block 512 bytes, attacker-controlled
 * @throws GlacisError `bundle/invalid`
 */
export function parseTarHeader(block: Uint8Array, where: string): TarFile | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const header = Buffer.from(block);
  const text = (start: number, length: number) => {
    const field = header.subarray(start, start + length);
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end < 0 ? length : end);
  };
  const [name, prefix] = [text(0, NAME_BYTES), text(345, PREFIX_BYTES)];
  const path = prefix === '' ? name : `${prefix}/${name}`;
  const size =
    header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(text(124, 12) || 'x', 8);
  const file = { path, size };
  // Written again it must be the same bytes: whatever is unusual about it is refused.
  const same = Number.isSafeInteger(size) && size >= 0 && fits(path) && header.equals(tarHeader(file));
  if (!same)
    throw new GlacisError(
      'bundle/invalid',
      `${where}: expected the header of a plain file as Glacis writes it`,
    );
  return file;
}

function fits(path: string): boolean {
  try {
    splitPath(path);
    return true;
  } catch {
    return false;
  }
}

function splitPath(path: string): readonly [prefix: string, name: string] {
  if (path !== '' && Buffer.byteLength(path) <= NAME_BYTES) return ['', path];
  const steps = path.split('/');
  for (let n = 1; n < steps.length; n++) {
    const [prefix, name] = [steps.slice(0, n).join('/'), steps.slice(n).join('/')];
    if (
      prefix !== '' &&
      name !== '' &&
      Buffer.byteLength(prefix) <= PREFIX_BYTES &&
      Buffer.byteLength(name) <= NAME_BYTES
    )
      return [prefix, name];
  }
  throw new GlacisError(
    'option/invalid',
    `'${path.slice(0, 80)}': expected a path of at most 255 bytes that an archive can hold`,
  );
}

/** The sum of all bytes, with blanks in place of the sum itself. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
}
