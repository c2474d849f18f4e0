import { connect } from "node:net";

/** One watch serves all clusters of the process. */
let watching = false;

/**
 * Ends this process soon after the engine that started it is gone. After `kill -9` of the CLI nobody ends the
 * provider process, which would act on beside the next run. Its lease on the guests ends by itself.
 */
export function endWithEngine(address: string | undefined = process.argv[2]): void {
  if (watching) return;
  const match = /^(?:.*\/\/)?([\w.:[\]-]*):(\d+)$/.exec(address ?? "");
  if (!match) return;
  watching = true;
  let missed = 0;
  const look = () => {
    const socket = connect({ host: match[1] || "127.0.0.1", port: Number(match[2]), timeout: 1000 });
    socket.unref();
    socket.once("connect", () => { missed = 0; socket.destroy(); });
    socket.once("error", () => {
      missed += 1;
      if (missed >= 2) process.exit(1);
    });
  };
  setInterval(look, 500).unref();
}
