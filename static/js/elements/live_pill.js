// <th-live-pill>: whether what the page shows is kept true; silent where nothing is watched.

import { live } from "../live/live.js"

const WORDS = {
  live: ["Live", "green", "round", "What this page shows is kept up to date."],
  reconnecting: ["Reconnecting…", "yellow", "half", "The connection is lost; trying again."],
  polling: ["Polling", "orange", "diamond", "No live connection gets through; asking every few seconds."],
  refused: ["No access", "red", "square", "Your role does not cover this page; it is not kept up to date."],
  "signed-out": ["Signed out", "red", "square", "This page is not kept up to date any more. Sign in again."],
}

class LivePill extends HTMLElement {
  connectedCallback() {
    this.leave = new AbortController()
    live.addEventListener("state", () => this.show(), { signal: this.leave.signal })
    this.show()
  }

  disconnectedCallback() {
    this.leave.abort()
  }

  show() {
    this.hidden = !live.watching && live.state !== "signed-out"
    if (this.hidden || this.dataset.state === live.state) return
    const [words, tone, shape, title] = WORDS[live.state]
    const badge = document.createElement(live.state === "signed-out" ? "a" : "span")
    badge.className = `th-badge th-tone-${tone}`
    badge.title = title
    if (badge.localName === "a") {
      badge.href = `${this.dataset.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`
    }
    const mark = document.createElement("span")
    mark.className = `th-shape th-shape--${shape}`
    mark.setAttribute("aria-hidden", "true")
    badge.append(mark, words)
    this.replaceChildren(badge)
    this.dataset.state = live.state
  }
}

customElements.define("th-live-pill", LivePill)
