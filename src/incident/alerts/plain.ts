import type { AlertMessage } from './message.ts';

/** A text on one line without control, format or direction characters: what a caller put into a name changes no header, terminal or line. */
export function plain(text: string, most = 500): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim();
  return line.length > most ? `${line.slice(0, most).toWellFormed()}…` : line;
}

const WORDS = {
  trigger: 'New',
  update: 'News',
  acknowledge: 'Somebody is at it',
  resolve: 'Closed',
  test: 'Test',
} as const satisfies Readonly<Record<AlertMessage['action'], string>>;

/** `[high] New: acme is copying signs (C-2026-0007)`, on one line. */
export function headline({ action, case: about }: AlertMessage, most = 200): string {
  return `[${about.severity}] ${WORDS[action]}: ${plain(about.title, most)} (${plain(about.id, 40)})`;
}

/** The message as lines of text, for people. */
export function lines(message: AlertMessage): readonly string[] {
  const { case: about, alarm, news, more } = message;
  const list = (names: readonly string[]) =>
    names
      .slice(0, 10)
      .map((name) => plain(name, 80))
      .join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
  return [
    ...news.map((line) => `- ${plain(line)}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
    ...(alarm === undefined ? [] : ['', plain(alarm.why, 1500)]),
    '',
    `State: ${about.state}${about.verdict === undefined ? '' : ` (${about.verdict})`}${about.owner === undefined ? '' : `, ${plain(about.owner, 80)} is at it`}`,
    ...(about.models.length === 0 ? [] : [`Models: ${list(about.models)}`]),
    ...(about.principals.length === 0 ? [] : [`Callers: ${list(about.principals)}`]),
    ...(about.queries === 0
      ? []
      : [
          `Queries: ${about.queries}, from ${new Date(about.first).toISOString()} to ${new Date(about.last).toISOString()}`,
        ]),
    ...(about.atlas.length === 0 ? [] : [`ATLAS: ${list(about.atlas)}`]),
  ];
}
