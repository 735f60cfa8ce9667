import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fixture } from '../fixture-server.ts';
import { openRealAssessments } from './assessments.ts';
import { openRealLab } from './lab.ts';
import { openRealLedger } from './ledger.ts';
import { openRealPeople, type RealPeople } from './people.ts';
import { policyFixtures } from './policy.ts';

/** Real parts behind the fixture server: a log, a store with keys and reviews, assessments in a folder, and the lab. */
export interface RealParts {
  readonly fixtures: readonly Fixture[];
  readonly people: RealPeople;
  close(): Promise<void>;
}

/** Opens all of them in a folder that is gone afterwards. */
export async function openRealParts(): Promise<RealParts> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-console-'));
  const results = join(folder, 'assessments');
  await mkdir(results);
  const ledger = await openRealLedger(folder, 120);
  const people = await openRealPeople(folder, ledger.record);
  const assessments = await openRealAssessments(results);
  const lab = await openRealLab(folder);
  return {
    fixtures: [
      ...ledger.fixtures,
      ...people.fixtures,
      ...assessments.fixtures,
      ...lab.fixtures,
      ...policyFixtures,
    ],
    people,
    async close() {
      for (const part of [lab, assessments, people, ledger]) await part.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
