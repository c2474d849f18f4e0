/**
 * Of tests that go on from one another, those after one that failed are skipped, and counted as such. Mocha's `bail`
 * would leave out every later suite that has it too, and say nothing.
 */
export function inOrder(suite: Mocha.Suite): void {
  let failed = false;
  suite.beforeEach(function () {
    if (failed) this.skip();
  });
  suite.afterEach(function () {
    failed ||= this.currentTest?.state === "failed";
  });
}
