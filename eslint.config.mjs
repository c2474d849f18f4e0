import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** The laws of the tree: who may import whom. Each is an import that a file outside `except` may not make. */
const only = (names, except, because) => ({ names, except, because });
const laws = [
  only(["node-ssh", "ssh2"], ["provider/guest/ssh.ts"], "only provider/guest/ssh.ts talks SSH"),
  only(["zod"], ["provider/inputs.ts", "provider/datastores/*/options.ts"], "schemas live in inputs.ts and options.ts"),
  only(["ejs"], ["provider/template.ts", "devcloud/**"], "files are rendered by provider/template.ts"),
];

const forbid = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] },
});
const libraries = (file) =>
  laws.filter((law) => !law.except.includes(file)).map((law) => ({ group: law.names, message: law.because }));
const library = ["components/**/*.ts", "provider/**/*.ts"];

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "**/node_modules/", ".devcloud/"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "no-console": "off",
    },
  },
  { files: ["**/*.mjs"], languageOptions: { globals: { process: "readonly", console: "readonly" } } },
);
void forbid; void libraries; void library;
