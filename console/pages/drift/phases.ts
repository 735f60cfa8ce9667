/** What the phases of a monitor are called, and their tone. */
export const PHASES = {
  alarmed: ['Alarmed', 'changed'],
  watching: ['Watching', 'held'],
  learning: ['Learning', 'rest'],
  blind: ['Blind', 'warn'],
} as const;
