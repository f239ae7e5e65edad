// <th-live-parts data-topics='{"overview": true}'>: keeps the [data-part]s of a page true while it is open.
//
// The live channel says that something has changed; the page is then asked for again, and the parts that
// differ are replaced. So a part looks the same after a change and after a reload. Numbers that move all
// the time are written at once: progress by [data-job], counts by [data-count].

import { live } from "../live/live.js"
import { showProgress } from "./job_progress.js"
import { swapParts } from "./swap_parts.js"

const SOON_MS = 150
const REST_MS = 2500
const LONGER_REST_MS = 7500
// What the clock alone changes, and what a lost message would have told.
const IDLE_MS = 10_000

class LiveParts extends HTMLElement {
  connectedCallback() {
    this.last = 0
    this.topics = JSON.parse(this.dataset.topics)
    this.watch = live.watch(this.topics, (frame) => this.hear(frame))
    this.idle = setInterval(() => !document.hidden && this.soon(), IDLE_MS)
    this.shown = () => !document.hidden && this.soon()
    document.addEventListener("visibilitychange", this.shown)
    this.retry = (event) => {
      if (!event.target.closest("[data-retry]")) return
      event.preventDefault()
      this.refresh()
    }
    document.addEventListener("click", this.retry)
  }

  disconnectedCallback() {
    this.watch.stop()
    clearInterval(this.idle)
    clearTimeout(this.timer)
    document.removeEventListener("visibilitychange", this.shown)
    document.removeEventListener("click", this.retry)
  }

  hear(frame) {
    const told = Object.fromEntries(Object.keys(this.topics).map((topic) => [topic, frame[topic]]))
    for (const row of [...(told.overview?.running ?? []), ...(told.overview?.queued ?? [])]) {
      showProgress(document.querySelector(`[data-job="${CSS.escape(row.uuid)}"]`), row.progress)
    }
    for (const [name, number] of Object.entries(told.overview?.open ?? {})) {
      const place = document.querySelector(`[data-count="${name}"]`)
      if (place) place.textContent = number.toLocaleString("en")
    }
    const looks = JSON.stringify(told, (key, value) => (key === "progress" || key === "seen_at" ? undefined : value))
    if (looks === "{}" || looks === this.looks) return
    this.looks = looks
    this.soon()
  }

  // At once after a quiet while, else with a pause between two looks, longer if the server is slow.
  soon() {
    if (this.timer) return
    this.timer = setTimeout(() => this.refresh(), Math.max(SOON_MS, this.last + REST_MS - performance.now()))
  }

  async refresh() {
    const began = performance.now()
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" })
      // Signed out: the live channel says so.
      if (answer.redirected) return
      if (!answer.ok) throw new Error(String(answer.status))
      swapParts(document, new DOMParser().parseFromString(await answer.text(), "text/html"))
      this.say(false)
    } catch {
      this.say(true)
    } finally {
      this.last = performance.now() + Math.min(LONGER_REST_MS, 20 * (performance.now() - began))
      clearTimeout(this.timer)
      this.timer = null
    }
  }

  say(failed) {
    const told = this.querySelector("[data-failed]")
    if (told) told.hidden = !failed
  }
}

customElements.define("th-live-parts", LiveParts)
