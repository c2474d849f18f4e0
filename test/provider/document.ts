import { member } from "./cluster";

export const rootPassword = "s3cr3t-pass-w0rd";
export const privateKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

/** What a component hands over: the document before `check` completed it. */
export const news = {
  datastore: "galera",
  owner: { project: "shop", stack: "test", cluster: "orders" },
  members: [member("orders-1"), member("orders-2"), member("orders-3")],
  options: { vendor: "mariadb", configuration: { max_connections: 500 } },
  servers: { flavor: "m1.small", image: "debian-12", network: "private", locality: "soft-anti-affinity", volumeSize: 10 },
  access: { user: "debian", privateKey },
  deletionProtection: true,
};

/** The document of other members, by their numbers. */
export const of = (...numbers: number[]) => ({ ...news, members: numbers.map((number) => member(`orders-${number}`)) });

/** The document as the other methods get it. */
export const known = {
  ...news,
  rootPassword,
  authority: { certificate: "certificate", key: "authority-key" },
  plan: { "create 3 members": ["install orders-1 orders-2 orders-3"] },
};
