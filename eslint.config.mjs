import js from "@eslint/js";
import tseslint from "typescript-eslint";

const library = (name, message) => ({ group: [name, `${name}/*`], message, allowTypeImports: true });
const ssh = library("node-ssh", "only provider/guest/ssh.ts talks SSH");
const zod = library("zod", "schemas live in inputs.ts, options.ts and components/rules.ts");
const ejs = library("ejs", "files are rendered by provider/template.ts");
const here = (regex, message) => ({ regex, message });

const door = here("provider/.", "components know the door, provider/index, and nothing behind it");

// The laws of the tree: what the files of each place may not import. A file is under the last place that names it.
const laws = [
  { place: ["components/**", "provider/**"], forbidden: [ssh, zod, ejs] },
  {
    place: ["cli/**"],
    forbidden: [ssh, zod, ejs, here("components(/|$)|provider(/index|/lifecycle)?$", "the command line looks, and changes no cluster"),
      here("guest/(ssh|guests)$|datastores/(?!datastore$)", "the command line reaches guests through provider/reach, and knows no kind of database")],
  },
  { place: ["components/**"], forbidden: [ssh, zod, ejs, door] },
  { place: ["components/rules.ts"], forbidden: [ssh, ejs, door] },
  { place: ["provider/index.ts"], forbidden: [ssh, zod, ejs, here("^\\.", "the door captures nothing")] },
  { place: ["provider/inputs.ts"], forbidden: [ssh, ejs] },
  { place: ["provider/template.ts"], forbidden: [ssh, zod] },
  { place: ["provider/reconcile.ts"], forbidden: [ssh, zod, ejs, here("lifecycle|/guest/", "reconcile knows datastores, not how guests are reached")] },
  { place: ["provider/preflight.ts"], forbidden: [ssh, zod, ejs, here("lifecycle|reconcile|guest/(?!machine$)", "a preflight knows guests through guest/machine")] },
  { place: ["provider/requirements.ts"], forbidden: [{ ...here("^(?!\\./(check|servers|wire)$)", "what is required is judged, not gathered: beside check, servers and wire it imports types"), allowTypeImports: true }] },
  { place: ["provider/demands.ts", "provider/findings.ts"], forbidden: [{ ...here("^(?!\\./demands$)", "what is found is judged, not gathered: beside demands it imports types"), allowTypeImports: true }] },
  { place: ["provider/guest/**"], forbidden: [ssh, zod, ejs, here("lifecycle|reconcile|datastores(/|$)", "guests know no datastore")] },
  { place: ["provider/guest/ssh.ts"], forbidden: [zod, ejs, here("lifecycle|reconcile|datastores(/|$)", "guests know no datastore")] },
  {
    place: ["provider/datastores/*/**"],
    forbidden: [ssh, zod, ejs,
      here("lifecycle|reconcile|guest/(ssh|guests|lease)$", "a datastore knows guests through guest/guest and the acts beside it"),
      here("^\\.\\.(/index)?$|^\\.\\./(?!\\.\\.|datastore$)|/datastores(/|$)", "a datastore never imports another")],
  },
  {
    place: ["provider/datastores/*/options.ts"],
    forbidden: [ssh, ejs, here("^\\.\\./\\.\\./", "options are a schema and nothing else")],
  },
  {
    place: ["provider/plan.ts", "provider/authorities.ts", "provider/hops.ts", "provider/rest.ts", ...["plan", "rules", "decision", "sight", "memory", "slots", "hops"].map((file) => `provider/datastores/*/${file}.ts`)],
    forbidden: [ssh, zod, ejs, here("^(?!\\./(errors|hops|memory|plan|options|rules|decision|evidence|sight|slots|topology)$|(\\.\\./)+(authorities|errors|hops|plan|rest|topology)$)", "a planner is pure: it imports words, never acts")],
  },
];

export default tseslint.config(
  { ignores: ["dist/", "docs/", "**/node_modules/", ".devcloud/", ".devcloud.*/", ".demo/"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
    },
  },
  ...laws.map(({ place, forbidden }) => ({
    files: place.map((path) => (path.endsWith("**") ? `${path}/*.ts` : path)),
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns: forbidden }] },
  })),
  {
    files: ["cli/**/*.ts", "components/**/*.ts", "provider/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", { selector: "ImportExpression", message: "imports stand at the top of a file, where the laws see them" }] },
  },
  // What only a change needs, and takes a preview's time to load.
  {
    files: ["provider/certificates.ts", "provider/credentials.ts", "provider/guest/ssh.ts", "provider/openstack.ts"],
    rules: { "no-restricted-syntax": ["error", { selector: "ImportExpression[source.value!=/^[@a-z]/]", message: "only packages may be loaded late" }] },
  },
  // The door's functions are stored as text and may only `require` by name.
  { files: ["provider/index.ts"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  { files: ["**/*.mjs", "**/*.js"], languageOptions: { globals: { process: "readonly", console: "readonly", module: "writable", require: "readonly", __dirname: "readonly" } },
    rules: { "@typescript-eslint/no-require-imports": "off" } },
);
