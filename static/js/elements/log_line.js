// One line of output as an element, and the mark that stands where something was dropped.

import { runs } from "./log_ansi.js"

const UNITS = ["B", "KB", "MB", "GB"]

export function size(bytes) {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${UNITS[unit]}`
}

export function thousands(number) {
  return number.toLocaleString("en-US")
}

// entry: a line as the API sends it, or {number, gap: bytes dropped before that line}.
export function lineElement(entry) {
  const item = document.createElement("li")
  if (entry.gap) {
    item.className = "th-log__gap"
    item.textContent = `${size(entry.gap)} were written here and are kept no more.`
    return item
  }
  item.id = `L${entry.number}`
  item.dataset.time = entry.time.slice(11, 23).padEnd(12, " ")
  if (entry.stream === "stderr") item.className = "th-log__err"
  const number = document.createElement("a")
  number.className = "th-log__number"
  number.href = `#L${entry.number}`
  number.tabIndex = -1
  number.title = `${entry.time.slice(0, 10)} ${entry.time.slice(11, 23)} UTC`
  number.textContent = entry.number
  item.append(number)
  for (const run of runs(entry.text)) item.append(runNode(run))
  // Behind a carriage return stands the end of the line, whole.
  if (entry.cut && !entry.text.includes("\r")) item.append(" … (cut)")
  return item
}

function runNode(run) {
  if (!run.names.length && !run.colour && !run.background) return run.text
  const span = document.createElement("span")
  span.className = run.names.join(" ")
  if (run.colour) span.style.color = run.colour
  if (run.background) span.style.backgroundColor = run.background
  span.textContent = run.text
  return span
}
