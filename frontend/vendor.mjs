// Writes the vendored files that are committed: run `npm ci && npm run vendor` here after changing a version.
// Nothing of this runs where the product runs. tests/browser/test_vendored.py holds the files against vendor.json.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const served = join(root, "samia_chat/static/vendor");
const forTests = join(root, "tests/browser/vendor");

// lit in its packages is some thirty files that import one another by bare names: one bundle of what we use. Of lit-html it
// has 3.3.0 (package.json, "overrides"): up to 3.3.3, the newest, each element that `repeat` drops leaves a comment in the page
// (https://github.com/lit/lit/issues/5298), in a thread one for each line that somebody scrolled past. Nothing else of what we
// use differs. tests/browser/test_long_thread.py counts the nodes.
const LIT = `
export { LitElement, html, nothing, render } from "lit";
export { classMap } from "lit/directives/class-map.js";
export { guard } from "lit/directives/guard.js";
export { live } from "lit/directives/live.js";
export { ref, createRef } from "lit/directives/ref.js";
export { repeat } from "lit/directives/repeat.js";
`;

function manifestOf(name) {
  return JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
}

/** A source map that is not there is an error for Django's hashed storage. */
function withoutSourceMap(text) {
  return text.replace(/^\/\/# sourceMappingURL=.*$/gm, "").trimEnd() + "\n";
}

function publish(folder, entries) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const list = {};
  for (const { file, name, bytes } of entries) {
    const { version, license } = manifestOf(name);
    writeFileSync(join(folder, file), bytes);
    const sha384 = createHash("sha384").update(readFileSync(join(folder, file))).digest("base64");
    list[file] = { package: name, version, licence: license, sha384 };
  }
  writeFileSync(join(folder, "vendor.json"), JSON.stringify(list, null, 2) + "\n");
  for (const file of readdirSync(folder)) console.log(join(folder, file).slice(root.length + 1));
}

async function lit() {
  const result = await build({
    stdin: { contents: LIT, resolveDir: here },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2021",
    legalComments: "eof",
    write: false,
  });
  const { version } = manifestOf("lit");
  return { file: `lit-${version}.js`, name: "lit", bytes: withoutSourceMap(result.outputFiles[0].text) };
}

function font(name, subset) {
  const short = name.split("/")[1];
  const bytes = readFileSync(join(here, "node_modules", name, "files", `${short}-${subset}-wght-normal.woff2`));
  return { file: `${short}-${subset}-${manifestOf(name).version}.woff2`, name, bytes };
}

function axe() {
  const text = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");
  return { file: `axe-${manifestOf("axe-core").version}.js`, name: "axe-core", bytes: withoutSourceMap(text) };
}

/** npm notes where authors want donations; a lock needs no addresses. */
function withoutAddresses() {
  const path = join(here, "package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8"));
  for (const entry of Object.values(lock.packages)) delete entry.funding;
  writeFileSync(path, JSON.stringify(lock, null, 2) + "\n");
}

publish(served, [
  await lit(),
  font("@fontsource-variable/inter", "latin"),
  font("@fontsource-variable/inter", "latin-ext"),
  font("@fontsource-variable/noto-sans-arabic", "arabic"),
]);
publish(forTests, [axe()]);
withoutAddresses();
