/** An object of JSON whose members were not looked at. */
export type Loose = Readonly<Record<string, unknown>>;

/** Whether a value of JSON is an object. */
export const isLoose = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
