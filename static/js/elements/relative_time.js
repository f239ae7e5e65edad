// <relative-time datetime="…"> keeps "3 min ago" true; the exact moment stands in its title.
// The page says what time the server has, so a clock that is wrong here changes nothing.

const said = document.querySelector("meta[name=th-now]")
const offset = said ? Date.parse(said.content) - Date.now() : 0
const shown = new Set()

const UNITS = [
  [86400 * 2, 86400, "d"],
  [3600 * 2, 3600, "h"],
  [90, 60, "min"],
  [0, 1, "s"],
]

// What time it is for the server, in milliseconds.
export function now() {
  return Date.now() + offset
}

export function distance(seconds) {
  const size = Math.abs(seconds)
  const [, unit, name] = UNITS.find(([from]) => size >= from)
  return `${Math.floor(size / unit)} ${name}`
}

export function words(moment, present) {
  const seconds = (moment - present) / 1000
  if (Math.abs(seconds) < 1) return "now"
  return seconds > 0 ? `in ${distance(seconds)}` : `${distance(seconds)} ago`
}

class RelativeTime extends HTMLElement {
  connectedCallback() {
    this.moment = Date.parse(this.getAttribute("datetime"))
    if (!Number.isNaN(this.moment)) shown.add(this)
  }

  disconnectedCallback() {
    shown.delete(this)
  }

  show(present) {
    const text = words(this.moment, present)
    if (this.textContent !== text) this.textContent = text
  }
}

customElements.define("relative-time", RelativeTime)

setInterval(() => {
  if (document.hidden) return
  const present = now()
  shown.forEach((element) => element.show(present))
}, 1000)
