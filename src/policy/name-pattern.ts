/**
 * Whether `name` fits `pattern`, in which `*` stands for any characters and `?` for one. At most pattern × name steps for every input: a name comes from
 * outside, and a regular expression made from a pattern could be made to take for ever.
 */
export function fitsPattern(pattern: string, name: string): boolean {
  let [p, n, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
