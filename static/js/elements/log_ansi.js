// The colours of terminals: a line of output as runs of text, each with its look.
// Colours and styles are kept; every other escape is dropped, links and titles among them.

const ESCAPE = new RegExp(
  [
    "\\x1b\\[([0-9;:]*)m", // colours and styles
    "\\x1b\\[[0-?]*[ -/]*[@-~]", // other control sequences
    "\\x1b[\\]PX^_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)?", // titles, links, strings
    "\\x1b[@-_]?", // the rest
  ].join("|"),
  "g",
)
const UNSEEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" }
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] }
const STEPS = [0, 95, 135, 175, 215, 255]

// What a terminal would still show of a line: the part behind the last carriage return.
export function visible(line) {
  const end = line.replace(/\r+$/, "")
  return end.slice(end.lastIndexOf("\r") + 1)
}

// [{text, names: [class names], colour, background}]; the last two are CSS colours or "".
export function runs(line) {
  const shown = visible(line)
  if (!shown.includes("\x1b")) return add([], shown, plain())
  const found = []
  let look = plain()
  let position = 0
  for (const escape of shown.matchAll(ESCAPE)) {
    add(found, shown.slice(position, escape.index), look)
    position = escape.index + escape[0].length
    if (escape[1] !== undefined) look = change(look, escape[1])
  }
  return add(found, shown.slice(position), look)
}

function plain() {
  return { styles: new Set(), named: "", ground: "", colour: "", background: "" }
}

function add(found, text, look) {
  if (!text) return found
  const names = [...look.styles].map((style) => `th-ansi-${style}`)
  if (look.named) names.push(`th-ansi-${look.named}`)
  if (look.ground) names.push(`th-ansi-${look.ground}`)
  found.push({ text: text.replace(UNSEEN, "\ufffd"), names, colour: look.colour, background: look.background })
  return found
}

function change(before, codes) {
  let look = { ...before, styles: new Set(before.styles) }
  const numbers = codes.split(/[;:]/).map((code) => Number(code.slice(0, 4)) || 0)
  while (numbers.length) {
    const code = numbers.shift()
    if (code === 0) look = plain()
    else if (STYLES[code]) look.styles.add(STYLES[code])
    else if (ENDS[code]) ENDS[code].forEach((style) => look.styles.delete(style))
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) Object.assign(look, { named: `${code}`, colour: "" })
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) Object.assign(look, { ground: `${code}`, background: "" })
    else if (code === 39) Object.assign(look, { named: "", colour: "" })
    else if (code === 49) Object.assign(look, { ground: "", background: "" })
    else if (code === 38 || code === 48) extend(look, code === 38, numbers)
  }
  return look
}

// 256 colours (5;n) and true colour (2;r;g;b); takes their numbers from the front.
function extend(look, text, numbers) {
  const kind = numbers.shift()
  const name = text ? "named" : "ground"
  const colour = text ? "colour" : "background"
  if (kind === 5) {
    const number = numbers.shift() ?? 0
    const first = text ? [30, 90] : [40, 100]
    look[name] = number < 8 ? `${first[0] + number}` : number < 16 ? `${first[1] + number - 8}` : ""
    look[colour] = number < 16 ? "" : indexed(number)
  } else if (kind === 2) {
    const parts = numbers.splice(0, 3)
    look[name] = ""
    look[colour] = rgb(parts[0], parts[1], parts[2])
  }
}

function indexed(number) {
  if (number >= 232) {
    const grey = 8 + (Math.min(number, 255) - 232) * 10
    return rgb(grey, grey, grey)
  }
  const place = number - 16
  return rgb(STEPS[Math.floor(place / 36)], STEPS[Math.floor(place / 6) % 6], STEPS[place % 6])
}

function rgb(...parts) {
  return `rgb(${[0, 1, 2].map((place) => Math.min(255, parts[place] ?? 0)).join(" ")})`
}
