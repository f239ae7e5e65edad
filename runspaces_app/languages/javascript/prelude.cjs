// What a JavaScript can say to Taskhub: each call writes one line of JSON to descriptor 3.
//
//   progress(40, "Copying")    percent and message; either may stand alone
//   result(value)              the job's result, anything JSON.stringify takes; the last call counts
//   emit(value, …)             adds to a list result
//   context                    parameters, jobId, task, app, trigger, attempt, dueAt,
//                              startedAt; the task's own variables are in process.env
//
// Loaded before the script. `require`, `__filename` and `__dirname` are global as well, so that a
// script with import or top-level await, which node takes for a module, has them too.
"use strict"

const fs = require("node:fs")
const path = require("node:path")
const { createRequire } = require("node:module")
const { isMainThread } = require("node:worker_threads")

const CHANNEL = 3
const { writeSync, fstatSync } = fs
const stringify = JSON.stringify

// A process forked by the script has something else there; what it says would go astray.
function isOpen() {
  try {
    return fstatSync(CHANNEL).isFIFO()
  } catch {
    return false
  }
}

const open = isOpen()

function say(name, message) {
  if (!open) throw new Error(`${name}: there is no running job`)
  const line = Buffer.from(stringify(message, plain) + "\n")
  for (let written = 0; written < line.length; ) {
    try {
      written += writeSync(CHANNEL, line, written)
    } catch (error) {
      if (error.code !== "EAGAIN") throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

// Sets and maps would be empty objects.
function plain(key, value) {
  if (value instanceof Set) return [...value]
  if (value instanceof Map) return Object.fromEntries(value)
  return value
}

function progress(...given) {
  const percent = typeof given[0] === "number" ? given.shift() : null
  const message = given.length ? given.shift() : null
  const wrong = given.length || Number.isNaN(percent) || (percent === null && message === null)
  if (wrong || (message !== null && (typeof message !== "string" || !message.trim()))) {
    throw new TypeError("progress: expected a number, a text that is not blank, or both in that order")
  }
  const line = {}
  if (percent !== null) line.progress = Math.min(100, Math.max(0, percent))
  if (message !== null) line.message = message
  say("progress", line)
}

function result(value = null) {
  say("result", { result: orNull("result", value) })
}

function emit(...values) {
  if (!values.length) throw new TypeError("emit: expected a value")
  for (const value of values) say("emit", { emit: orNull("emit", value) })
}

function orNull(name, value) {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`${name}: expected a value that is JSON, got a ${typeof value}`)
  }
  return value === undefined ? null : value
}

const env = process.env
const context = Object.freeze({
  parameters: readParameters(),
  jobId: env.TASKHUB_JOB_ID ?? null,
  task: env.TASKHUB_TASK ?? null,
  app: env.TASKHUB_APP ?? null,
  trigger: env.TASKHUB_TRIGGER ?? null,
  attempt: Number(env.TASKHUB_ATTEMPT ?? 0),
  dueAt: env.TASKHUB_DUE_AT ?? null,
  startedAt: env.TASKHUB_STARTED_AT ?? null,
})

function readParameters() {
  if (env.TASKHUB_PARAMETERS_FILE) return JSON.parse(fs.readFileSync(env.TASKHUB_PARAMETERS_FILE, "utf8"))
  return JSON.parse(env.TASKHUB_PARAMETERS ?? "{}")
}

const injected = { progress, result, emit, context }
const script = process.argv[1]
if (script) {
  const full = path.resolve(script)
  Object.assign(injected, { require: createRequire(full), __filename: full, __dirname: path.dirname(full) })
}
for (const [name, value] of Object.entries(injected)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}

// Node says at length that it had to guess whether the script is a module. It guesses right.
const emitWarning = process.emitWarning
process.emitWarning = function (warning, ...more) {
  const code = more[0]?.code ?? more[1]
  if (code !== "MODULE_TYPELESS_PACKAGE_JSON") return emitWarning.call(process, warning, ...more)
}

if (isMainThread && open) {
  process.on("uncaughtExceptionMonitor", (error) => {
    const known = error instanceof Error || (typeof error?.name === "string" && typeof error?.stack === "string")
    const type = known ? String(error.name) : typeof error
    const message = known ? String(error.message) : describe(error)
    const stack = known ? String(error.stack ?? "") : ""
    const frames = stack.split("\n").filter((frame) => !/^\s+at .*\(?node:internal\//.test(frame))
    say("error", { error: { type, message: message.slice(0, 100_000), traceback: frames.join("\n").slice(0, 100_000) } })
  })
}

function describe(thrown) {
  try {
    return typeof thrown === "object" ? stringify(thrown) : String(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}
