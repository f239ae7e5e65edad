// <log-view data-output="…" data-attempt="1" data-open>: shows a job's output as it grows.
//
// The live channel says how much there is; the lines are read where somebody looks. The server has put
// the last lines into the page: they stay until the first lines have been read.

import { live } from "../live/live.js"
import { LogFind } from "./log_find.js"
import { size, thousands } from "./log_line.js"
import { LogMarks } from "./log_marks.js"
import { LogScroll } from "./log_scroll.js"
import { LogSource } from "./log_source.js"

// More than that is downloaded, not copied.
const MOST_COPIED = 1024 * 1024
// A growing output without errors is asked for its first one so often, in ms.
const LOOK = 1000

class LogView extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector(".th-log")
    this.source = new LogSource(this.dataset.output, Number(this.dataset.attempt))
    this.source.stream = this.dataset.stream ?? ""
    this.source.total = Number(this.dataset.lines)
    this.isOpen = this.hasAttribute("data-open")
    this.marks = new LogMarks(location.hash)
    this.scroll = new LogScroll(this.box, this.source, (item, number) => this.decorate(item, number))
    this.find = new LogFind(this.part("find"), this.source, {
      show: (number) => this.show(number),
      changed: () => this.scroll.redecorate(),
    })
    this.seen = this.source.total
    this.prepareTools()
    this.listen()
    this.begin()
    this.lookForErrors()
    if (this.hasAttribute("data-last")) this.watchGrowth()
  }

  disconnectedCallback() {
    this.leave.abort()
    clearTimeout(this.looking)
    this.scroll.stop()
    this.watch?.stop()
  }

  part(name) {
    return this.querySelector(`[data-part=${name}]`)
  }

  prepareTools() {
    this.part("tools").hidden = !this.source.total
    this.part("pages")?.remove()
    this.part("stale")?.remove()
    this.followBox = this.querySelector("input[name=follow]")
    this.wrapBox = this.querySelector("input[name=wrap]")
    this.timesBox = this.querySelector("input[name=times]")
    this.pill = this.part("pill")
    this.tellOpen()
  }

  listen() {
    this.leave = new AbortController()
    const on = (target, kind, act) => target.addEventListener(kind, act, { signal: this.leave.signal })
    on(this.followBox, "change", () => this.follow(this.followBox.checked))
    on(this.wrapBox, "change", () => this.wrap())
    on(this.timesBox, "change", () => {
      this.box.classList.toggle("th-log--times", this.timesBox.checked)
      if (this.wrapBox.checked) this.scroll.remeasure()
    })
    on(this.pill, "click", () => this.follow(true))
    on(this.part("first-error"), "click", () => this.firstError())
    on(this.part("copy"), "click", () => this.copy())
    on(this.part("streams"), "click", (event) => this.chooseStream(event))
    on(this.box, "log-scroll", (event) => this.scrolled(event.detail.way))
    on(this.box, "click", (event) => this.chooseLine(event))
    on(document, "keydown", (event) => this.key(event))
    on(window, "hashchange", () => {
      if (this.marks.read(location.hash)) this.show(this.marks.first)
      this.scroll.redecorate()
    })
  }

  begin() {
    this.scroll.following = !this.marks.first
    this.followBox.checked = this.scroll.following
    if (!this.source.total) return
    this.scroll.reset()
    if (this.marks.first) this.show(this.marks.first)
  }

  // Growth

  watchGrowth() {
    const job = this.dataset.job
    this.watch = live.watch({ output: job }, (frame) => {
      const told = frame.output?.[job]
      if (told) this.told(told)
    })
  }

  told({ attempt, bytes, lines, dropped, complete }) {
    if (attempt !== this.source.attempt) this.beginAttempt(attempt)
    const changed = lines !== this.source.total || bytes !== this.bytes
    this.bytes = bytes
    if (changed) this.tellSize(lines, bytes, dropped)
    if (changed && lines) this.grow(lines)
    if (complete === this.isOpen) {
      this.isOpen = !complete
      this.tellOpen()
    }
  }

  grow(lines) {
    const first = !this.source.total
    this.source.grow(lines)
    if (first || !this.scroll.frame.isConnected) {
      this.part("empty").hidden = true
      this.part("tools").hidden = false
      this.part("streams").hidden = false
      this.box.hidden = false
      this.scroll.reset()
    } else this.scroll.grown()
    this.tellPill()
    this.looking ??= setTimeout(() => {
      this.looking = null
      this.lookForErrors()
    }, LOOK)
  }

  beginAttempt(attempt) {
    this.source.attempt = attempt
    this.source.total = 0
    this.looked = null
    this.part("first-error").hidden = true
    this.startOver()
    this.box.hidden = true
    this.part("empty").hidden = false
  }

  startOver() {
    this.source.forget()
    this.find.clear()
    this.find.tell()
    this.seen = this.source.total
    this.scroll.reset()
  }

  tellSize(lines, bytes, dropped) {
    const some = lines ? `${thousands(lines)} line${lines === 1 ? "" : "s"}, ${size(bytes)}` : ""
    this.part("size").textContent = dropped ? `${some}, ${size(dropped)} of it dropped` : some
  }

  tellOpen() {
    this.followBox.closest("label").hidden = !this.isOpen
    this.tellPill()
  }

  tellPill() {
    const fresh = this.source.total - this.seen
    this.pill.hidden = this.scroll.following || this.scroll.atEnd || !this.source.total
    const words = fresh > 0 && this.isOpen ? `, ${thousands(fresh)} new line${fresh === 1 ? "" : "s"}` : ""
    this.pill.textContent = `Jump to end${words}`
  }

  // Places

  follow(on) {
    this.followBox.checked = on
    this.leftByScrolling = false
    this.seen = this.source.total
    this.scroll.follow(on)
    this.tellPill()
  }

  scrolled(way) {
    if (this.scroll.following && way < -2 && !this.scroll.atEnd) {
      this.follow(false)
      this.leftByScrolling = true
    } else if (way > 0 && this.leftByScrolling && this.scroll.atEnd) this.follow(true)
    else this.tellPill()
  }

  show(number, share) {
    if (this.scroll.following) this.follow(false)
    return this.scroll.reveal(number, share).then(() => this.tellPill())
  }

  decorate(item, number) {
    item.classList.toggle("th-log__marked", this.marks.has(number))
    item.classList.toggle("th-log__found", this.find.lines.has(number))
    item.classList.toggle("th-log__found--here", this.find.current === number)
  }

  // What the tools do

  wrap() {
    this.box.classList.toggle("th-log--wrap", this.wrapBox.checked)
    this.scroll.remeasure()
  }

  // The button stands there once there is an error; each look begins where the one before ended.
  async lookForErrors() {
    const looked = (this.looked ??= { next: 1, error: 0, runs: false })
    if (looked.runs || looked.error) return
    looked.runs = true
    try {
      while (this.isConnected && this.looked === looked && looked.next <= this.source.total) {
        const answer = await this.source.ask("", { line: looked.next, lines: 1, stream: "stderr" })
        looked.error = answer.lines[0]?.number ?? 0
        if (looked.error || answer.next_line <= looked.next) break
        looked.next = answer.next_line
      }
      if (this.looked === looked) this.part("first-error").hidden = !looked.error
    } catch {
      // The next lines ask again.
    } finally {
      looked.runs = false
    }
  }

  async firstError() {
    const number = this.looked.error
    this.marks.take(number, false)
    await this.show(number)
    this.scroll.redecorate()
  }

  async copy() {
    const button = this.part("copy")
    const marked = this.marks.first > 0
    const range = marked
      ? { line: this.marks.first, lines: this.marks.last - this.marks.first + 1 }
      : { line: 1, lines: this.source.total }
    if (!marked && (this.bytes ?? Number(this.dataset.bytes)) > MOST_COPIED) return this.say(button, "Too long: download it")
    try {
      const answer = await this.source.ask("", { ...range, lines: Math.min(range.lines, 10_000), stream: this.source.stream })
      if (answer.next_line < range.line + range.lines && answer.next_line <= this.source.total) {
        return this.say(button, "Too long: download it")
      }
      await navigator.clipboard.writeText(answer.lines.map((line) => `${line.text}\n`).join(""))
      this.say(button, "Copied")
    } catch {
      this.say(button, "Could not copy")
    }
  }

  say(button, words) {
    button.dataset.words ??= button.textContent
    button.textContent = words
    clearTimeout(this.saying)
    this.saying = setTimeout(() => (button.textContent = button.dataset.words), 2000)
  }

  chooseStream(event) {
    const link = event.target.closest("a[data-stream]")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.part("streams").querySelectorAll("a").forEach((each) => each.toggleAttribute("aria-current", false))
    link.setAttribute("aria-current", "true")
    history.replaceState(null, "", link.href)
    const line = this.scroll.topLine()
    this.source.stream = link.dataset.stream
    this.startOver()
    if (!this.scroll.following && line) this.show(line, 0)
    if (this.find.field.value) this.find.search()
  }

  chooseLine(event) {
    const link = event.target.closest("a.th-log__number")
    if (!link || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const number = Number(link.textContent)
    history.replaceState(null, "", this.marks.take(number, event.shiftKey))
    if (this.scroll.following) this.follow(false)
    this.scroll.redecorate()
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog")) return
    if (document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]")) return
    if (event.key === "w") this.wrapBox.click()
    else if (event.key === "f" && this.isOpen) this.followBox.click()
    else if (event.key === "End" && event.target === this.box) this.follow(true)
    else return
    event.preventDefault()
  }
}

customElements.define("log-view", LogView)
