import { describe, expect, it } from 'vitest';
import { throwIfCancelled } from './cancel.ts';
import { GlacisError } from './error.ts';

describe('throwIfCancelled', () => {
  it('does nothing without a signal or before it fires', () => {
    expect(() => throwIfCancelled(undefined, 'attack')).not.toThrow();
    expect(() => throwIfCancelled(new AbortController().signal, 'attack')).not.toThrow();
  });

  it('throws run/cancelled with the place and the reason as cause', () => {
    const reason = new Error('Ctrl-C');
    let thrown: unknown;
    try {
      throwIfCancelled(AbortSignal.abort(reason), 'attack');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GlacisError);
    expect(thrown).toMatchObject({ code: 'run/cancelled', message: 'attack: cancelled', cause: reason });
  });
});
