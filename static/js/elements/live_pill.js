// <th-live-pill>: whether what the page shows is kept true; silent where nothing is watched.

import { live } from "../live/live.js"

const WORDS = {
  live: ["Live", "green", "round", "What this page shows is kept up to date."],
  reconnecting: ["Reconnecting…", "yellow", "half", "The connection is lost; trying again."],
  polling: ["Polling", "orange", "diamond", "No live connection gets through; asking every few seconds."],
  refused: ["No access", "red", "square", "Your role does not cover this page; it is not kept up to date."],
  "signed-out": ["Signed out", "red", "square", "This page is not kept up to date any more. Sign in again."],
}

// A page that has just come is on its way to be live: nothing to tell people, unless it takes long.
const COMING = ["Connecting…", "grey", "half", "The live connection is being made."]
const PATIENCE = 2500

class LivePill extends HTMLElement {
  connectedCallback() {
    this.coming = true
    this.late = setTimeout(() => this.show(), PATIENCE)
    this.since = performance.now()
    this.leave = new AbortController()
    live.addEventListener("state", () => this.show(), { signal: this.leave.signal })
    this.show()
  }

  disconnectedCallback() {
    this.leave.abort()
    clearTimeout(this.late)
  }

  show() {
    this.hidden = !live.watching && live.state !== "signed-out"
    const { state } = live
    if (state !== "reconnecting") this.coming = false
    // Its place is kept, so that nothing beside it moves when the word comes.
    const quiet = this.coming && performance.now() - this.since < PATIENCE
    const said = quiet ? "quiet" : this.coming ? "connecting" : state
    if (this.hidden || this.dataset.state === said) return
    const [words, tone, shape, title] = quiet ? ["", "grey", "half", ""] : this.coming ? COMING : WORDS[state]
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
    this.dataset.state = said
  }
}

customElements.define("th-live-pill", LivePill)
