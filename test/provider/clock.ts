import { mock } from "node:test";

/** Runs `body` on a clock that goes as fast as it is waited for. */
export async function fast<T>(body: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    let ended = false;
    const running = body().finally(() => { ended = true; });
    running.catch(() => undefined);
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(200);
    }
    return await running;
  } finally {
    mock.timers.reset();
  }
}
