// Parts of a page replaced by newer ones from the server, without taking anything out of a reader's hands.

// Replace each [data-part] of `old` by that of `fresh`. What is the same stays, and so do open details
// and the focus.
export function swapParts(old, fresh) {
  for (const part of old.querySelectorAll("[data-part]")) {
    const newer = fresh.querySelector(`[data-part="${part.dataset.part}"]`)
    if (newer) swapPart(part, newer)
  }
}

// The same for one part.
export function swapPart(part, newer) {
  const made = document.importNode(newer, true)
  if (shape(part) === shape(made)) return
  keepOpen(part, made)
  const back = focusIn(part)
  part.replaceChildren(...made.childNodes)
  back?.(part)
}

// Times tick here and small lines are drawn here, so what is in them does not count; nor does what a
// reader has opened.
function shape(element) {
  const copy = element.cloneNode(true)
  copy.querySelectorAll("relative-time, elapsed-time, th-memory-line").forEach((each) => each.replaceChildren())
  copy.querySelectorAll("details[open]").forEach((each) => each.removeAttribute("open"))
  return copy.innerHTML.replace(/\s+/g, " ")
}

function keepOpen(part, made) {
  for (const each of part.querySelectorAll("details[data-key]")) {
    const twin = made.querySelector(`details[data-key="${CSS.escape(each.dataset.key)}"]`)
    if (twin) twin.open = each.open
  }
}

// A way to give the focus to what stands now where it stood; null if it is elsewhere.
function focusIn(part) {
  const held = document.activeElement
  if (!held || held === document.body || !part.contains(held)) return null
  const all = [...part.querySelectorAll("a, button, input, summary, [tabindex]")]
  const index = all.indexOf(held)
  const name = held.getAttribute("href") ?? held.getAttribute("formaction") ?? ""
  return (now) => {
    const found = [...now.querySelectorAll("a, button, input, summary, [tabindex]")]
    const same = found.find((each) => name && (each.getAttribute("href") ?? each.getAttribute("formaction")) === name)
    ;(same ?? found[index])?.focus({ preventScroll: true })
  }
}
