/** A time as ISO 8601 has it, or as milliseconds or seconds since 1970; NaN for anything else. */
export function timeOf(text: string | undefined): number {
  if (text === undefined) return Number.NaN;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) < 1e11 ? 1000 * Number(text) : Number(text);
  return Date.parse(text);
}

/** Fields of one line (RFC 4180, without line ends in quotes); none where the line is broken. */
export function fieldsOf(given: string): readonly string[] {
  const line = given.endsWith('\r') ? given.slice(0, -1) : given;
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] !== '"') {
      const end = line.indexOf(',', at);
      fields.push(end < 0 ? line.slice(at) : line.slice(at, end));
      if (end < 0) return fields;
      at = end + 1;
      continue;
    }
    let field = '';
    for (;;) {
      const end = line.indexOf('"', at + 1);
      // A quote that never ends is a broken line.
      if (end < 0) return [];
      field += line.slice(at + 1, end);
      at = end + 1;
      if (line[at] !== '"') break;
      field += '"';
    }
    fields.push(field);
    if (at >= line.length) return fields;
    if (line[at] !== ',') return [];
    at++;
  }
}
