// Going through the rows of a list by keys. The cursor is the focus: it stands on a row's name, so it is
// seen and heard, Enter opens the row, and a row that is patched keeps it.

const ROWS = "#result_list tbody tr, #content .th-rows > li, #content .th-runs > li"
const NAME = ".th-cell-name, .th-rows__name, summary, a[href]"

let last = ""

function rows() {
  return [...document.querySelectorAll(ROWS)].filter((row) => nameOf(row)?.checkVisibility())
}

function nameOf(row) {
  return row.querySelector(NAME)
}

// By which a row is known again after it was drawn anew.
function keyOf(row) {
  return nameOf(row).getAttribute("href") ?? nameOf(row).textContent
}

export function hasRows() {
  return rows().length > 0
}

export function hasTicks() {
  return Boolean(document.querySelector("#result_list .th-tick-box"))
}

// The row that has the focus; null if none has it.
export function currentRow() {
  return document.activeElement?.closest(ROWS) ?? null
}

// Goes on from where one was, also after the focus went elsewhere.
export function moveRow(by) {
  const all = rows()
  const held = currentRow()
  const place = all.findIndex((row) => (held ? row === held : keyOf(row) === last))
  const next = place < 0 ? all.at(by > 0 ? 0 : -1) : all[Math.min(all.length - 1, Math.max(0, place + by))]
  if (!next) return
  last = keyOf(next)
  nameOf(next).focus({ preventScroll: true })
  next.scrollIntoView({ block: "nearest" })
}

export function tickRow() {
  currentRow()?.querySelector(".th-tick-box")?.click()
}
