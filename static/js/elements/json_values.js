// A value as one line of text and back. Numbers keep all their digits: a script may know more of them than
// a browser does.

const READ_AS_JSON = /^(?:-?\d|[[{"]|true$|false$|null$)/

/** What a text parses to; throws if it is no JSON, or holds a number that would come back as another. */
export function parse(text) {
  return JSON.parse(text, (key, value, more) => {
    if (typeof value !== "number") return value
    if (more?.source && JSON.rawJSON) return String(value) === more.source ? value : JSON.rawJSON(more.source)
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new SyntaxError("too many digits")
    return value
  })
}

/** The JSON that a text in a field stands for; what does not read as JSON is a text. */
export function literal(text) {
  const trimmed = text.trim()
  if (!READ_AS_JSON.test(trimmed)) return JSON.stringify(text)
  try {
    JSON.parse(trimmed)
    return trimmed
  } catch {
    return JSON.stringify(text)
  }
}

/** What stands in a field for a value, so that `literal` makes the value of it again. */
export function shown(value) {
  if (typeof value !== "string") return JSON.stringify(value)
  return literal(value) === JSON.stringify(value) ? value : JSON.stringify(value)
}
