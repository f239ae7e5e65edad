// toast("It is done.", {…}): a short word at the lower edge, said politely. It goes after 6 s; errors stay
// until they are closed.

const STAYS_MS = 6000
const MOST = 4

function stack() {
  const known = document.querySelector(".th-toasts")
  if (known) return known
  const made = document.createElement("div")
  made.className = "th-toasts"
  made.setAttribute("role", "status")
  made.setAttribute("aria-live", "polite")
  document.body.append(made)
  return made
}

// `button` with `act` undoes or repeats something; `link` with `address` leads somewhere.
export function toast(words, { error = false, button = "", act = null, link = "", address = "" } = {}) {
  const box = document.createElement("div")
  box.className = error ? "th-toast th-toast--error" : "th-toast"
  const text = document.createElement("span")
  text.textContent = words
  box.append(text)
  if (act) box.append(made("button", button, () => (box.remove(), act())))
  if (link) box.append(Object.assign(made("a", link), { href: address }))
  const close = made("button", "×", () => box.remove())
  close.className = "th-toast__close"
  close.setAttribute("aria-label", "Close")
  box.append(close)
  const place = stack()
  place.append(box)
  while (place.children.length > MOST) place.firstElementChild.remove()
  if (!error) fade(box)
  return box
}

function made(name, words, act = null) {
  const element = document.createElement(name)
  element.className = "th-toast__act"
  element.textContent = words
  if (name === "button") element.type = "button"
  if (act) element.addEventListener("click", act)
  return element
}

// Not while somebody reads it or is about to press its button.
function fade(box) {
  let timer = setTimeout(() => box.remove(), STAYS_MS)
  const hold = () => clearTimeout(timer)
  const go = () => {
    clearTimeout(timer)
    timer = setTimeout(() => box.remove(), STAYS_MS)
  }
  box.addEventListener("pointerenter", hold)
  box.addEventListener("focusin", hold)
  box.addEventListener("pointerleave", go)
  box.addEventListener("focusout", go)
}
