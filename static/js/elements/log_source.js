// Where the lines of an output come from: the API, by ranges of lines, and what is known of them so far.

export const CHUNK = 500
const MOST_KEPT = 24
const FURTHEST = 512

export class SourceError extends Error {
  constructor(status) {
    super(`status ${status}`)
    this.status = status
  }
}

export class LogSource {
  constructor(address, attempt) {
    this.address = address
    this.attempt = attempt
    this.stream = ""
    this.total = 0
    this.forget()
  }

  // Everything read so far was of another attempt or stream.
  forget() {
    this.known = new Map()
    this.loading = new Map()
    this.gaps = new Map()
    this.reach = 1
    this.round = (this.round ?? 0) + 1
  }

  get chunks() {
    return Math.ceil(this.total / CHUNK)
  }

  // Entries of a chunk in order, as far as they were read.
  entries(index) {
    return this.known.get(index)?.entries ?? []
  }

  isWhole(index) {
    const known = this.known.get(index)
    return known !== undefined && known.through > Math.min((index + 1) * CHUNK, this.total)
  }

  // The output has grown: a last line without its line feed may have, too.
  grow(total) {
    this.total = Math.max(this.total, total)
    for (const known of this.known.values()) {
      const last = known.entries.at(-1)
      if (last && last.ended === false) {
        known.entries.pop()
        known.through = last.number
      }
    }
  }

  // Read what is missing of a chunk; calls for the same one share one request.
  load(index) {
    const running = this.loading.get(index)
    if (running) return running
    const round = this.round
    const reading = this.read(index, round).finally(() => {
      if (this.round === round) this.loading.delete(index)
    })
    this.loading.set(index, reading)
    return reading
  }

  async read(index, round) {
    let at = Math.max(0, index - this.reach + 1)
    while (!this.isWhole(index)) {
      while (at < index && this.isWhole(at)) at++
      const from = this.known.get(at)?.through ?? at * CHUNK + 1
      const answer = await this.ask("", { line: from, lines: CHUNK, stream: this.stream })
      if (this.round !== round) return
      this.take(from, answer)
      if (answer.next_line <= from) return
      // Going up through a stream that says little, one request shall reach further back each time.
      const sparse = this.stream && answer.lines.length < CHUNK / 4
      this.reach = sparse ? Math.min(this.reach * 2, FURTHEST) : 1
    }
  }

  // An answer covers all numbers from the one asked for up to `next_line`: for a stream that says
  // little, or where much was dropped, those are many chunks at once.
  take(from, answer) {
    this.total = Math.max(this.total, answer.total_lines)
    const entries = this.withGaps(answer, from)
    const behind = answer.next_line
    let place = 0
    for (let index = Math.floor((from - 1) / CHUNK); index * CHUNK + 1 < behind; index++) {
      const first = index * CHUNK + 1
      const end = first + CHUNK
      const known = this.known.get(index) ?? { entries: [], through: first }
      const begin = Math.max(first, from)
      const fresh = []
      while (place < entries.length && entries[place].number < end) fresh.push(entries[place++])
      if (known.through === begin) {
        known.entries.push(...fresh)
        known.through = Math.min(behind, end)
      }
      this.known.delete(index)
      this.known.set(index, known)
    }
  }

  withGaps(answer, from) {
    const gaps = [...answer.gaps].sort((one, other) => one.offset - other.offset)
    const entries = []
    const mark = (gap, number) => {
      const told = this.gaps.get(gap.offset)
      if (told !== undefined && told !== number) return
      this.gaps.set(gap.offset, number)
      entries.push({ number, gap: gap.bytes })
    }
    for (const line of answer.lines) {
      while (gaps.length && gaps[0].offset <= line.offset) mark(gaps.shift(), line.number)
      entries.push(line)
    }
    gaps.forEach((gap) => mark(gap, Math.max(from, answer.next_line - 1)))
    return entries
  }

  // Forget lines that have not been used for long, but none of those shown.
  trim(shown) {
    const full = [...this.known].filter(([, known]) => known.entries.length).map(([index]) => index)
    const old = full.slice(0, Math.max(0, full.length - MOST_KEPT))
    old.filter((index) => !shown.has(index)).forEach((index) => this.known.delete(index))
  }

  async ask(path, query) {
    const said = new URLSearchParams({ attempt: this.attempt })
    for (const [name, value] of Object.entries(query)) {
      if (value !== "" && value !== undefined) said.set(name, value)
    }
    const answer = await fetch(`${this.address}${path}?${said}`, { headers: { Accept: "application/json" } })
    // Growth is told until the live channel looks at the rights again; the page need not wait for that.
    if (answer.status === 401) document.dispatchEvent(new Event("th-signed-out"))
    if (!answer.ok) throw new SourceError(answer.status)
    return answer.json()
  }
}
