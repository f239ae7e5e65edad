// <th-cron-builder>: around the field of a cron expression. The text is the truth; chips and five small
// fields write it, and the server says what it means, in words and as the next runs.

import { words } from "./relative_time.js"

const DELAY_MS = 180
const RUNS = 5

class CronBuilder extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("[data-cron]")
    if (!this.field || this.tools) return
    this.tools = this.querySelector("[data-tools]")
    this.tools.hidden = false
    this.parts = [...this.querySelectorAll("[data-field]")]
    this.told = document.createElement("p")
    this.told.className = "th-field__error"
    this.told.setAttribute("role", "status")
    this.field.after(this.told)
    this.asked = 0
    this.tools.addEventListener("click", (event) => {
      const chip = event.target.closest("[data-cron-text]")
      if (chip) this.write(chip.dataset.cronText)
    })
    this.tools.addEventListener("input", () => this.join())
    this.field.addEventListener("input", () => {
      this.part()
      this.soon()
    })
    this.zone?.addEventListener("input", () => this.soon())
    this.part()
    if (this.field.value.trim()) this.ask()
  }

  get zone() {
    return this.field.form?.querySelector("[data-timezone]:not(th-cron-builder)")
  }

  get timezone() {
    return this.zone ? this.zone.value.trim() || "UTC" : this.dataset.timezone
  }

  write(text) {
    this.field.value = text
    // The form hears of it as of typing.
    this.field.dispatchEvent(new Event("input", { bubbles: true }))
  }

  // From the text into the five fields; a macro or half an expression leaves them blank.
  part() {
    const terms = this.field.value.trim().split(/\s+/)
    const whole = terms.length === 5
    this.parts.forEach((part, index) => {
      if (document.activeElement !== part) part.value = whole ? terms[index] : ""
    })
    this.querySelectorAll("[data-cron-text]").forEach((chip) => {
      chip.setAttribute("aria-pressed", String(chip.dataset.cronText === terms.join(" ")))
    })
  }

  join() {
    this.field.value = this.parts.map((part) => part.value.trim().replace(/\s+/g, "") || "*").join(" ")
    this.part()
    this.field.dispatchEvent(new Event("change", { bubbles: true }))
    this.soon()
  }

  soon() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.ask(), DELAY_MS)
  }

  async ask() {
    const text = this.field.value.trim()
    // Answers may overtake each other; only the one to the last question counts.
    const number = ++this.asked
    if (!text) return this.show(null, "")
    const query = new URLSearchParams({ cron: text, timezone: this.timezone, count: RUNS })
    let answer, found
    try {
      answer = await fetch(`${this.dataset.preview}?${query}`, { credentials: "same-origin" })
      found = await answer.json()
    } catch {
      found = null
    }
    if (number !== this.asked) return
    if (answer?.ok && found) return this.show(found, "")
    // Signed out or no answer: the field itself stays as good as it was.
    this.show(null, found?.fields ? Object.values(found.fields)[0] : (found?.error ?? "There is no preview now."))
  }

  show(found, error) {
    const panel = this.querySelector("[data-shown]")
    panel.hidden = !found
    this.told.textContent = error ? error[0].toUpperCase() + error.slice(1) : ""
    this.field.setAttribute("aria-invalid", String(Boolean(error)))
    // What the server said of an earlier text is no longer true.
    this.querySelector("#id_schedule_error")?.remove()
    if (!found) return
    this.querySelector("[data-words]").textContent = found.words
    this.querySelector("[data-zone]").textContent = found.timezone
    const warning = this.querySelector("[data-warning]")
    warning.textContent = this.warning(found)
    warning.hidden = !warning.textContent
    this.querySelector("[data-runs]").replaceChildren(...found.results.map((run) => this.run(run, found.timezone)))
  }

  run({ due_at, local, note }, timezone) {
    const line = document.createElement("li")
    const part = (look, text) => {
      const made = document.createElement("span")
      made.className = look
      made.textContent = text
      line.append(made, " ")
    }
    const [day, rest] = local.split("T")
    const utc = ["UTC", "Etc/UTC"].includes(timezone)
    // As pages say it: UTC+2, UTC+5:30.
    const offset = utc ? "" : ` UTC${rest.slice(8).replace(/:00$/, "").replace(/^([+-])0/, "$1")}`
    part("th-mono", `${day} ${rest.slice(0, 5)}${offset}`)
    const distance = words(Date.parse(due_at), Date.now())
    part("th-muted", utc ? distance : `${due_at.slice(0, 16).replace("T", " ")} UTC · ${distance}`)
    if (note) part("th-next__note", note)
    return line
  }

  warning({ cron, results }) {
    const terms = cron.trim().split(/\s+/)
    const told = []
    if (terms.length === 5 && terms.every((term) => term === "*" || term === "*/1")) {
      told.push("Every minute: is that meant?")
    }
    if (terms.length === 5 && !terms[2].startsWith("*") && !terms[4].startsWith("*")) {
      told.push("Day and weekday are both set: it runs when either of them fits.")
    }
    const moments = results.map((run) => Date.parse(run.due_at))
    const gaps = moments.slice(1).map((moment, index) => (moment - moments[index]) / 1000)
    const average = Number(this.dataset.average)
    if (average && gaps.length && average > Math.min(...gaps)) {
      told.push(`Its runs take ${Math.round(average)} s on average, longer than the time between two of them.`)
    }
    return told.join(" ")
  }
}

customElements.define("th-cron-builder", CronBuilder)
