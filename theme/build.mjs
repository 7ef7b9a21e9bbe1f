// Compile the stylesheet and copy the script and the fonts into ../static. Run by `npm run build` after `npm ci`.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = join(here, "..", "static");
for (const folder of ["css", "js", "fonts"]) mkdirSync(join(target, folder), { recursive: true });

// tests/test_theme.py computes the same digest: a stale stylesheet fails there, without node
const sources = readdirSync(here).filter((name) => /\.(scss|mjs|json)$/.test(name)).sort();
const digest = createHash("sha256");
for (const name of sources) digest.update(name + "\0").update(readFileSync(join(here, name))).update("\0");

const { css } = compile(join(here, "theme.scss"), { loadPaths: [modules], style: "compressed", quietDeps: true });
const credits = "GOV.UK Frontend (MIT), Crown copyright; Open Sans (OFL-1.1)";
writeFileSync(
  join(target, "css", "app.css"),
  `/* theme sha256:${digest.digest("hex")} | made by theme/build.mjs, do not edit | ${credits} */\n${css.replace(/^\uFEFF/, "")}\n`,
);

const script = readFileSync(join(modules, "govuk-frontend/dist/govuk/govuk-frontend.min.js"), "utf8");
const licence = "/* GOV.UK Frontend, MIT, Crown copyright */\n";
writeFileSync(join(target, "js", "govuk-frontend.min.js"), licence + script.replace(/\/\/# sourceMappingURL.*$/m, "").trimEnd() + "\n");
const fonts = join(modules, "@fontsource/open-sans");
for (const subset of ["latin", "latin-ext", "vietnamese"])
  for (const weight of [400, 700]) {
    const name = `open-sans-${subset}-${weight}-normal.woff2`;
    copyFileSync(join(fonts, "files", name), join(target, "fonts", name));
  }
copyFileSync(join(fonts, "LICENSE"), join(target, "fonts", "LICENSE"));
