import { mock } from "node:test";

/** Whose the clock is. A test that mocha gave up on goes on, and may neither drive the clock of the next nor leave it one that stands still. */
let owner: symbol | undefined;

afterEach(() => {
  owner = undefined;
  mock.timers.reset();
});

/** Runs `body` on a clock that goes as fast as it is waited for. */
export async function fast<T>(body: () => Promise<T>): Promise<T> {
  const own = (owner = Symbol("clock"));
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    let ended = false;
    const running = body().finally(() => { ended = true; });
    running.catch(() => undefined);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (ended || owner !== own) break;
      mock.timers.tick(200);
    }
    return await running;
  } finally {
    if (owner === own) mock.timers.reset();
  }
}
