import { request } from "node:http";
import { type Container, inside, run, supervisorSocket } from "./container";

/** What the supervisor says of one daemon. */
export interface Supervised {
  name: string;
  running: boolean;
  says: string;
}

/** Asks the supervisor to start a daemon and does not wait; one that runs already is left as it is. */
export async function startDaemon(container: Container, name: string): Promise<void> {
  const answer = await call(container, "startProcess", `<string>${name}</string>`, "<boolean>0</boolean>");
  const fault = /<name>faultString<\/name>\s*<value><string>(.*?)<\/string>/s.exec(answer)?.[1];
  if (fault && !fault.startsWith("ALREADY_STARTED")) throw new Error(`the supervisor does not start ${name}: ${fault}`);
}

export async function stopDaemon(container: Container, name: string): Promise<void> {
  await run(container, `supervisorctl stop ${name}`);
}

export async function supervised(container: Container): Promise<Supervised[]> {
  // It exits with 3 when one of them is down: that is an answer, not a failure.
  const lines = (await run(container, "supervisorctl status || [ $? = 3 ]")).split("\n");
  return lines.map((line) => {
    const [name = "", state = "", ...says] = line.split(/\s+/);
    return { name, running: state === "RUNNING", says: `${state.toLowerCase()} ${says.join(" ")}`.trim() };
  });
}

/** One XML-RPC call: supervisorctl would take a third of a second of processor time for each. */
function call(container: Container, method: string, ...values: string[]): Promise<string> {
  const params = values.map((value) => `<param><value>${value}</value></param>`).join("");
  const body = `<?xml version="1.0"?><methodCall><methodName>supervisor.${method}</methodName><params>${params}</params></methodCall>`;
  return new Promise((resolve, reject) => {
    const socketPath = inside(container, supervisorSocket);
    const sent = request({ socketPath, path: "/RPC2", method: "POST", headers: { "Content-Type": "text/xml" } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve(text)).on("error", reject);
    });
    sent.on("error", reject).end(body);
  });
}
