// Buttons with [data-api] post to the API instead of leaving the page, and a toast says what came of it.
// The new state is not guessed: the live channel brings it.

import { post } from "./api_post.js"
import { toast } from "./toast.js"

async function act(button) {
  button.disabled = true
  button.setAttribute("aria-busy", "true")
  try {
    const told = await post(button.dataset.api)
    const made = told?.restarted_from ? { link: "Open it", address: `/admin/jobs_app/job/${told.uuid}/change/` } : {}
    toast(button.dataset.done, made)
  } catch (error) {
    toast(error.message, { error: true })
  } finally {
    button.disabled = false
    button.removeAttribute("aria-busy")
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-api]")
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  act(button)
})
