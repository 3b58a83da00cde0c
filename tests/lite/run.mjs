// Executes notebooks in JupyterLite's own kernel, in a real Pyodide under Node.
//
//     node [--experimental-wasm-stack-switching] run.mjs PYODIDE WHEELS NOTEBOOKS NAME...
//
// PYODIDE is the folder of the npm package, WHEELS one of pure wheels, NOTEBOOKS one of notebooks. The
// last line is JSON: for each notebook what stands below each code cell, and the name of its error.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => {
  console.error(error.message); // and not a line of minified source
  process.exit(1);
});
const [pyodideFolder, wheels, notebooks, ...names] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(pyodideFolder, "pyodide.mjs")));
const lock = JSON.parse(fs.readFileSync(path.join(pyodideFolder, "pyodide-lock.json")));
const pyodide = await loadPyodide({
  lockFileContents: { ...lock, packages: {} }, // the wheels are all there is
  stdout: () => {},
  stderr: (text) => console.error(text),
});
const extractDir = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
for (const name of fs.readdirSync(wheels).filter((name) => name.endsWith(".whl")))
  pyodide.unpackArchive(new Uint8Array(fs.readFileSync(path.join(wheels, name))), "zip", { extractDir });
pyodide.FS.mkdirTree("/drive");
for (const name of fs.readdirSync(notebooks, { withFileTypes: true }))
  if (name.isFile())
    pyodide.FS.writeFile(`/drive/${name.name}`, new Uint8Array(fs.readFileSync(path.join(notebooks, name.name))));
pyodide.FS.chdir("/drive");

// What JupyterLite's worker does: it begins with these imports, and gives each request its header.
const lite = pyodide.pyimport("pyodide_kernel");
const shown = {};
let below = [];
const text = (data) => data.toJs({ dict_converter: Object.fromEntries })["text/plain"] ?? "";
const publisher = lite.ipython_shell.display_pub;
publisher.display_data_callback = (data) => below.push(text(data));
publisher.update_display_data_callback = (data) => below.push(text(data));
lite.ipython_shell.displayhook.publish_execution_result = (_, data) => below.push(text(data));
for (const stream of [lite.stdout_stream, lite.stderr_stream])
  stream.publish_stream_callback = (_, written) => below.push(written);

for (const name of names) {
  const cells = JSON.parse(fs.readFileSync(path.join(notebooks, name))).cells;
  shown[name] = {};
  for (const cell of cells.filter((cell) => cell.cell_type === "code")) {
    below = [];
    const metadata = { cellId: cell.id, deletedCells: [] };
    lite.kernel_instance._parent_header = pyodide.toPy({ header: { msg_id: cell.id }, metadata });
    const reply = await lite.kernel_instance.run([].concat(cell.source).join(""));
    const result = reply.toJs({ dict_converter: Object.fromEntries });
    const error = result.status === "ok" ? "" : `${result.ename}: ${result.evalue}`;
    shown[name][cell.id] = [...below, error];
  }
  await lite.kernel_instance.run("%xunit_reset");
  await lite.kernel_instance.run("%reset -f");
}
console.log(JSON.stringify(shown));
