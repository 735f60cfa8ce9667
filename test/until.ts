export { until } from '../src/core/until.fixture.ts';
