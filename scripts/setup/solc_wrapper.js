// Makes the npm package `solc` look like the native compiler, for the two
// calls that brownie and forge make: `--version` and `--standard-json`.
//
// The JavaScript build copies its whole input onto a small stack and dies with
// "memory access out of bounds" above about 1.3 MB. So only entry files (those
// no other file imports) are passed inline; the import callback serves the
// rest, from the input first and from the file system after that.
"use strict";

const fs = require("fs");
const path = require("path");

const VERSION = "0.8.30+commit.73712a01";
const USAGE = "usage: solc --version | solc --standard-json [--base-path DIR] [--include-path DIR]...";

function parseArguments(argv) {
  const options = { mode: "", basePath: "", includePaths: [] };
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = argv[i].split(/=(.*)/s);
    const value = () => (inline === undefined ? argv[++i] : inline);
    if (name === "--version" || name === "--standard-json") options.mode = name;
    else if (name === "--base-path") options.basePath = value();
    else if (name === "--include-path") options.includePaths.push(value());
    else if (name === "--allow-paths") value();
    else if (name !== "-") throw new Error(`unknown argument ${argv[i]}\n${USAGE}`);
  }
  return options;
}

function remap(name, remappings) {
  let best = null;
  for (const entry of remappings) {
    const [, prefix, target] = /^(?:[^:=]*:)?([^=]*)=(.*)$/.exec(entry) || [];
    if (prefix && name.startsWith(prefix) && (best === null || prefix.length > best[0].length)) {
      best = [prefix, target];
    }
  }
  return best === null ? name : best[1] + name.slice(best[0].length);
}

function importsOf(name, content, remappings) {
  const found = [];
  const pattern = /^\s*(?:import|\}\s*from)\b[^"';]*["']([^"']+)["']/gm;
  for (const match of content.matchAll(pattern)) {
    const target = match[1];
    const relative = target.startsWith("./") || target.startsWith("../");
    found.push(relative ? path.posix.join(path.posix.dirname(name), target) : remap(target, remappings));
  }
  return found;
}

function entryFiles(sources, remappings) {
  const imports = new Map();
  for (const [name, source] of Object.entries(sources)) {
    const known = importsOf(name, source.content, remappings).filter((target) => target in sources);
    imports.set(name, known);
  }
  const imported = new Set([...imports.values()].flat());
  const entries = [];
  const reached = new Set();
  const visit = (name) => {
    if (reached.has(name)) return;
    reached.add(name);
    imports.get(name).forEach(visit);
  };
  const take = (name) => {
    if (reached.has(name)) return;
    entries.push(name);
    visit(name);
  };
  const names = Object.keys(sources);
  names.filter((name) => !imported.has(name)).forEach(take);
  names.forEach(take); // what only a circle of imports reaches
  return entries;
}

function compile(options) {
  const input = JSON.parse(fs.readFileSync(0, "utf8"));
  const solc = require("solc");
  if (!solc.version().startsWith(VERSION)) {
    throw new Error(`the npm package solc is ${solc.version()}, wanted ${VERSION}: run 'make setup'`);
  }
  const roots = [options.basePath, ...options.includePaths, process.cwd()];
  const callback = (name) => {
    const given = callback.sources[name];
    if (given !== undefined) return { contents: given.content };
    for (const root of roots) {
      const file = path.resolve(root, name);
      if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
    }
    return { error: `File not found: ${name}` };
  };
  callback.sources = {};
  if (input.language === "Solidity" && Object.values(input.sources).every((source) => "content" in source)) {
    callback.sources = input.sources;
    const entries = entryFiles(input.sources, (input.settings || {}).remappings || []);
    input.sources = Object.fromEntries(entries.map((name) => [name, callback.sources[name]]));
  }
  return solc.compile(JSON.stringify(input), { import: callback });
}

function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.mode === "--version") {
    console.log(`solc, the solidity compiler commandline interface\nVersion: ${VERSION}.Emscripten.clang`);
  } else if (options.mode === "--standard-json") {
    process.stdout.write(compile(options));
  } else {
    throw new Error(USAGE);
  }
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
