// Reads a script from stdin and says on stdout, in JSON, why it would not compile; null: it would.
// Nothing of it runs.
"use strict"

const fs = require("node:fs")
const vm = require("node:vm")

const NAMES = ["exports", "require", "module", "__filename", "__dirname"]
const MODULE_ONLY = /Cannot use import statement|Unexpected token 'export'|Cannot use 'import\.meta'|await is only valid|Unexpected reserved word/

function failure(compile) {
  try {
    compile()
    return null
  } catch (error) {
    const place = /^script\.js:(\d+)/.exec(error.stack ?? "")
    return { error, message: `${error.name}: ${error.message}`, line: place ? Number(place[1]) : null }
  }
}

const code = fs.readFileSync(0, "utf8").replace(/^\uFEFF?#!/, "//")
let answer = failure(() => vm.compileFunction(code, NAMES, { filename: "script.js" }))
if (answer) {
  // As node does it: what is no script may be a module.
  const asModule = failure(() => new vm.SourceTextModule(code, { identifier: "script.js" }))
  if (!asModule) answer = null
  else if (MODULE_ONLY.test(answer.message)) answer = asModule
}
fs.writeSync(1, JSON.stringify(answer && { message: answer.message, line: answer.line }))
// Of a module node names the line only when it prints the uncaught error.
if (answer) throw answer.error
