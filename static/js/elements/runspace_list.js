// <th-runspace-list data-rows="address">: the list of runspaces; the numbers above it are written at once.

import { post } from "./api_post.js"
import { LiveRows } from "./live_rows.js"

const MB = 1024 * 1024

class RunspaceList extends LiveRows {
  static topic = "runspaces"
  static key = "runspace"
  static words = ["runspace", "runspaces"]
  // Under load each of them takes up and lays down jobs all the time.
  static pause = 500
  static question = /^\/admin\/runspaces_app\/runspace\/([0-9]+)\/close\/$/

  hear(frame) {
    const { open, busy, memory } = frame.overview?.runspaces ?? {}
    this.count("open", open)
    this.count("busy", busy)
    this.count("memory", memory === undefined ? undefined : Math.round(memory / MB), " MB")
    super.hear(frame)
  }

  count(name, number, unit = "") {
    const place = document.querySelector(`[data-count="${name}"]`)
    if (place && number !== undefined) place.textContent = number.toLocaleString("en") + unit
  }

  looks(told) {
    return { ...told, age: null, seen_at: null }
  }

  numbers({ runspaces, alerts }) {
    return [runspaces.open, runspaces.broken, alerts]
  }

  // One that has ended makes room for another without a change of any number.
  patch(row, fresh) {
    const ended = row && row.dataset.state !== fresh.dataset.state
    super.patch(row, fresh)
    if (ended) this.lookForNew(`${this.last} ${fresh.dataset.runspace}`)
  }

  async answer([, id], { confirmation }) {
    const job = this.rows.get(id)?.querySelector(".th-cell-job")?.textContent
    const told = await post(`/api/v1/runspaces/${id}/close`, { force: true, confirmation: confirmation.value })
    const ends = told.job ? `the job ${job ?? told.job}, which it runs, ends with it` : "it runs no job"
    return `Runspace ${id} is told to close; ${ends}.`
  }
}

customElements.define("th-runspace-list", RunspaceList)
