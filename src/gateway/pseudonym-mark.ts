/** What pseudonyms begin with: where the log seals who asked, people see callers by them. */
export const PSEUDONYM_MARK = '~';

/**
 * Whether a name could be taken for a pseudonym. No principal and no tenant may be called so: somebody could take the pseudonym of another for a name, and an order about the one would meet
 * the other.
 */
export function looksLikePseudonym(name: string): boolean {
  return name.startsWith(PSEUDONYM_MARK);
}
