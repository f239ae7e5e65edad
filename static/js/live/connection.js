// The way to the server: a socket that comes back by itself, and asking now and then while none gets through.

import { asQuery } from "./topics.js"

const ADDRESS = "/ws/live/"
const POLL_ADDRESS = "/api/v1/live"
const SIGNED_OUT = 4401
const FIRST_WAIT = 500
const LONGEST_WAIT = 15_000
const PING = 15_000
const DEAD = 35_000
const HANDSHAKE = 10_000
const FAILURES = 3

/** How long to wait before the next try: doubles up to 15 s, and never at the same moment as all others. */
export function pause(failures, chance = Math.random()) {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.5 + chance / 2)
}

export class Connection {
  state = "reconnecting"
  #said
  #socket = null
  #topics = null
  #failures = 0
  #heard = 0
  #number = 0
  #retry = null
  #poll = null
  #beat = null

  constructor(said) {
    this.#said = said
    addEventListener("online", () => this.#hurry())
    addEventListener("pagehide", () => this.#drop())
    addEventListener("pageshow", (event) => event.persisted && this.#hurry())
    // Another part of the page was told 401.
    document.addEventListener("th-signed-out", () => this.#signedOut())
    document.addEventListener("visibilitychange", () => !document.hidden && this.#hurry())
  }

  /** What to hear of from now on; null: nothing, and no connection is kept. */
  subscribe(topics) {
    this.#topics = topics
    if (this.state === "signed-out") return
    if (topics === null) this.#drop()
    else if (!this.#socket) this.#connect()
    else if (this.#socket.readyState === WebSocket.OPEN) this.#tell()
    if (topics !== null && this.state === "polling") this.#ask()
  }

  #tell() {
    this.#socket.send(JSON.stringify({ subscribe: this.#topics }))
  }

  #become(state) {
    if (this.state === state) return
    this.state = state
    this.#said.state()
  }

  #connect() {
    clearTimeout(this.#retry)
    this.#retry = null
    if (this.#socket || this.#topics === null || this.state === "signed-out") return
    const scheme = location.protocol === "https:" ? "wss:" : "ws:"
    const socket = new WebSocket(`${scheme}//${location.host}${ADDRESS}`)
    this.#socket = socket
    const late = setTimeout(() => socket.readyState === WebSocket.CONNECTING && this.#lost(socket), HANDSHAKE)
    socket.onopen = () => {
      clearTimeout(late)
      this.#heard = Date.now()
      this.#tell()
      clearInterval(this.#beat)
      this.#beat = setInterval(() => this.#ping(socket), PING)
    }
    socket.onmessage = (message) => socket === this.#socket && this.#hear(JSON.parse(message.data))
    socket.onclose = (event) => {
      clearTimeout(late)
      if (event.code === SIGNED_OUT) this.#signedOut()
      else this.#lost(socket)
    }
  }

  #hear(frame) {
    this.#heard = Date.now()
    if (frame.now) this.#said.clock(frame.now)
    if ("pong" in frame) return
    if (frame.error) {
      console.error(`live: ${frame.error}`)
      return
    }
    // Only what was heard proves that the way is open in both directions.
    this.#failures = 0
    this.#stopPolling()
    this.#become("live")
    this.#said.hear(frame)
  }

  #ping(socket) {
    if (Date.now() - this.#heard > DEAD) this.#lost(socket)
    else if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ping: ++this.#number }))
  }

  #lost(socket) {
    if (socket !== this.#socket) return
    this.#close()
    if (this.#topics === null || this.state === "signed-out") return
    this.#failures += 1
    if (this.#failures >= FAILURES) this.#startPolling()
    else this.#become("reconnecting")
    this.#retry ??= setTimeout(() => this.#connect(), pause(this.#failures - 1))
  }

  #close() {
    const socket = this.#socket
    this.#socket = null
    clearInterval(this.#beat)
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    // One that is still opening is closed once it is open; nobody listens to it any more.
    socket.close()
  }

  #drop() {
    clearTimeout(this.#retry)
    this.#retry = null
    this.#stopPolling()
    this.#close()
    this.#failures = 0
    if (this.state !== "signed-out") this.state = "reconnecting"
  }

  // Somebody looks again, or the network is back: a socket that is quietly dead is found out now.
  #hurry() {
    if (this.#topics === null || this.state === "signed-out") return
    if (this.#socket && Date.now() - this.#heard > DEAD && this.#heard) this.#close()
    if (!this.#socket) this.#connect()
    else if (this.#socket.readyState === WebSocket.OPEN) this.#ping(this.#socket)
  }

  #signedOut() {
    this.#close()
    this.#stopPolling()
    clearTimeout(this.#retry)
    this.#become("signed-out")
  }

  // Polling

  #startPolling() {
    this.#become("polling")
    if (this.#poll === null) this.#ask()
  }

  #stopPolling() {
    clearTimeout(this.#poll)
    this.#poll = null
  }

  async #ask() {
    clearTimeout(this.#poll)
    const seconds = Number(document.querySelector("th-live-pill")?.dataset.seconds) || 5
    const again = (this.#poll = setTimeout(() => this.#ask(), seconds * 1000))
    try {
      const answer = await fetch(`${POLL_ADDRESS}?topics=${encodeURIComponent(asQuery(this.#topics ?? {}))}`)
      if (answer.status === 401) this.#signedOut()
      if (!answer.ok) return
      const frame = await answer.json()
      // Meanwhile a socket got through, or somebody asked again.
      if (this.#poll !== again || this.#topics === null) return
      this.#said.clock(frame.now)
      this.#said.hear(frame)
    } catch {
      // The server is away; the next try comes anyway.
    }
  }
}
