import { deepEqual } from "node:assert/strict";
import { lacking, requireKernel } from "../../devcloud/requirements";
import { controlPlaneTree } from "../../devcloud/tree";
import { rootOnly } from "./cloud";

describe("what a devcloud requires", function () {
  this.timeout("10m");
  before(function () { rootOnly(this); });

  it("finds it in the kernel of this machine", async () => {
    await requireKernel();
    await requireKernel(await controlPlaneTree(() => undefined));
  });

  it("names what a kernel lacks, and tries the rest", async () => {
    deepEqual(await lacking({ "bridges": "ip link add bridge0 type bridge", "flight": "ip link add wings type bird", "depth": "exit 3", "truth": "true" }), ["flight", "depth"]);
  });
});
