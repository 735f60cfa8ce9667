import type { TextPiece } from '../look/piece.ts';
import { cellsOf, isObject, type Json, joined } from './cell.ts';

/** Beginnings of pictures, sound, film and documents in base64: PNG, JPEG, GIF, WebP and WAV, PDF, Ogg. */
const MEDIA = /^\s*(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|JVBERi0|T2dnUw)/;

/** Types of outputs whose data is base64 of something that is not text. */
const BINARY_TYPE = /^(?:image\/(?!svg)|audio\/|video\/|application\/pdf)/;

const RENAMED: Readonly<Record<string, string>> = { input: 'source', source: 'source' };

/**
 * Every text of a notebook with the place that a reader looks for: sources with their lines joined and unescaped, outputs,
 * tracebacks, attachments, metadata. Base64 of a picture is left out where both its type and its first bytes say picture; where
 * only one does, it is looked at. `raw` is the file's text, in which line numbers are looked up.
 *
 * Walks with a stack of its own: the nesting is attacker-controlled.
 */
export function* notebookPieces(
  notebook: { readonly [key: string]: Json },
  raw: string,
): Generator<TextPiece> {
  const lineOf = lineFinder(raw);
  const { cells: _, worksheets: __, ...rest } = notebook;
  yield* textsOf(rest, 'notebook', lineOf);
  for (const [i, cell] of cellsOf(notebook).entries()) yield* textsOf(cell, `cell ${i + 1}`, lineOf);
}

function* textsOf(root: Json, place: string, lineOf: TextPiece['lineOf']): Generator<TextPiece> {
  const open: { readonly value: Json; readonly place: string; readonly key: string }[] = [
    { value: root, place, key: '' },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, place, key } = next;
    const text = joined(value);
    if (text !== undefined) {
      if (text !== '' && !isMedia(key, text)) yield { place, text, ...(lineOf && { lineOf }) };
      continue;
    }
    if (typeof value !== 'object' || value === null) continue;
    const children = Array.isArray(value)
      ? value.map((child, i) => ({ value: child, place: `${place} ${i + 1}`, key }))
      : Object.entries(value).map(([name, child]) => ({
          value: child,
          place: placeOf(place, name, child),
          key: name,
        }));
    for (const child of children.reverse()) open.push(child);
  }
}

/** `cell 3, source`; `cell 3, output 1, text/plain`; names are cut, since they may be as long as the file. */
function placeOf(place: string, name: string, child: Json): string {
  if (name === 'data' && isObject(child)) return place;
  const shown = RENAMED[name] ?? (name === 'outputs' ? 'output' : name.slice(0, 60));
  return place.length > 300 ? place : `${place}, ${shown}`;
}

function isMedia(key: string, text: string): boolean {
  return BINARY_TYPE.test(key) && MEDIA.test(text.slice(0, 64));
}

/** Longer notebooks get no line numbers: each look-up reads them from the start. */
const LINES_UP_TO = 1 << 24;

/** Finds the line in which a text stands in JSON; the first one, where there are several. */
function lineFinder(raw: string): TextPiece['lineOf'] {
  if (raw.length > LINES_UP_TO) return undefined;
  return (text) => {
    const first = text.split('\n', 1)[0] ?? text;
    const at = raw.indexOf(JSON.stringify(first).slice(1, -1));
    if (at === -1) return undefined;
    let line = 1;
    for (let i = raw.indexOf('\n'); i !== -1 && i < at; i = raw.indexOf('\n', i + 1)) line++;
    return line;
  };
}
