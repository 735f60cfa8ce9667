import type { Store } from '../../store/index.ts';
import type { KeptStep } from './run-impact.ts';

/** Keeps in the store where a search is together with its rows, all or nothing; those that differ push out those that do not. Gives how many rows there are. */
export async function keepStep(
  { id, state, cursor, rows: before, summary, tally, found }: KeptStep,
  { store, mostRows }: { readonly store: Pick<Store, 'transact'>; readonly mostRows: number },
): Promise<number> {
  return store.transact(async (db) => {
    let rows = before;
    const different = found.filter((each) => each.different);
    const same = found.filter((each) => !each.different);
    const room = mostRows - rows;
    const kept = [...different.slice(0, mostRows), ...same.slice(0, Math.max(0, room - different.length))];
    const tooMany = rows + kept.length - mostRows;
    if (tooMany > 0) {
      // Those without a difference make room, then what differs and is newest stays away.
      const leaving = await db
        .selectFrom('impact_rows')
        .select('entry')
        .where('impact', '=', id)
        .where('different', '=', 0)
        .orderBy('entry', 'desc')
        .limit(tooMany)
        .execute();
      for (let i = 0; i < leaving.length; i += 500)
        await db
          .deleteFrom('impact_rows')
          .where('impact', '=', id)
          .where(
            'entry',
            'in',
            leaving.slice(i, i + 500).map(({ entry }) => entry),
          )
          .execute();
      kept.splice(kept.length - Math.max(0, tooMany - leaving.length));
      rows -= leaving.length;
    }
    for (let i = 0; i < kept.length; i += 200)
      await db
        .insertInto('impact_rows')
        .values(
          kept.slice(i, i + 200).map((each) => ({
            impact: id,
            entry: each.entry,
            different: each.different ? 1 : 0,
            body: each.body,
          })),
        )
        .execute();
    const body = `{"summary":${summary},"rows":${rows + kept.length},"tally":${tally}}`;
    await db.updateTable('impacts').set({ state, cursor, body }).where('id', '=', id).execute();
    return rows + kept.length;
  });
}
