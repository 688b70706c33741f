// Run compile_tree.py in CPython compiled to WebAssembly (Pyodide), over a folder of this machine.
// Usage: node compile.mjs <folder of the pyodide package> <compile_tree.py> <folder> <prefix>
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [pyodide, script, folder, prefix] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: `${pyodide}/`, packageBaseUrl: `${pyodide}/` });
python.FS.mkdir("/tree");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/tree");
const names = python.toPy({ __name__: "compile_tree" });
python.runPython(readFileSync(script, "utf8"), { globals: names });
process.stdout.write(names.get("compile_tree")("/tree", prefix));
