// Buttons with [data-asks] send their form to a page that asks first. Here its question is shown as a
// dialog over the list; the form in it is the same, and so is the answer.

import { ask } from "./confirm_link.js"

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-asks]")
  if (!button) return
  event.preventDefault()
  button.setAttribute("aria-busy", "true")
  let question = null
  try {
    const answer = await fetch(button.formAction, {
      method: "POST",
      credentials: "same-origin",
      body: new FormData(button.form, button),
    })
    const page = new DOMParser().parseFromString(await answer.text(), "text/html")
    if (answer.ok) question = page.querySelector(".th-confirm")
  } catch {
    // The page itself says what is wrong.
  }
  button.removeAttribute("aria-busy")
  if (question) ask(document.importNode(question, true), button)
  else button.form.requestSubmit(withoutQuestion(button))
})

// The same button once more, for the browser to send.
function withoutQuestion(button) {
  button.removeAttribute("data-asks")
  return button
}
