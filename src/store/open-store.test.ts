import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a store in a file', () => {
  it('keeps rows', async () => {
    const file = join(folder, 'sub', 'a.db');
    const store = await openStore({ kind: 'sqlite', file });
    await store.db.insertInto('state').values({ name: 'x', value: '1', changed: 5 }).execute();
    expect(await store.reader.selectFrom('state').selectAll().execute()).toEqual([
      { name: 'x', value: '1', changed: 5 },
    ]);
    await store.close();
    const again = await openStore({ kind: 'sqlite', file });
    expect(await again.db.selectFrom('state').select('value').execute()).toEqual([{ value: '1' }]);
    await again.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
