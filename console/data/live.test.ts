import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connection, onLive, onReturn, openLive, pauseBefore } from './live.ts';
import { session } from './session.ts';

/** A stream that the test speaks on. */
class Stream {
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: string }) => void) | undefined;
  onerror: (() => void) | undefined;
  closed = false;
  close() {
    this.closed = true;
  }
}

describe('the stream of events', () => {
  const streams: Stream[] = [];
  const open = () =>
    openLive(() => {
      streams.push(new Stream());
      return streams.at(-1) as unknown as EventSource;
    });
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('addEventListener', () => {});
    vi.stubGlobal('removeEventListener', () => {});
    streams.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    session.set(undefined);
  });

  it('waits longer after each break, at most 30 s, a little less by chance', () => {
    expect([0, 1, 2, 10, 1000].map((attempt) => pauseBefore(attempt, 0))).toEqual([
      1000, 2000, 4000, 30_000, 30_000,
    ]);
    expect(pauseBefore(0, 0.999)).toBeGreaterThan(600);
  });

  it('tells what it hears, and is quiet about what is no event', () => {
    const heard: string[] = [];
    const stop = onLive(({ kind }) => heard.push(kind));
    const close = open();
    expect(connection.get()).toBe('connecting');
    streams[0]!.onopen!();
    for (const data of ['{"kind":"models"}', 'not json', '7', 'null', '{"kind":7}'])
      streams[0]!.onmessage!({ data });
    expect(connection.get()).toBe('live');
    expect(heard).toEqual(['models']);
    close();
    stop();
    expect(streams[0]!.closed).toBe(true);
    expect(connection.get()).toBe('off');
  });

  it('opens again after a break, and then says that something may have been missed', () => {
    let returns = 0;
    const stop = onReturn(() => returns++);
    const close = open();
    streams[0]!.onopen!();
    expect(returns).toBe(0);
    streams[0]!.onerror!();
    expect([connection.get(), streams[0]!.closed, streams.length]).toEqual(['lost', true, 1]);
    vi.advanceTimersByTime(1000);
    expect(streams.length).toBe(2);
    streams[1]!.onopen!();
    expect([connection.get(), returns]).toEqual(['live', 1]);
    close();
    stop();
  });

  it('ends for good when the session does', () => {
    session.set({ principal: 'ada', roles: [], may: [], csrf: 'x', ends: 0, demo: false });
    open();
    streams[0]!.onopen!();
    streams[0]!.onmessage!({ data: '{"kind":"signed-out"}' });
    vi.advanceTimersByTime(100_000);
    expect([session.get(), streams.length, connection.get()]).toEqual([null, 1, 'off']);
  });
});
