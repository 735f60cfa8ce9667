/** A file that is not read from the disk: as Git is about to commit it, or as it was in a commit. */
export interface GivenFile {
  readonly path: string;
  /** Where it comes from, in front of all places in it, e.g. `commit 1a2b3c4d5e6f`. */
  readonly from?: string;
  /** Its bytes. Errors: `data/unreadable`, `data/too-large`. */
  read(): Promise<Uint8Array>;
}
