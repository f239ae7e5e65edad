// Shows a long output in a box that scrolls: empty chunks of 500 lines as high as their lines will be.
// Those near the viewport are read and filled by pieces of 100 lines, those far away are emptied again.
//
// Browsers end a page at some ten million pixels, so at most 1,000 chunks are laid out. Of a longer
// output they are a window: dragging the scroll bar maps to line numbers of the whole, scrolling by
// wheel or key goes line by line, and at the window's edges the window moves on.

import { lineElement } from "./log_line.js"
import { CHUNK } from "./log_source.js"

const PIECE = 100
const LINE = 19
const MOST_CHUNKS = 1000
const MARGIN = 600
const RETRY_FROM = 500
const RETRY_MOST = 15_000

export class LogScroll {
  // decorate(item, number) is called for each line that is put into the page.
  constructor(box, source, decorate) {
    this.box = box
    this.source = source
    this.decorate = decorate
    this.base = 0
    this.shown = new Map()
    this.frame = document.createElement("div")
    this.frame.className = "th-log__lines"
    const near = { root: box, rootMargin: `${MARGIN}px 0px` }
    this.chunkWatch = new IntersectionObserver((found) => found.forEach((each) => this.seeChunk(each)), near)
    this.pieceWatch = new IntersectionObserver((found) => found.forEach((each) => this.seePiece(each)), near)
    this.following = false
    this.onscroll = () => this.scrolled()
    box.addEventListener("scroll", this.onscroll, { passive: true })
  }

  stop() {
    this.chunkWatch.disconnect()
    this.pieceWatch.disconnect()
    this.box.removeEventListener("scroll", this.onscroll)
  }

  // Layout

  // Begin anew, at the end or at the top.
  reset() {
    this.layOut(this.following ? this.lastBase() : 0)
    this.box.replaceChildren(this.frame)
    if (this.following) this.pin()
    else this.jump(0)
  }

  lastBase() {
    return Math.max(0, this.source.chunks - MOST_CHUNKS)
  }

  layOut(base) {
    this.chunkWatch.disconnect()
    this.pieceWatch.disconnect()
    this.shown.clear()
    this.base = base
    this.frame.replaceChildren()
    this.addChunks()
  }

  addChunks() {
    const end = Math.min(this.source.chunks, this.base + MOST_CHUNKS)
    for (let index = this.base + this.frame.children.length; index < end; index++) {
      const chunk = document.createElement("div")
      chunk.className = "th-log__chunk"
      chunk.index = index
      chunk.style.height = `${this.expected(index)}px`
      this.frame.append(chunk)
      this.chunkWatch.observe(chunk)
    }
  }

  expected(index) {
    if (this.source.isWhole(index)) return this.source.entries(index).length * LINE
    return Math.min(CHUNK, this.source.total - index * CHUNK) * LINE
  }

  chunk(index) {
    return this.frame.children[index - this.base]
  }

  // There are more lines than before.
  grown() {
    while (this.following && this.base < this.lastBase()) this.dropFirst()
    const before = this.frame.lastElementChild
    this.addChunks()
    for (const chunk of new Set([before, this.frame.lastElementChild])) {
      if (!chunk) continue
      if (this.shown.has(chunk.index)) this.fill(chunk)
      else chunk.style.height = `${this.expected(chunk.index)}px`
    }
    if (this.following) this.pin()
  }

  dropFirst() {
    const first = this.frame.firstElementChild
    this.chunkWatch.unobserve(first)
    for (const piece of first.children) this.pieceWatch.unobserve(piece)
    this.shown.delete(first.index)
    first.remove()
    this.base += 1
  }

  // Wrapping changed how high lines are: what is not shown now is measured again when it is.
  remeasure() {
    const top = this.topLine()
    for (const chunk of this.frame.children) {
      if (!this.shown.has(chunk.index)) chunk.style.height = `${this.expected(chunk.index)}px`
      else for (const piece of chunk.children) if (!piece.children.length) piece.style.height = `${piece.entries.length * LINE}px`
    }
    if (this.following) this.pin()
    else if (top) this.reveal(top, 0)
  }

  // Filling

  seeChunk({ target: chunk, isIntersecting }) {
    if (isIntersecting) {
      this.shown.set(chunk.index, chunk)
      this.fill(chunk)
    } else if (this.shown.delete(chunk.index)) {
      const height = chunk.offsetHeight
      for (const piece of chunk.children) this.pieceWatch.unobserve(piece)
      chunk.replaceChildren()
      chunk.style.height = `${height}px`
      this.source.trim(this.shown)
    }
  }

  async fill(chunk, wait = RETRY_FROM) {
    if (this.source.entries(chunk.index).length) this.build(chunk)
    const round = this.source.round
    try {
      while (!this.source.isWhole(chunk.index)) {
        const before = this.source.known.get(chunk.index)?.through
        await this.source.load(chunk.index)
        if (this.source.round !== round || !this.isLaidOut(chunk)) return
        if (this.source.known.get(chunk.index)?.through === before) break
      }
    } catch (error) {
      if (error.status === 401) return
      // The server may be starting anew: as long as the chunk is looked at it is asked for again.
      setTimeout(() => {
        if (this.isLaidOut(chunk) && this.shown.has(chunk.index)) this.fill(chunk, Math.min(wait * 2, RETRY_MOST))
      }, wait)
      return
    }
    this.build(chunk)
    this.settle()
  }

