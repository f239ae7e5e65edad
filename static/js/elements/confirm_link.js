// <confirm-link><a href="…"></a></confirm-link>: the page behind the link asks a question. Here it is
// shown as a dialog over the present page; the form in it is the same, and so is the answer.

class ConfirmLink extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const link = event.target.closest("a[href]")
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      this.open(link)
    })
  }

  async open(link) {
    let question
    try {
      const answer = await fetch(link.href, { credentials: "same-origin" })
      if (!answer.ok || new URL(answer.url).pathname !== new URL(link.href).pathname) throw new Error()
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      question = page.querySelector(".th-confirm")
    } catch {
      question = null
    }
    if (!question) {
      // Signed out, gone, or not allowed: the page itself says which.
      location.assign(link.href)
      return
    }
    ask(document.importNode(question, true), link)
  }
}

// Show a question as a dialog; the focus goes back to `opener` when it is closed.
export function ask(question, opener) {
  const dialog = document.createElement("dialog")
  dialog.className = "th-dialog"
  const title = question.querySelector(".th-confirm__title")
  if (title) {
    title.id = "th-dialog-title"
    dialog.setAttribute("aria-labelledby", title.id)
  }
  dialog.append(question)
  document.body.append(dialog)
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-keep]")) {
      event.preventDefault()
      dialog.close()
    }
  })
  dialog.addEventListener("close", () => {
    dialog.remove()
    opener.focus()
  })
  dialog.showModal()
  dialog.querySelector("[autofocus], [data-keep]")?.focus()
}

customElements.define("confirm-link", ConfirmLink)
