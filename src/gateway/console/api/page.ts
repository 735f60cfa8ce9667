/** A page of a list: `next` is what to ask for as `?before=`; undefined at the end. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next?: string | undefined;
}
