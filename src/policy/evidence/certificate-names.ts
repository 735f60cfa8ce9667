/**
 * DNS names, mail addresses and URIs of a certificate's subject alternative names, from the text that Node makes of them. A value that
 * holds a comma or a quote stands in quotes there; it is passed over, and so is all after a place that cannot be read. Names of the
 * subject are not read: nobody checks what an authority lets people write there. The text is attacker-controlled.
 */
export function alternativeNames(text: string | undefined): readonly string[] {
  const entry = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
  const names: string[] = [];
  for (let match = entry.exec(text ?? ''); match; match = entry.exec(text ?? '')) {
    const [whole, kind, value = ''] = match;
    if (whole === '') break;
    if (['DNS', 'email', 'URI'].includes(kind!) && !value.startsWith('"') && value !== '') names.push(value);
  }
  return names;
}
