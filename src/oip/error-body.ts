const SHOWN = 200;

/**
 * What the body of a refusal says, as one line of at most 200 printable characters for a message: `{"error": "…"}` of the
 * protocol, or `detail` as FastAPI has it, or the text itself where it is no JSON. Attacker-controlled: control characters are gone, and `secrets` that
 * the server echoes.
 */
export function errorText(body: Uint8Array, secrets: readonly string[] = []): string {
  const text = new TextDecoder().decode(body.subarray(0, 65_536));
  let said = text;
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) {
      const { error, detail } = json as { readonly error?: unknown; readonly detail?: unknown };
      said = reasonFrom(error ?? detail);
    }
  } catch {
    // Not JSON: a proxy's page, or a line of text.
  }
  // Before anything is cut: a part of a secret would no longer be found.
  for (const secret of secrets) said = said.replaceAll(secret, '***');
  const line = said
    .toWellFormed()
    .replace(/<[^<>]*>/g, ' ')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1).toWellFormed()}…` : line;
}

/** FastAPI lists problems, each with its `msg` beside the input itself, which is left out. */
function reasonFrom(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  if (!Array.isArray(reason)) return '';
  const messages = reason.map((problem: { readonly msg?: unknown } | null) => problem?.msg);
  return messages.filter((message) => typeof message === 'string').join('; ');
}

/** Writes a refusal as the protocol has it. */
export function encodeError(message: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ error: message }));
}
