import { isDeepStrictEqual } from "node:util";
import type { Inputs } from "./inputs";
import { hasUnknown } from "./wire";

export type Passwords = Pick<Inputs, "rootPassword" | "formerPasswords">;

export const passwordsOf = ({ rootPassword, formerPasswords = [] }: Passwords): [present: string, ...former: string[]] => [rootPassword, ...formerPasswords];

/** What becomes of the passwords, in words without one of them; undefined where the same work as before. One that is left out stays. */
export function rotation(was: Passwords, { rootPassword = was.rootPassword, formerPasswords }: Partial<Passwords>): string | undefined {
  const [olds, news] = [passwordsOf(was), passwordsOf({ rootPassword, formerPasswords })];
  if (isDeepStrictEqual(olds, news)) return undefined;
  if (hasUnknown(news)) return "password";
  const ended = olds.filter((password) => !news.includes(password)).length;
  const former = news.length - 1;
  return [
    ...(olds[0] === news[0] ? [] : ["new password"]),
    ...(ended > 0 ? [`${ended} former ${ended === 1 ? "ends" : "end"}`] : []),
    ...(former > 0 ? [`${former} former ${former === 1 ? "works" : "work"} on`] : []),
  ].join(", ");
}
