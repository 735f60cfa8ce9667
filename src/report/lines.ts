import { visible } from './markup.ts';

/** The text on one line, cut to `most` characters. */
export function oneLine(text: string, most: number): string {
  const line = visible(text).replace(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** Lines of at most `width` columns, broken at spaces; all but the first start with `indent`. */
export function wrap(text: string, width: number, indent = ''): readonly string[] {
  const lead = /^ */.exec(text)![0];
  const lines: string[] = [];
  let line = lead;
  for (const word of text.slice(lead.length).split(/[ \n\t]/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line.trimEnd());
      line = indent + word;
    } else line += line === lead || line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}
