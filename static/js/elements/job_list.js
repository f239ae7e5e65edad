// <th-job-list data-rows="address">: keeps the rows of the list of jobs true while it is open.
//
// Rows whose state has changed are fetched and patched where they stand, so ticks, scroll and focus stay.
// What is new does not push itself in between: a button says how many there are.

import { live } from "../live/live.js"
import { post } from "./api_post.js"
import { showProgress } from "./job_progress.js"
import { swapParts } from "./swap_parts.js"
import { toast } from "./toast.js"

const SOON_MS = 200
const NEW_MS = 3000
const TABLE = "#result_list tbody"
const QUESTION = /^\/admin\/jobs_app\/job\/([0-9a-f-]{36})\/(stop|remove)\/$/

class JobList extends HTMLElement {
  connectedCallback() {
    document.readyState === "loading"
      ? document.addEventListener("DOMContentLoaded", () => this.begin(), { once: true })
      : this.begin()
  }

  disconnectedCallback() {
    this.watch?.stop()
    this.leave?.abort()
  }

  begin() {
    this.old = new Set()
    this.looks = new Map()
    this.leave = new AbortController()
    this.button = this.querySelector("button")
    this.button.addEventListener("click", () => this.showNew())
    const { signal } = this.leave
    document.addEventListener("submit", (event) => this.submitted(event), { signal })
    document.addEventListener("change", () => this.offer(), { signal })
    this.watch = live.watch(this.topics(), (frame) => this.hear(frame))
  }

  topics() {
    return { jobs: [...this.rows.keys()], overview: true }
  }

  get rows() {
    return new Map([...document.querySelectorAll(`${TABLE} tr[data-job]`)].map((row) => [row.dataset.job, row]))
  }

  hear(frame) {
    const rows = this.rows
    for (const [id, told] of Object.entries(frame.jobs ?? {})) {
      const row = rows.get(id)
      if (!row) continue
      showProgress(row, told.progress)
      const looks = JSON.stringify({ ...told, progress: null })
      // The first time, too: something may have happened since the page was made.
      if (this.looks.get(id) !== looks) this.old.add(id)
      this.looks.set(id, looks)
    }
    for (const id of frame.gone?.jobs ?? []) this.remove(rows.get(String(id)))
    if (this.old.size) this.soon()
    if (frame.overview) this.lookForNew(JSON.stringify([frame.overview.open, frame.overview.ended]))
  }

  remove(row) {
    if (!row) return
    row.dataset.gone = ""
    row.querySelectorAll("input, button, .th-cell-actions a").forEach((each) => each.remove())
  }

  soon() {
    this.timer ??= setTimeout(() => this.refresh(), SOON_MS)
  }

  async refresh() {
    const ids = [...this.old]
    this.old.clear()
    const page = await this.read(`${this.dataset.rows}?ids=${ids.join(",")}`)
    const rows = this.rows
    page?.querySelectorAll("tr[data-job]").forEach((fresh) => this.patch(rows.get(fresh.dataset.job), fresh))
    this.timer = null
    if (this.old.size) this.soon()
  }

  patch(row, fresh) {
    if (!row) return
    const moved = row.dataset.state !== fresh.dataset.state
    row.dataset.state = fresh.dataset.state
    swapParts(row, fresh)
    if (!moved) return
    row.classList.remove("th-flash")
    // A layout in between, so that the flash begins anew.
    void row.offsetWidth
    row.classList.add("th-flash")
  }

  // Only the first page of a list grows.
  lookForNew(numbers) {
    const before = this.numbers
    this.numbers = numbers
    if (before === numbers || new URLSearchParams(location.search).has("p")) return
    this.newTimer ??= setTimeout(async () => {
      this.newTimer = null
      const page = await this.read(location.href)
      if (page) this.fresh = page
      this.offer()
    }, before === undefined ? SOON_MS : NEW_MS)
  }

  offer() {
    const found = this.fresh?.querySelectorAll(`${TABLE} tr[data-job]`) ?? []
    const known = this.rows
    const count = [...found].filter((row) => !known.has(row.dataset.job)).length
    this.button.textContent = `${count} new ${count === 1 ? "job" : "jobs"}, show`
    this.button.hidden = !count || this.held()
  }

  // Nothing moves while rows are ticked or a question is open.
  held() {
    return Boolean(document.querySelector(`${TABLE} input:checked, dialog[open]`))
  }

  showNew() {
    const table = document.querySelector(TABLE)
    const fresh = this.fresh?.querySelector(TABLE)
    if (this.held() || !fresh) return
    if (!table) return location.reload()
    table.replaceChildren(...document.importNode(fresh, true).children)
    this.fresh = null
    this.looks.clear()
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
    const asked = dialog && QUESTION.exec(new URL(event.target.action).pathname)
    if (!asked) return
    event.preventDefault()
    const [, id, does] = asked
    const now = event.target.elements.now?.checked ?? false
    dialog.close()
    try {
      await post(`/api/v1/jobs/${id}/${does === "stop" ? "cancel" : "remove"}`, now ? { now } : {})
      toast(does === "stop" ? "The job was asked to stop." : "The job is removed; its history stays.")
    } catch (error) {
      toast(error.message, { error: true })
    }
  }
}

customElements.define("th-job-list", JobList)
