/**
 * Names that a pickle may import, exact by module and name: the pickles of one framework. A module is never allowed as a
 * whole, because the same module that holds a harmless class may import a dangerous one beside it.
 * Each field maps a module to names with spaces between them.
 */
export interface AllowList {
  readonly framework: string;
  /** Classes: may be called and filled with BUILD. */
  readonly classes?: Readonly<Record<string, string>>;
  /** Classes that SETITEM(S) may fill, too. */
  readonly mappings?: Readonly<Record<string, string>>;
  /** Classes that APPEND(S) may fill, too. */
  readonly sequences?: Readonly<Record<string, string>>;
  /** Functions that make an object of their arguments and do nothing else. */
  readonly functions?: Readonly<Record<string, string>>;
  /** Constants, which may not be called. */
  readonly values?: Readonly<Record<string, string>>;
}
