import { readFileSync } from "node:fs";
import { connect } from "../provider/guest/ssh";
import type { Guest } from "../provider/guest/guest";
import type { Stack } from "./stack";

/** The members of a stack's cluster, as a person with the key reaches them: nothing here goes through the provider. */
export interface Members {
  names: string[];
  address(name: string): string;
  guest(name: string): Guest;
  /** Rows of a statement, run as root on that member. */
  sql(name: string, statements: string): Promise<string>;
  close(): void;
}

export async function members({ pulumi, keyFile }: Stack): Promise<Members> {
  const outputs = JSON.parse((await pulumi(["stack", "output", "--json"])).stdout) as { members: string[]; addresses: string[] };
  const access = { user: "debian", privateKey: readFileSync(keyFile, "utf8") };
  const connections = await Promise.all(outputs.members.map((name, index) =>
    connect({ name, address: outputs.addresses[index]! }, { run: "", access, secrets: [], say: () => undefined })));
  const address = (name: string) => outputs.addresses[outputs.members.indexOf(name)]!;
  const guest = (name: string) => connections[outputs.members.indexOf(name)]!.guest;
  return {
    names: outputs.members,
    address,
    guest,
    sql: async (name, statements) => (await guest(name).look("mariadb --batch --skip-column-names", statements)).trim(),
    close: () => connections.forEach((connection) => connection.close()),
  };
}
