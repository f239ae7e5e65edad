// Writes a job's progress, as the API tells it, into the bar below `place`; nothing if there is none.

// A job's badge says these, so the line below its bar does not.
const DEFAULTS = ["Not started", "Running", "Completed", "Failed", "Cancelled"]

export function showProgress(place, progress) {
  const frame = place?.querySelector(".th-progress")
  if (!frame || !progress) return
  const whole = Math.floor(progress.percent_complete)
  const told = progress.status_message ?? ""
  const message = DEFAULTS.includes(told) ? "" : told
  const bar = frame.querySelector("progress")
  // A bar without a number stays so until there is one.
  if (whole || bar.hasAttribute("value")) bar.value = whole
  frame.querySelector(".th-progress__percent").textContent = `${whole}%`
  const words = frame.querySelector(".th-progress__message")
  if (words.textContent !== message) {
    words.textContent = message
    words.title = message
  }
}
