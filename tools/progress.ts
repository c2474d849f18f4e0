/** Receives one line for the person who waits. */
export type Progress = (line: string) => void;

const tellEverySeconds = 10;

/** Says what is going on, how long it has been going on, and how long it took. */
export async function timed<T>(what: string, progress: Progress, act: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  progress(`${what} …`);
  const ticker = setInterval(() => progress(`${what} … ${seconds()}`), tellEverySeconds * 1000);
  try {
    const result = await act();
    progress(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(ticker);
  }
}
