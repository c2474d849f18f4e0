import { after, before } from "mocha";

/** Has the tests of a suite run with these variables of OpenStack's, and no others. */
export function withAccess(variables: Record<string, string> = {}): void {
  const were = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("OS_")));
  const become = (wanted: Record<string, string | undefined>) => {
    for (const name of Object.keys(process.env)) if (name.startsWith("OS_")) delete process.env[name];
    Object.assign(process.env, wanted);
  };
  before(() => become(variables));
  after(() => become(were));
}

/** Enough to ask Nova with, if there were one. */
export const anna = { OS_AUTH_URL: "http://127.0.0.1:1/v3", OS_USERNAME: "anna", OS_PASSWORD: "not-a-secret", OS_PROJECT_NAME: "shop" };
