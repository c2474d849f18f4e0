#!/usr/bin/env node
// Serves dynamic resources by the provider of the program's own @pulumi/pulumi, in this very process.
require(require.resolve("@pulumi/pulumi/cmd/dynamic-provider", { paths: [process.cwd()] }));
