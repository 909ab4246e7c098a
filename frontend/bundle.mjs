// Writes the bundles that are committed, one file for each page: run `npm ci && npm run bundle` here after changing a module.
// Nothing of this runs where the product runs. What bundles.json says lets samia_chat/scripts.py see whether a bundle is still
// made of the modules that are there; tests/browser/test_bundles.py fails where one is not.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = join(root, "samia_chat/static/bundles");

// The modules that templates name with {% module %}.
const PAGES = [
  ...["chat/approvals", "chat/come-back", "chat/dashboard", "chat/live-sessions", "chat/settings", "chat/storage"],
  ...["samia/door", "samia/theme"],
];
const FOLDERS = { "samia/": "samia_chat/static/samia_chat", "chat/": "chat/static/chat" };

function vendored(name) {
  const folder = join(root, "samia_chat/static/vendor");
  const entries = Object.entries(JSON.parse(readFileSync(join(folder, "vendor.json"), "utf8")));
  return join(folder, entries.find(([file, entry]) => entry.package === name && file.endsWith(".js"))[0]);
}

/** The file that a bare name stands for, as in the page's import map. */
function fileOf(name) {
  const prefix = Object.keys(FOLDERS).find((each) => name.startsWith(each));
  return prefix ? join(root, FOLDERS[prefix], `${name.slice(prefix.length)}.js`) : vendored(name);
}

const bareNames = {
  name: "bare names",
  setup: ({ onResolve }) => onResolve({ filter: /^[a-z]/ }, ({ path }) => ({ path: fileOf(path) })),
};

/** One digest of what the bundle is made of and of itself: path, NUL and bytes of each in the order of their paths. */
function digestOf(paths) {
  const digest = createHash("sha256");
  for (const path of paths) digest.update(`${path}\0`).update(readFileSync(join(root, path)));
  return digest.digest("hex");
}

async function bundle(name) {
  const outfile = join(target, `${basename(name)}.js`);
  const { metafile } = await build({
    stdin: { contents: `import ${JSON.stringify(name)};`, resolveDir: root },
    absWorkingDir: root,
    outfile,
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    legalComments: "eof",
    metafile: true,
    plugins: [bareNames],
  });
  const sources = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>").sort();
  return { file: basename(outfile), digest: digestOf([...sources, relative(root, outfile)]), sources };
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const list = {};
for (const name of PAGES) {
  list[name] = await bundle(name);
  console.log(`${list[name].file}: ${list[name].sources.length} modules`);
}
writeFileSync(join(target, "bundles.json"), JSON.stringify(list, null, 2) + "\n");
