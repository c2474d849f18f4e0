#!/usr/bin/env node
// Runs JavaScript and TypeScript programs for the Pulumi engine: what `pulumi up` asks of a language host, where the
// official one is not installed. Everything else that a language host can do it answers with "unimplemented".
const { spawn } = require("child_process");
const { dirname } = require("path");
const { setInterval } = require("timers");

const engine = process.argv.at(-1);
const sdk = (file, folder = process.cwd()) => require.resolve(`@pulumi/pulumi/${file}`, { paths: [folder] });
const grpc = require(require.resolve("@grpc/grpc-js", { paths: [dirname(sdk("package.json"))] }));
const { LanguageRuntimeService } = require(sdk("proto/language_grpc_pb"));
const { GetRequiredPackagesResponse, RunResponse } = require(sdk("proto/language_pb"));
const { PluginInfo } = require(sdk("proto/plugin_pb"));

/** The exit code of a program that has told its error to the engine itself. */
const alreadyTold = 32;

function run({ request }, respond) {
  const { nodeargs = "", typescript = true } = request.getInfo()?.getOptions()?.toJavaScript() ?? {};
  const flags = {
    monitor: request.getMonitorAddress(), engine, organization: request.getOrganization(),
    project: request.getProject(), stack: request.getStack(), pwd: request.getPwd(), parallel: request.getParallel(),
    "root-directory": request.getInfo()?.getRootDirectory(), "dry-run": request.getDryrun(),
  };
  const program = spawn(
    process.execPath,
    [
      ...nodeargs.split(" ").filter(Boolean),
      sdk("cmd/run", request.getInfo()?.getProgramDirectory()),
      ...Object.entries(flags).filter(([, value]) => value).map(([flag, value]) => `--${flag}=${value}`),
      request.getProgram(), ...request.getArgsList(),
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_NODEJS_TYPESCRIPT: String(typescript),
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      },
    },
  );
  program.once("error", respond);
  program.once("exit", (code, signal) => {
    const response = new RunResponse().setBail(code === alreadyTold);
    if (code !== 0 && code !== alreadyTold) response.setError(`the program ended with ${signal ?? `code ${code}`}`);
    respond(null, response);
  });
}

const server = new grpc.Server();
server.addService(LanguageRuntimeService, {
  run,
  getPluginInfo: (_, respond) => respond(null, new PluginInfo().setVersion(require(sdk("package.json")).version)),
  // The engine finds a plugin when the program registers its first resource of it.
  getRequiredPackages: (_, respond) => respond(null, new GetRequiredPackagesResponse()),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(String(port));
});

// An engine that was killed says no farewell.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 1000).unref();
