// Finding text in an output: the server looks, the viewer goes from line to line.

const LIMIT = 1000
const PAUSE = 250

export class LogFind {
  // show(number) brings a line into view; changed() is called when what is found has changed.
  constructor(form, source, { show, changed }) {
    this.field = form.querySelector("input")
    this.count = form.querySelector("[data-count]")
    this.steps = form.querySelectorAll("button")
    this.source = source
    this.show = show
    this.changed = changed
    this.clear()
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.search(), PAUSE)
    })
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault()
        this.step(event.shiftKey ? -1 : 1)
      } else if (event.key === "Escape" && this.field.value) {
        event.preventDefault()
        this.field.value = ""
        this.search()
      }
    })
    form.addEventListener("submit", (event) => event.preventDefault())
    this.steps.forEach((button) => button.addEventListener("click", () => this.step(Number(button.dataset.step))))
  }

  clear() {
    this.query = ""
    this.numbers = []
    this.lines = new Set()
    this.place = -1
    this.more = false
    this.after = 0
  }

  get current() {
    return this.numbers[this.place]
  }

  async search() {
    clearTimeout(this.timer)
    this.clear()
    this.query = this.field.value
    if (this.query) {
      await this.read()
      if (this.numbers.length) return this.go(0)
    }
    this.tell()
    this.changed()
  }

  // Find more behind what was found. An answer for another text than the present one is dropped.
  async read() {
    const query = this.query
    const asked = this.numbers.length
    this.count.textContent = "Looking…"
    try {
      do {
        const answer = await this.source.ask("/search", {
          q: query,
          limit: LIMIT,
          after_line: this.after,
          stream: this.source.stream,
        })
        if (this.query !== query) return
        for (const line of answer.lines) {
          this.numbers.push(line.number)
          this.lines.add(line.number)
        }
        this.after = answer.after_line
        this.more = !answer.complete
      } while (this.more && this.numbers.length === asked)
    } catch {
      if (this.query === query) this.count.textContent = "Could not look"
    }
  }

  async step(by) {
    if (this.field.value !== this.query || (!this.numbers.length && this.query)) return this.search()
    if (!this.numbers.length) return
    let place = this.place + by
    if (place >= this.numbers.length && this.more) await this.read()
    if (place >= this.numbers.length) place = 0
    if (place < 0) place = this.numbers.length - 1
    this.go(place)
  }

  go(place) {
    this.place = place
    this.tell()
    this.changed()
    this.show(this.current)
  }

  tell() {
    const some = this.numbers.length
    if (!this.query) this.count.textContent = ""
    else if (!some) this.count.textContent = "Nothing found"
    else this.count.textContent = `${this.place + 1} of ${some.toLocaleString("en-US")}${this.more ? "+" : ""}`
    this.steps.forEach((button) => (button.disabled = !some))
  }
}
