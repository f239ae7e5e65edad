// What keys do in a field of code: Tab and Shift+Tab indent, Enter keeps the indent.
// Edits go through the browser's own editing, so that undo takes them back.

export function replace(field, from, to, text) {
  field.setSelectionRange(from, to)
  const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete")
  if (!done) {
    field.setRangeText(text, from, to, "end")
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
}

function lineStart(text, position) {
  return text.lastIndexOf("\n", position - 1) + 1
}

// The unit the text itself uses, else four spaces.
export function unitOf(text) {
  const found = /^(\t| {2,8})\S/m.exec(text)
  return found ? found[1] : "    "
}

export function indent(field) {
  const { value, selectionStart: from, selectionEnd: to } = field
  const unit = unitOf(value)
  if (!value.slice(from, to).includes("\n")) {
    const column = from - lineStart(value, from)
    replace(field, from, to, unit === "\t" ? "\t" : " ".repeat(unit.length - (column % unit.length)))
    return
  }
  changeLines(field, (line) => (line ? unit + line : line))
}

export function outdent(field) {
  const unit = unitOf(field.value)
  const least = new RegExp(`^(?:\\t| {1,${unit === "\t" ? 4 : unit.length}})`)
  changeLines(field, (line) => line.replace(least, ""))
}

function changeLines(field, change) {
  const { value, selectionStart, selectionEnd } = field
  const from = lineStart(value, selectionStart)
  // A selection that ends at the start of a line does not mean that line.
  const last = selectionEnd > selectionStart && value[selectionEnd - 1] === "\n" ? selectionEnd - 1 : selectionEnd
  const end = value.indexOf("\n", last)
  const to = end < 0 ? value.length : end
  const before = value.slice(from, to).split("\n")
  const after = before.map(change)
  const text = after.join("\n")
  if (text === before.join("\n")) return
  replace(field, from, to, text)
  if (before.length > 1) field.setSelectionRange(from, from + text.length)
  else {
    const place = Math.max(from, selectionStart + text.length - (to - from))
    field.setSelectionRange(place, Math.max(place, selectionEnd + text.length - (to - from)))
  }
}

// opens: a pattern for what stands before the cursor on a line after which a block begins.
export function newLine(field, opens) {
  const { value, selectionStart: from, selectionEnd: to } = field
  const line = value.slice(lineStart(value, from), from)
  const kept = /^[ \t]*/.exec(line)[0]
  replace(field, from, to, `\n${kept}${opens.test(line) ? unitOf(value) : ""}`)
}
