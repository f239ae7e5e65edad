// <th-task-page data-task data-stamp>: keeps the page of one task true while it is open.

import { live } from "../live/live.js"
import { stampOf } from "./live_stamp.js"
import { swapParts } from "./swap_parts.js"

const SOON_MS = 250

class TaskPage extends HTMLElement {
  connectedCallback() {
    const id = this.dataset.task
    this.leave = new AbortController()
    const { signal } = this.leave
    document.addEventListener("click", (event) => this.closeMenus(event.target), { signal })
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.closeMenus(null), { signal })
    this.watch = live.watch({ tasks: [id] }, (frame) => {
      const row = frame.tasks?.[id]
      if (row && stampOf(row) !== this.dataset.stamp) this.soon()
    })
  }

  disconnectedCallback() {
    this.leave.abort()
    this.watch.stop()
  }

  closeMenus(target) {
    for (const menu of document.querySelectorAll(".th-menu[open]")) {
      if (menu.contains(target) && !target.closest("a")) continue
      if (menu.contains(document.activeElement) && !target) menu.querySelector("summary").focus()
      menu.open = false
    }
  }

  soon() {
    if (this.timer) return
    this.timer = setTimeout(() => this.refresh(), SOON_MS)
  }

  async refresh() {
    try {
      // The address without what a form has sent: a look at the page as it is now.
      const address = new URL(location.href)
      address.pathname = address.pathname.replace(/\/(?:test|run)\/$/, "/change/")
      const answer = await fetch(address, { credentials: "same-origin" })
      if (!answer.ok || answer.redirected) return
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      this.dataset.stamp = page.querySelector("th-task-page")?.dataset.stamp ?? this.dataset.stamp
      swapParts(document, page)
    } catch {
      // The next frame, or the next look at the page, brings it.
    } finally {
      this.timer = null
    }
  }
}

customElements.define("th-task-page", TaskPage)
