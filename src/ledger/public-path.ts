import { TILE_LEVELS, TILE_WIDTH, tilePath } from './tile.ts';

/** What a path of a log names: the checkpoint, which changes; a partial tile, which goes; a full one, which never changes. */
export type PublicFile = 'checkpoint' | 'partial' | 'full';

/**
 * What `path` names among the files of a log that everybody may read, or undefined: not the journal, not the lock, not what is being written, and
 * no path that is written in any other way than the log's own. For whoever serves a `LogSource`, over whatever protocol.
 *
 * @param path attacker-controlled; after `%`-decoding, once
 */
export function publicFile(path: string): PublicFile | undefined {
  if (path === 'checkpoint') return 'checkpoint';
  if (path.length > 64) return undefined;
  const match = /^tile\/(entries|\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match === null) return undefined;
  const [, name = '', digits = '', part] = match;
  const level = name === 'entries' ? name : Number(name);
  const index = Number(digits.replaceAll(/[x/]/g, ''));
  const width = part === undefined ? TILE_WIDTH : Number(part);
  if (level !== 'entries' && level >= TILE_LEVELS) return undefined;
  if (!Number.isSafeInteger(index) || width > TILE_WIDTH || (part !== undefined && width === TILE_WIDTH))
    return undefined;
  // One file, one name: what is written otherwise names nothing.
  if (tilePath({ level, index, width }) !== path) return undefined;
  return part === undefined ? 'full' : 'partial';
}
