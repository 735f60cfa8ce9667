const counts = new Uint32Array(128);

/** Shannon entropy of the characters of `text`, in bits per character; 0 for an empty text. */
export function entropyOf(text: string): number {
  counts.fill(0);
  for (let i = 0; i < text.length; i++) counts[text.charCodeAt(i) & 127]!++;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
