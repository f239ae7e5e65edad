// LiveRows: keeps the rows of a list true while it is open; each list is a small element built on it.
//
// Rows that look other than before are fetched and patched where they stand, so ticks, scroll and focus
// stay. What is new does not push itself in between: a button says how many there are. Around the table,
// each [data-list-part] follows whenever the list is asked for again.

import { live } from "../live/live.js"
import { swapPart, swapParts } from "./swap_parts.js"
import { toast } from "./toast.js"

const NEW_MS = 3000
const SOON_MS = 200
// After fetching rows the page rests so many times as long as that took: where they change all the time,
// many open pages must not take the server for themselves. Nor may a page fall behind without bound.
const REST = 20
const LONGEST_REST_MS = 8000
const TABLE = "#result_list tbody"

export class LiveRows extends HTMLElement {
  // What an element says of itself: the topic of the live channel, the data-… of a row that holds its id,
  // one and many of them in words, how often rows are fetched at most, and the addresses of the questions
  // that are answered without leaving the list.
  static topic = ""
  static key = ""
  static words = ["", ""]
  static pause = SOON_MS
  static question = null

  // At once on the row: what moves too often to be fetched.
  move(row, told) {}

  // The rest of what is told of a row; when it differs, the row is fetched.
  looks(told) {
    return told
  }

  // Of the overview what changes when a list may have new rows.
  numbers(overview) {
    return null
  }

  // Carry out what a question was about and say it; `match` is of `question`, `fields` are the form's.
  async answer(match, fields) {
    return ""
  }

  connectedCallback() {
    document.readyState === "loading"
      ? document.addEventListener("DOMContentLoaded", () => this.begin(), { once: true })
      : this.begin()
  }

  disconnectedCallback() {
    this.watch?.stop()
    this.leave?.abort()
    clearTimeout(this.timer)
    clearTimeout(this.newTimer)
  }

  begin() {
    this.kind = this.constructor
    this.old = new Set()
    this.known = new Map()
    this.rested = 0
    this.leave = new AbortController()
    this.button = this.querySelector("button")
    this.button.addEventListener("click", () => this.showNew())
    const { signal } = this.leave
    document.addEventListener("submit", (event) => this.submitted(event), { signal })
    document.addEventListener("change", () => this.offer(), { signal })
    this.watch = live.watch(this.topics(), (frame) => this.hear(frame))
  }

  topics() {
    return { [this.kind.topic]: [...this.rows.keys()], overview: true }
  }

  get rows() {
    return this.rowsOf(document)
  }

  rowsOf(page) {
    const { key } = this.kind
    return new Map([...page.querySelectorAll(`${TABLE} tr[data-${key}]`)].map((row) => [row.dataset[key], row]))
  }

  hear(frame) {
    const { topic } = this.kind
    const rows = this.rows
    for (const [id, told] of Object.entries(frame[topic] ?? {})) {
      const row = rows.get(id)
      if (!row) continue
      this.move(row, told)
      const looks = JSON.stringify(this.looks(told))
      // The first time, too: something may have happened since the page was made.
      if (this.known.get(id) !== looks) this.old.add(id)
      this.known.set(id, looks)
    }
    for (const id of frame.gone?.[topic] ?? []) this.remove(rows.get(String(id)))
    if (this.old.size) this.soon()
    const { overview } = frame
    if (overview) this.lookForNew(JSON.stringify([this.numbers(overview), overview.engine.beats]))
  }

  remove(row) {
    if (!row) return
    row.dataset.gone = ""
    row.querySelectorAll("input, button, .th-cell-actions a").forEach((each) => each.remove())
    document.dispatchEvent(new Event("th-rows"))
  }

  soon() {
    this.timer ??= setTimeout(() => this.refresh(), Math.max(this.kind.pause, this.rested - performance.now()))
  }

  async refresh() {
    const began = performance.now()
    const ids = [...this.old]
    this.old.clear()
    const page = await this.read(`${this.dataset.rows}?ids=${ids.join(",")}`)
    const rows = this.rows
    const { key } = this.kind
    page?.querySelectorAll(`tr[data-${key}]`).forEach((fresh) => this.patch(rows.get(fresh.dataset[key]), fresh))
    this.rested = performance.now() + Math.min(LONGEST_REST_MS, REST * (performance.now() - began))
    this.timer = null
    if (this.old.size) this.soon()
  }

  patch(row, fresh) {
    if (!row) return
    const moved = row.dataset.state !== fresh.dataset.state
    row.dataset.state = fresh.dataset.state
    row.className = fresh.className
    swapParts(row, fresh)
    if (!moved) return
    // A layout in between, so that the flash begins anew.
    void row.offsetWidth
    row.classList.add("th-flash")
  }

  // Only the first page of a list grows.
  lookForNew(numbers) {
    const before = this.last
    this.last = numbers
    if (before === numbers || new URLSearchParams(location.search).has("p")) return
    this.newTimer ??= setTimeout(async () => {
      this.newTimer = null
      const page = await this.read(location.href)
      if (!page) return
      this.fresh = page
      this.follow(page)
      this.offer()
    }, before === undefined ? SOON_MS : NEW_MS)
  }

  follow(page) {
    for (const part of document.querySelectorAll("[data-list-part]")) {
      const newer = page.querySelector(`[data-list-part="${part.dataset.listPart}"]`)
      if (newer) swapPart(part, newer)
    }
  }

  offer() {
    const here = [...this.rows.keys()]
    const there = this.fresh ? [...this.rowsOf(this.fresh).keys()] : here
    const come = there.filter((id) => !here.includes(id)).length
    // Such rows stay where they are until somebody asks: what is read must not slip away.
    const left = here.filter((id) => !there.includes(id)).length
    const count = come || left
    const word = this.kind.words[count === 1 ? 0 : 1]
    this.button.textContent = come ? `${come} new ${word}, show` : `${left} ${word} no longer listed here, refresh`
    this.button.hidden = !count || this.held()
  }

  // Nothing moves while rows are ticked or a question is open.
  held() {
    return Boolean(document.querySelector(`${TABLE} input:checked, dialog[open]`))
  }

  showNew() {
    const table = document.querySelector(TABLE)
    const fresh = this.fresh?.querySelector(TABLE)
    if (this.held() || !this.fresh) return
    if (!table || !fresh) return location.reload()
    table.replaceChildren(...document.importNode(fresh, true).children)
    this.fresh = null
    this.known.clear()
    this.watch.change(this.topics())
    this.offer()
    document.dispatchEvent(new Event("th-rows"))
    table.querySelector("a")?.focus({ preventScroll: true })
  }

  async read(address) {
    try {
      const answer = await fetch(address, { credentials: "same-origin" })
      if (!answer.ok || answer.redirected) return null
      return new DOMParser().parseFromString(await answer.text(), "text/html")
    } catch {
      // The next frame, or the next look at the page, brings it.
      return null
    }
  }

  // The answer to a row's question goes to the API, so that the list stays as it is.
  async submitted(event) {
    const dialog = event.target.closest("dialog")
    const match = dialog && this.kind.question?.exec(new URL(event.target.action).pathname)
    if (!match) return
    event.preventDefault()
    const fields = event.target.elements
    dialog.close()
    try {
      toast(await this.answer(match, fields))
    } catch (error) {
      toast(error.message, { error: true })
    }
  }
}
