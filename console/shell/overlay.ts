import { createStore } from '../data/store.ts';

/** What lies over the page now. */
export const overlay = createStore<'palette' | 'keys' | 'drawer' | undefined>(undefined);
