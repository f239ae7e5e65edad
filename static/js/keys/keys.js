// Single keys for what a page's links and buttons do. Which there are depends on the page: each key looks
// for its target, and one that finds none does nothing and is not listed.

import { showKeys } from "./key_list.js"
import { currentRow, hasRows, hasTicks, moveRow, tickRow } from "./row_cursor.js"
import { keysAreOn } from "./switch.js"

const CHORD_MS = 1500
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog"
const PLACES = { d: "the overview", t: "tasks", j: "jobs", r: "runspaces" }

const seen = (selector) => [...document.querySelectorAll(selector)].find((each) => each.checkVisibility())
const search = () => seen("#content [role=search] input[type=search]")
const place = (key) => document.querySelector(`#th-places a[data-go="${key}"]`)
// The button of the row that has the focus, else the page's own.
const button = (key) => {
  const named = `[data-shortcut="${key}"]:not([disabled])`
  return currentRow()?.querySelector(named) ?? document.querySelector(`.th-head__actions ${named}`)
}
const shortcut = (key) => () => document.querySelector(`#content [data-shortcut="${key}"]`)
const log = (name) => () => seen(`log-view input[name=${name}]`)

// keys: as they are listed; there: what says that this page has it; act: does it. Those without are heard
// elsewhere: Enter by what has the focus, follow and wrap by the log, the palette by itself.
const KEYS = [
  { keys: "/", words: "Search", there: search, act: () => (search().focus(), search().select()) },
  { keys: "j", words: "Next row", there: hasRows, act: () => moveRow(1) },
  { keys: "k", words: "Row before", there: hasRows, act: () => moveRow(-1) },
  { keys: "Enter", words: "Open the row", there: hasRows },
  { keys: "x", words: "Tick the row", there: hasTicks, act: tickRow },
  { keys: "r", words: "Run now, or again", there: shortcut("r"), act: () => button("r")?.click() },
  { keys: "s", words: "Stop (asks first)", there: shortcut("s"), act: () => button("s")?.click() },
  { keys: "f", words: "Follow the output", there: log("follow") },
  { keys: "w", words: "Wrap long lines", there: log("wrap") },
  ...Object.entries(PLACES).map(([key, words]) => ({
    keys: `g ${key}`,
    words: `Go to ${words}`,
    there: () => place(key),
    act: () => place(key).click(),
  })),
  { keys: "?", words: "This list", there: () => true, act: list },
  { keys: "Ctrl+K", words: "Find anything, run a task", there: () => document.querySelector("th-palette") },
]

function list() {
  showKeys(KEYS.filter((each) => each.there()))
}

let chord = 0

function key(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (!keysAreOn() || event.target.closest?.(TYPED) || document.querySelector("dialog[open]")) return
  const second = event.timeStamp < chord
  chord = event.key === "g" && !second ? event.timeStamp + CHORD_MS : 0
  const meant = KEYS.find((each) => each.keys === (second ? `g ${event.key}` : event.key))
  if (!meant?.act || (event.repeat && !"jk".includes(event.key)) || !meant.there()) return
  event.preventDefault()
  meant.act()
}

document.addEventListener("keydown", key)
document.addEventListener("click", (event) => event.target.closest("[data-key-list]") && list())
