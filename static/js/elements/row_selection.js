// <th-selection data-boxes="selector">: how many rows of a list are ticked, all of them at once, and
// buttons that act on them only while there are some.

class RowSelection extends HTMLElement {
  connectedCallback() {
    // The table stands further down the page.
    document.readyState === "loading"
      ? document.addEventListener("DOMContentLoaded", () => this.begin(), { once: true })
      : this.begin()
  }

  begin() {
    if (!this.boxes.length || this.all) return
    const label = this.querySelector("[data-all]")
    label.hidden = false
    this.querySelector("[data-hint]")?.setAttribute("hidden", "")
    this.all = label.querySelector("input")
    this.count = this.querySelector("[data-count]")
    this.all.addEventListener("change", () => {
      this.boxes.forEach((box) => (box.checked = this.all.checked))
      this.show()
    })
    document.addEventListener("change", (event) => {
      if (event.target.matches(this.dataset.boxes)) this.show()
    })
    // Rows came, or lost their boxes: they are gone.
    document.addEventListener("th-rows", () => this.show())
    window.addEventListener("pageshow", () => this.show())
    this.show()
  }

  get boxes() {
    return [...document.querySelectorAll(this.dataset.boxes)]
  }

  show() {
    const boxes = this.boxes
    const ticked = boxes.filter((box) => box.checked)
    this.all.checked = ticked.length === boxes.length && boxes.length > 0
    this.all.indeterminate = ticked.length > 0 && ticked.length < boxes.length
    this.count.textContent = ticked.length ? `${ticked.length} selected` : "Select all"
    this.querySelectorAll("button").forEach((button) => (button.disabled = !ticked.length))
    this.toggleAttribute("data-some", ticked.length > 0)
    document.querySelectorAll("tr[data-ticked]").forEach((row) => row.removeAttribute("data-ticked"))
    boxes.forEach((box) => box.closest("tr")?.toggleAttribute("data-ticked", box.checked))
  }
}

customElements.define("th-selection", RowSelection)
