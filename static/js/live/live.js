// What a page shows, kept true: one socket for the page, however many parts of it watch something.
//
//   const watch = live.watch({ jobs: ["a", "b"] }, (frame) => { … })
//   watch.change({ jobs: ["b"] }); watch.stop()
//
// A frame holds only the watcher's own topics; with `snapshot` it holds all of them as they are. One comes
// at first and after every new connection, so nothing that was missed stays missed.

import { Connection } from "./connection.js"
import { matches, merge, part } from "./topics.js"

// Changes of what is watched come in bursts; they are told together.
const GATHER = 30

class Live extends EventTarget {
  #watches = new Set()
  #soon = null
  #asked = ""
  #offset = startOffset()
  #refused = false
  #connection = new Connection({
    hear: (frame) => this.#hear(frame),
    topics: () => merge(this.#watches),
    clock: (now) => (this.#offset = Date.parse(now) - Date.now()),
    state: () => this.dispatchEvent(new Event("state")),
  })

  /** "live", "reconnecting", "polling", "signed-out", or "refused": something is closed to the user's role. */
  get state() {
    const { state } = this.#connection
    return this.#refused && (state === "live" || state === "polling") ? "refused" : state
  }

  /** Whether any part of the page watches anything. */
  get watching() {
    return this.#watches.size > 0
  }

  /** The server's clock, in milliseconds. */
  now() {
    return Date.now() + this.#offset
  }

  watch(topics, hear) {
    const watch = { topics, hear, fresh: true }
    this.#watches.add(watch)
    this.#changed()
    return {
      change: (others) => {
        watch.topics = others
        watch.fresh = true
        this.#changed()
      },
      stop: () => {
        if (this.#watches.delete(watch)) this.#changed()
      },
    }
  }

  #changed() {
    this.#soon ??= setTimeout(() => {
      this.#soon = null
      const topics = merge(this.#watches)
      const asked = JSON.stringify(topics)
      const fresh = [...this.#watches].some((watch) => watch.fresh)
      this.dispatchEvent(new Event("state"))
      if (asked !== this.#asked || fresh) this.#connection.subscribe(this.watching ? topics : null)
      this.#asked = asked
    }, GATHER)
  }

  #hear(frame) {
    const refused = frame.refused !== undefined
    // Rights are told with each snapshot, and one follows when they change.
    if (frame.snapshot && refused !== this.#refused) {
      this.#refused = refused
      this.dispatchEvent(new Event("state"))
    }
    for (const watch of [...this.#watches]) {
      if (!matches(frame, watch.topics)) continue
      if (frame.snapshot) watch.fresh = false
      else if (watch.fresh) continue
      try {
        watch.hear(part(frame, watch.topics))
      } catch (error) {
        // One part's fault must not keep the others from hearing.
        console.error(error)
      }
    }
  }
}

function startOffset() {
  const said = document.querySelector("meta[name=th-now]")
  return said ? Date.parse(said.content) - Date.now() : 0
}

export const live = new Live()
