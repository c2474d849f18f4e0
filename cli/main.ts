#!/usr/bin/env node
import { run } from "./program";

const { stdout: out, stderr: error } = process;
// Who reads only the first lines, as `head` does, wants no more of them.
out.on("error", (failure: NodeJS.ErrnoException) => process.exit(failure.code === "EPIPE" ? 0 : 2));
void run(process.argv.slice(2), { out, error, colours: out.isTTY && !process.env.NO_COLOR }).then((code) => { process.exitCode = code; });
