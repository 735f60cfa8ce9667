import { alertFixtures } from './alert-fixtures.ts';
import { caseFixtures } from './case-fixtures.ts';
import type { Fixture } from './fixture-server.ts';
import { impactFixtures } from './impact-fixtures.ts';
import { measureFixtures } from './measure-fixtures.ts';
import { modelFixtures } from './model-fixtures.ts';
import { trafficFixtures } from './traffic-fixtures.ts';

/** Everything that the fixture server answers, besides sessions and events. */
export const FIXTURES: readonly Fixture[] = [
  ...trafficFixtures,
  ...modelFixtures,
  ...caseFixtures,
  ...measureFixtures,
  ...impactFixtures,
  ...alertFixtures,
];
