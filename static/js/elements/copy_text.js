// <copy-text data-from="id"><button>: puts the text of another element on the clipboard.

class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button")
    if (!button || !navigator.clipboard) return
    button.hidden = false
    button.addEventListener("click", async () => {
      const source = document.getElementById(this.dataset.from)
      await navigator.clipboard.writeText(source ? source.textContent : "")
      const before = button.textContent
      button.textContent = "Copied"
      setTimeout(() => {
        button.textContent = before
      }, 1500)
    })
  }
}

customElements.define("copy-text", CopyText)
