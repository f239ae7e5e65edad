// <auto-submit><form>: a choice in one of its selects takes effect at once; its button is then not needed.

class AutoSubmit extends HTMLElement {
  connectedCallback() {
    this.querySelectorAll("[data-without-script]").forEach((button) => {
      button.hidden = true
    })
    this.addEventListener("change", (event) => event.target.matches("select") && this.go(event.target.form))
    this.addEventListener("submit", (event) => {
      event.preventDefault()
      this.go(event.target)
    })
  }

  // A filter that is set to "all" does not belong into the address.
  go(form) {
    const said = [...new FormData(form)].filter(([, value]) => value !== "")
    location.assign(said.length ? `${location.pathname}?${new URLSearchParams(said)}` : location.pathname)
  }
}

customElements.define("auto-submit", AutoSubmit)
