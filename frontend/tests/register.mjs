// Makes node read the modules as the page's import map names them: node --import ./tests/register.mjs --test tests/*.test.mjs

import { register } from "node:module";

register("./resolve.mjs", import.meta.url);
