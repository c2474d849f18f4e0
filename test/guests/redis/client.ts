import { Cluster } from "ioredis";
import type { Database } from "../writer";

export interface Access {
  endpoints: string[];
  password: string;
  caCertificate: string;
}

const key = (id: number) => `written:${id}`;

/** A client that knows clusters, over TLS: it follows each key to whoever has its slot. */
export class Client implements Database {
  readonly cluster: Cluster;
  /** Read by each new connection. */
  private readonly tls: { ca: string };

  constructor({ endpoints, password, caCertificate }: Access) {
    this.tls = { ca: caCertificate };
    this.cluster = new Cluster(endpoints.map((endpoint) => {
      const [host, port] = endpoint.split(":");
      return { host, port: Number(port) };
    }), {
      redisOptions: { password, tls: this.tls, connectTimeout: 2000, maxRetriesPerRequest: 1 },
      // What is given up is told to the caller, who counts: nothing waits here for a cluster that is away.
      enableOfflineQueue: true, clusterRetryStrategy: () => 100, slotsRefreshTimeout: 2000, retryDelayOnFailover: 100, retryDelayOnClusterDown: 100, retryDelayOnTryAgain: 50,
    });
    // What breaks while idle is told by the next row.
    this.cluster.on("error", () => undefined);
  }

  async put(id: number, patience: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience); });
    try {
      await Promise.race([this.cluster.set(key(id), String(id).padEnd(200, "x")), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Verifies by these from its next connections on. */
  trust(caCertificate: string): void {
    this.tls.ca = caCertificate;
  }

  /** From its next connections on. */
  changeOver(password: string): void {
    this.cluster.options.redisOptions!.password = password;
  }

  failed(): void {
    void this.cluster.refreshSlotsCache();
  }

  end(): void {
    this.cluster.disconnect();
  }

  /** Those of the rows that are not there. */
  async missing(ids: number[]): Promise<number[]> {
    const found = await Promise.all(ids.map((id) => this.cluster.get(key(id))));
    return ids.filter((id, index) => !found[index]?.startsWith(String(id)));
  }
}
