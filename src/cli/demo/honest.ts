/** Who asks honestly in the demo, each about new pictures of their own. */
export const HONEST = [
  'city-cameras',
  'depot-north',
  'depot-south',
  'fleet-7',
  'fleet-12',
  'inspection',
  'map-updates',
  'night-bus',
  'roadworks',
  'school-route',
  'test-track',
  'tow-service',
] as const;

/** Mean milliseconds between two questions of one of them. */
export const BETWEEN = 900;
