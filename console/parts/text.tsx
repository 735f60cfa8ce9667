/** Controls, and characters that show nothing or turn the reading direction around: a name with one could look like another. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/** A text in pieces: what can be seen, and the code points that cannot, as `U+202E`. */
export function piecesOf(text: string): readonly { readonly text: string; readonly hidden: boolean }[] {
  const pieces: { text: string; hidden: boolean }[] = [];
  for (const character of text) {
    const hidden = HIDDEN.test(character) && character !== '\u200d';
    const shown = hidden
      ? `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
      : character;
    const last = pieces.at(-1);
    if (last !== undefined && !hidden && !last.hidden) last.text += shown;
    else pieces.push({ text: shown, hidden });
  }
  return pieces;
}

/** The text on one line with what cannot be seen spelt out: for attributes, where there are no pieces. */
export function plainText(text: string): string {
  return piecesOf(text)
    .map((piece) => (piece.hidden ? `⟨${piece.text}⟩` : piece.text))
    .join('');
}

/** The first `most` characters, never half of one. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end =
    text.charCodeAt(most - 2) >= 0xd800 && text.charCodeAt(most - 2) <= 0xdbff ? most - 2 : most - 1;
  return `${text.slice(0, end)}…`;
}

/**
 * A text that a caller may have chosen, set apart from the direction of what stands around it; characters that cannot be seen are spelt out, and what is
 * longer than `most` is cut with the whole on hover. `lines`: line feeds are what they are, as in what a person wrote.
 */
export function Text({
  of,
  most = 80,
  lines = false,
}: {
  readonly of: string | undefined;
  readonly most?: number;
  readonly lines?: boolean;
}) {
  if (of === undefined) return <span class="none">none</span>;
  if (of === '') return <span class="none">empty</span>;
  const shown = cut(of, most);
  return (
    <bdi title={shown === of ? undefined : plainText(cut(of, 2000))}>
      {piecesOf(shown).map((piece, i) =>
        lines && piece.text === 'U+000A' && piece.hidden ? (
          '\n'
        ) : piece.hidden ? (
          <span key={i} class="control">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  );
}
