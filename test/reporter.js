const { appendFileSync } = require("fs");
const { reporters } = require("mocha");

/**
 * The spec report, closed by one line that says what ran: machines read it too. Interrupted once it lets the test that
 * runs end, and what was made be taken away.
 */
module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
      process.once(signal, () => {
        console.log("    interrupted: the test that runs ends first, then what was made is taken away; the same again ends all at once");
        runner.abort();
        process.on("exit", () => { process.exitCode = 130; });
      });
  }

  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    // Who runs several adds them up.
    if (process.env.TESTS_ENDED) appendFileSync(process.env.TESTS_ENDED, `${passes} ${failures} ${pending}\n`);
  }
};
