/** A name in a certificate: what kind it is, and the name. */
export interface AlternativeName {
  readonly kind: 'uri' | 'dns' | 'email' | 'ip';
  readonly value: string;
}

const KINDS: Readonly<Record<string, AlternativeName['kind']>> = {
  URI: 'uri',
  DNS: 'dns',
  email: 'email',
  'IP Address': 'ip',
};

/**
 * Reads a certificate's alternative names as Node writes them: `DNS:a.example, URI:"spiffe://x/a\\u002cb"`. A value that holds a comma, a quote or a control character is
 * written as a JSON text, so that no name can pass for two (CVE-2021-44532). Kinds that we have no use for are passed over.
 * Undefined for a text that is not of this form: then no name counts.
 */
export function alternativeNames(text: string): readonly AlternativeName[] | undefined {
  const names: AlternativeName[] = [];
  let at = 0;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    if (colon === -1) return undefined;
    const kind = text.slice(at, colon);
    at = colon + 1;
    let value: string;
    if (text[at] === '"') {
      const quoted = /"(?:[^"\\]|\\.)*"/y;
      quoted.lastIndex = at;
      const [found] = quoted.exec(text) ?? [];
      const read = found === undefined ? undefined : textIn(found);
      if (found === undefined || read === undefined) return undefined;
      value = read;
      at += found.length;
    } else {
      const comma = text.indexOf(', ', at);
      value = text.slice(at, comma === -1 ? text.length : comma);
      at += value.length;
    }
    const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
    if (known !== undefined) names.push({ kind: known, value });
    if (at === text.length) break;
    at += 2;
    if (!text.startsWith(', ', at - 2) || at === text.length) return undefined;
  }
  return names;
}

function textIn(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
