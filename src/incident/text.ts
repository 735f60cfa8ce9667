/** Characters of what a caller can choose, in a case. */
export const MOST_NAME = 256;

/** A text of at most `most` characters, well-formed; what was cut ends in `…`. Nothing else is changed: who shows it escapes it. */
export function cut(text: string, most: number): string {
  const whole = text.toWellFormed();
  return whole.length > most ? `${whole.slice(0, most).toWellFormed()}…` : whole;
}

/** What a name is looked for by: small letters without control characters, which PostgreSQL cannot hold. */
export function searchable(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .toLowerCase();
}