  isLaidOut(chunk) {
    return this.chunk(chunk.index) === chunk
  }

  // The pieces of a chunk as far as its lines are known; those that stay the same are kept.
  build(chunk) {
    if (!this.shown.has(chunk.index)) return
    const entries = this.source.entries(chunk.index)
    for (let first = 0, place = 0; first < entries.length; first += PIECE, place++) {
      const part = entries.slice(first, first + PIECE)
      const old = chunk.children[place]
      if (old && sameEntries(old.entries, part)) continue
      const piece = document.createElement("ol")
      piece.className = "th-log__piece"
      piece.entries = part
      piece.style.height = `${part.length * LINE}px`
      if (old) {
        this.pieceWatch.unobserve(old)
        old.replaceWith(piece)
        if (old.children.length) this.render(piece)
      } else chunk.append(piece)
      this.pieceWatch.observe(piece)
    }
    chunk.style.height = this.source.isWhole(chunk.index) ? "auto" : ""
    chunk.style.minHeight = this.source.isWhole(chunk.index) ? "" : `${this.expected(chunk.index)}px`
    if (this.following) this.pin()
  }

  // One answer may have told how many lines of a stream other chunks have, too: often none.
  settle() {
    if (!this.source.stream) return
    for (const chunk of this.frame.children) {
      if (!this.shown.has(chunk.index) && this.source.isWhole(chunk.index)) {
        chunk.style.height = `${this.expected(chunk.index)}px`
      }
    }
    if (this.following) this.pin()
  }

  seePiece({ target: piece, isIntersecting }) {
    if (isIntersecting) {
      if (!piece.children.length) this.render(piece)
    } else if (piece.children.length) {
      piece.style.height = `${piece.offsetHeight}px`
      piece.replaceChildren()
    }
  }

  render(piece) {
    const items = piece.entries.map((entry) => {
      const item = lineElement(entry)
      if (!entry.gap) this.decorate(item, entry.number)
      return item
    })
    piece.style.height = ""
    piece.replaceChildren(...items)
    if (this.following) this.pin()
  }

  redecorate() {
    for (const item of this.frame.querySelectorAll("li[id]")) this.decorate(item, Number(item.id.slice(1)))
  }

  // Places

  jump(top) {
    this.box.scrollTop = top
    this.expectedTop = this.box.scrollTop
  }

  pin() {
    this.jump(this.box.scrollHeight)
  }

  get atEnd() {
    const last = this.base + MOST_CHUNKS >= this.source.chunks
    return last && this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 2 * LINE
  }

  follow(on) {
    this.following = on
    if (!on) return
    if (this.base < this.lastBase()) this.layOut(this.lastBase())
    this.pin()
  }

  // Show a line; `share` says where in the box: 0 top, 0.5 middle.
  async reveal(number, share = 0.4) {
    const index = Math.floor((Math.min(Math.max(number, 1), this.source.total) - 1) / CHUNK)
    if (index < 0) return
    if (index < this.base || index >= this.base + MOST_CHUNKS) {
      this.layOut(Math.min(this.lastBase(), Math.max(0, index - MOST_CHUNKS / 2)))
    }
    const chunk = this.chunk(index)
    this.jump(chunk.offsetTop + ((number - 1) % CHUNK) * LINE - this.box.clientHeight * share)
    this.shown.set(index, chunk)
    await this.fill(chunk)
    if (!this.isLaidOut(chunk)) return
    for (const piece of chunk.children) {
      const last = piece.entries.at(-1)
      if (last.number < number) continue
      if (!piece.children.length) this.render(piece)
      const place = piece.entries.findIndex((entry) => entry.number >= number && !entry.gap)
      const item = piece.children[Math.max(0, place)]
      this.jump(item.offsetTop - this.box.clientHeight * share)
      return
    }
  }

  // Number of the first line that is seen now.
  topLine() {
    const top = this.box.scrollTop
    for (const chunk of [...this.shown.values()].sort((one, other) => one.index - other.index)) {
      if (!this.isLaidOut(chunk) || chunk.offsetTop + chunk.offsetHeight <= top) continue
      for (const item of chunk.querySelectorAll("li[id]")) if (item.offsetTop + LINE > top) return Number(item.id.slice(1))
    }
    return 0
  }

  scrolled() {
    const top = this.box.scrollTop
    const way = top - (this.expectedTop ?? 0)
    this.expectedTop = top
    if (this.source.chunks > MOST_CHUNKS && way !== 0) this.moveWindow(top, way)
    this.box.dispatchEvent(new CustomEvent("log-scroll", { detail: { way } }))
  }

  moveWindow(top, way) {
    const room = this.box.scrollHeight - this.box.clientHeight
    const most = this.lastBase()
    if (Math.abs(way) > 4 * this.box.clientHeight) {
      const base = Math.round((top / room) * most)
      if (Math.abs(base - this.base) < 2) return
      this.layOut(base)
      this.jump(top)
      return
    }
    const edge = 2 * CHUNK * LINE
    const step = MOST_CHUNKS / 2
    const by = top < edge ? -Math.min(step, this.base) : room - top < edge ? Math.min(step, most - this.base) : 0
    if (by === 0) return
    const line = this.topLine() || (this.base + Math.floor(top / (CHUNK * LINE))) * CHUNK + 1
    this.layOut(this.base + by)
    this.reveal(line, 0)
  }
}

function sameEntries(one, other) {
  return one.length === other.length && one.at(-1) === other.at(-1) && one[0] === other[0]
}
