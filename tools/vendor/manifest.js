// Prints vendor.json: which package and version each folder holds, under which licence, and every file's SHA-256.
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");

const [folder, modules] = process.argv.slice(2);
const NPM_NAMES = { bootstrap: "bootstrap", htmx: "htmx.org", echarts: "echarts" };

const packages = {};
for (const entry of fs.readdirSync(folder).filter((name) => !name.endsWith(".json")).sort()) {
  const name = entry.slice(0, entry.indexOf("-"));
  const described = JSON.parse(fs.readFileSync(path.join(modules, NPM_NAMES[name], "package.json"), "utf8"));
  const files = {};
  for (const file of fs.readdirSync(path.join(folder, entry)).sort()) {
    const content = fs.readFileSync(path.join(folder, entry, file));
    files[file] = crypto.createHash("sha256").update(content).digest("hex");
  }
  packages[name] = { npm: NPM_NAMES[name], version: described.version, licence: described.license, folder: entry, files };
}
process.stdout.write(JSON.stringify(packages, null, 2) + "\n");
