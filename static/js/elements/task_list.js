// <th-task-list data-rows="address">: keeps the rows of the list of tasks true while it is open, and lets
// their switches and buttons act without leaving it.

import { live } from "../live/live.js"
import { post } from "./api_post.js"
import { stampOf } from "./live_stamp.js"
import { swapParts } from "./swap_parts.js"
import { toast } from "./toast.js"

const SOON_MS = 250

class TaskList extends HTMLElement {
  connectedCallback() {
    document.readyState === "loading"
      ? document.addEventListener("DOMContentLoaded", () => this.begin(), { once: true })
      : this.begin()
  }

  disconnectedCallback() {
    this.watch?.stop()
    document.removeEventListener("click", this.click)
  }

  begin() {
    this.old = new Set()
    this.click = (event) => this.act(event)
    document.addEventListener("click", this.click)
    const tasks = [...this.rows.keys()]
    if (tasks.length) this.watch = live.watch({ tasks }, (frame) => this.hear(frame))
  }

  get rows() {
    return new Map([...document.querySelectorAll("#result_list tr[data-task]")].map((row) => [row.dataset.task, row]))
  }

  // Rows that look other than the page shows them are fetched, all at once and not too often.
  hear(frame) {
    const rows = this.rows
    for (const [id, told] of Object.entries(frame.tasks ?? {})) {
      if (rows.get(id)?.dataset.stamp !== stampOf(told)) this.old.add(id)
    }
    for (const id of frame.gone?.tasks ?? []) rows.get(String(id))?.setAttribute("data-gone", "")
    if (this.old.size) this.soon()
  }

  soon() {
    if (this.timer) return
    this.timer = setTimeout(() => this.refresh(), SOON_MS)
  }

  async refresh() {
    const ids = [...this.old]
    this.old.clear()
    try {
      const answer = await fetch(`${this.dataset.rows}?ids=${ids.join(",")}`, { credentials: "same-origin" })
      if (!answer.ok || answer.redirected) return
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      const rows = this.rows
      page.querySelectorAll("tr[data-task]").forEach((fresh) => this.patch(rows.get(fresh.dataset.task), fresh))
    } catch {
      // The next frame, or the next look at the page, brings it.
    } finally {
      this.timer = null
      if (this.old.size) this.soon()
    }
  }

  patch(row, fresh) {
    if (!row) return
    row.dataset.stamp = fresh.dataset.stamp
    row.className = fresh.className
    swapParts(row, fresh)
  }

  act(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    const button = event.target.closest("[data-switch], [data-run]")
    if (!button || !document.querySelector("#result_list")?.contains(button)) return
    event.preventDefault()
    if (button.dataset.switch) this.switch(button)
    else this.run(button)
  }

  async switch(button) {
    await this.turn(button.dataset.switch, button.dataset.name, button.getAttribute("aria-checked") !== "true", button)
  }

  async turn(id, name, on, button = null) {
    const done = await this.send(button, `/api/v1/tasks/${id}/${on ? "enable" : "disable"}`)
    if (!done) return
    this.again(id)
    toast(`${name} is ${on ? "enabled" : "disabled"}.`, {
      button: "Undo",
      act: () => this.turn(id, name, !on),
    })
  }

  async run(button) {
    const job = await this.send(button, `/api/v1/tasks/${button.dataset.run}/run`)
    if (!job) return
    this.again(button.dataset.run)
    toast(`${button.dataset.name} is queued.`, { link: "Open the job", address: `/admin/jobs_app/job/${job.uuid}/change/` })
  }

  // The answer, or null after saying what went wrong. The button is off meanwhile.
  async send(button, address) {
    button?.setAttribute("aria-busy", "true")
    if (button) button.disabled = true
    try {
      return await post(address)
    } catch (error) {
      toast(error.message, { error: true })
      return null
    } finally {
      if (button) {
        button.disabled = false
        button.removeAttribute("aria-busy")
        if (document.activeElement === document.body) button.focus({ preventScroll: true })
      }
    }
  }

  again(id) {
    this.old.add(String(id))
    this.soon()
  }
}

customElements.define("th-task-list", TaskList)
