// <elapsed-time datetime="…">: how long ago that was, counted on by the second, as the server says durations.

import { now } from "./relative_time.js"

const shown = new Set()
const two = (number) => String(number).padStart(2, "0")

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}

class ElapsedTime extends HTMLElement {
  connectedCallback() {
    this.start = Date.parse(this.getAttribute("datetime"))
    if (Number.isNaN(this.start)) return
    shown.add(this)
    this.show(now())
  }

  disconnectedCallback() {
    shown.delete(this)
  }

  show(moment) {
    const text = duration((moment - this.start) / 1000)
    if (this.textContent !== text) this.textContent = text
  }
}

customElements.define("elapsed-time", ElapsedTime)

setInterval(() => {
  if (!document.hidden) shown.forEach((element) => element.show(now()))
}, 1000)
