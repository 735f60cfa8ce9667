/**
 * Limits of a thread that lives as long as a server and watches, indexes or writes: two halves of at most 4 MiB for young objects, and as much for large ones. V8 lets them grow to 64 MiB each where
 * much is made at once, and gives nothing back while there is work. What such a thread makes has an end within milliseconds, so little survives a collection, however early it comes.
 * Measured: docs/performance.md, "Memory over many requests".
 */
export const SMALL_YOUNG_GENERATION = { maxYoungGenerationSizeMb: 12 } as const;
