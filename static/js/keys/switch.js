// Whether single keys do something. A person switches them off in the list of keys (WCAG 2.1.4); this
// browser remembers it. <html data-keys="off"> is how everybody else learns of it.

const NAME = "taskhub.keys"

export function keysAreOn() {
  return document.documentElement.dataset.keys !== "off"
}

export function switchKeys(on) {
  show(on)
  try {
    localStorage.setItem(NAME, on ? "on" : "off")
  } catch {
    // Not remembered where storage is forbidden; it holds for this page.
  }
}

function show(on) {
  document.documentElement.dataset.keys = on ? "on" : "off"
}

function remembered() {
  try {
    return localStorage.getItem(NAME) !== "off"
  } catch {
    return true
  }
}

show(remembered())
