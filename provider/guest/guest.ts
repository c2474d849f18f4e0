/** A server we configure: the only way the rest of the provider touches a machine. */
export interface Guest {
  readonly name: string;
  /** Runs a command as root that changes nothing, and returns its standard output. Secrets go in by `stdin`. */
  look(command: string, stdin?: string): Promise<string>;
  /**
   * Runs a command as root that may change something, and returns its standard output.
   * The guest refuses it when this run does not hold the lease. Secrets go in by `stdin`, never in the command.
   */
  run(command: string, stdin?: string): Promise<string>;
  /** Replaces a file in one move. Returns false when it already had this content, owner and mode. */
  write(path: string, content: string, file?: { mode?: string; owner?: string }): Promise<boolean>;
  /** Says what is happening, with the member's name in front. */
  say(line: string): void;
}
