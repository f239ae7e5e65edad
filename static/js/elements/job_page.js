// <job-page data-job="…" data-parts="…">: keeps the page of a job true without loading it again.
//
// The live channel tells the row as the API does. What moves often (progress) is written at once; when
// anything else has changed, the server renders the parts of the page anew and those that differ are
// replaced. So a part looks the same after a change and after a reload.

import { token } from "../csrf.js"
import { live } from "../live/live.js"
import { showProgress } from "./job_progress.js"

const MOVING = ["progress", "output"]
const PAUSE = 150
// A waiting job's place in the queue changes without its row changing.
const WAITING = 4000
const RETRY = 2000
// So long a refusal stays before news may take its place.
const TO_READ = 5000

class JobPage extends HTMLElement {
  connectedCallback() {
    this.job = this.dataset.job
    this.rendered = new Map([...this.parts()].map((part) => [part.dataset.live, part.outerHTML]))
    this.told = this.querySelector("[data-told]")
    this.leave = new AbortController()
    document.addEventListener("submit", (event) => this.submitted(event), { signal: this.leave.signal })
    this.watch = live.watch({ job: this.job }, (frame) => this.hear(frame))
    this.timer = setInterval(() => {
      if (this.state === "queued" && !document.hidden) this.refresh()
    }, WAITING)
  }

  disconnectedCallback() {
    this.leave.abort()
    this.watch.stop()
    clearInterval(this.timer)
    clearTimeout(this.soon)
  }

  parts() {
    return this.querySelectorAll("[data-live]")
  }

  hear(frame) {
    if (frame.gone?.job?.includes(this.job)) {
      this.say("This job was removed. Its history stays.", true)
      this.querySelector(".th-head__actions")?.replaceChildren()
      this.watch.stop()
      return
    }
    const row = frame.job?.[this.job]
    if (!row) return
    showProgress(this, row.progress)
    const isFresh = Date.now() - (this.wrongAt ?? 0) < TO_READ
    if (this.state && this.state !== row.state && !isFresh) this.say(`${row.name} is now ${row.state}.`)
    this.state = row.state
    const slow = JSON.stringify({ ...row, ...Object.fromEntries(MOVING.map((name) => [name, null])) })
    // The first row may differ from the page: something may have happened since it was rendered.
    if (slow === this.slow) return
    this.slow = slow
    this.refresh()
  }

  // Once per pause at most, one at a time, and again if something came meanwhile.
  refresh() {
    if (this.running || this.soon) {
      this.again = true
      return
    }
    this.soon = setTimeout(async () => {
      this.soon = null
      this.running = true
      this.again = false
      const done = await this.read()
      this.running = false
      if (!done) setTimeout(() => this.isConnected && this.refresh(), RETRY)
      else if (this.again) this.refresh()
    }, PAUSE)
  }

  async read() {
    try {
      const answer = await fetch(this.dataset.parts + location.search)
      // Signed out or gone: the live channel says so.
      if (answer.redirected || answer.status === 404 || answer.status === 403) return true
      if (!answer.ok) return false
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      page.querySelectorAll("[data-live]").forEach((part) => this.place(part))
      return true
    } catch {
      return false
    }
  }

  place(fresh) {
    const name = fresh.dataset.live
    const old = this.querySelector(`[data-live="${name}"]`)
    if (!old || this.rendered.get(name) === fresh.outerHTML) return
    this.rendered.set(name, fresh.outerHTML)
    const focused = old.contains(document.activeElement) ? nameOf(document.activeElement) : ""
    const open = [...old.querySelectorAll("details")].map((each) => each.open)
    const part = document.importNode(fresh, true)
    part.querySelectorAll("details").forEach((each, place) => (each.open = open[place] ?? each.open))
    old.replaceWith(part)
    if (focused) [...part.querySelectorAll("a, button, summary, pre")].find((each) => nameOf(each) === focused)?.focus()
  }

  // The answer to "Stop?" goes to the API, so that the page with its output stays as it is.
  async submitted(event) {
    const form = event.target
    const dialog = form.closest("dialog")
    if (!dialog || new URL(form.action).pathname !== this.dataset.stop) return
    event.preventDefault()
    const button = dialog.querySelector("button[type=submit]")
    button.disabled = true
    const now = form.elements.now?.checked ?? false
    try {
      const answer = await fetch(`/api/v1/jobs/${this.job}/cancel`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
        body: JSON.stringify(now ? { now } : {}),
      })
      const told = await answer.json()
      if (told.code === "job_ended") this.say("It had ended before it could be stopped.", true)
      else if (!answer.ok) this.say(told.error ?? "That did not work.", true)
      else if (answer.status === 200) this.say(`${told.name} is stopped.`)
      else this.say(`${told.name} was ${now ? "told to end at once" : "asked to stop"}.`)
    } catch {
      this.say("No answer from the server; the job may still run.", true)
    }
    dialog.close()
    this.refresh()
  }

  // What went well is to be seen on the page, so it is only said aloud; what did not is shown, too.
  say(words, isBad = false) {
    if (isBad) this.wrongAt = Date.now()
    this.told.className = isBad ? "th-form__errors" : "th-visually-hidden"
    this.told.textContent = words
  }
}

// By which an element is found again after its part was rendered anew.
function nameOf(element) {
  return element.getAttribute("href") ?? element.getAttribute("formaction") ?? (element.id || element.textContent.trim())
}

customElements.define("job-page", JobPage)
