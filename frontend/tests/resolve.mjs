const FOLDERS = {
  "samia/": new URL("../../samia_chat/static/samia_chat/", import.meta.url),
  "chat/": new URL("../../chat/static/chat/", import.meta.url),
};

export async function resolve(specifier, context, next) {
  for (const [prefix, folder] of Object.entries(FOLDERS)) {
    if (specifier.startsWith(prefix)) {
      const url = new URL(`${specifier.slice(prefix.length)}.js`, folder).href;
      return { url, format: "module", shortCircuit: true };
    }
  }
  return next(specifier, context);
}
