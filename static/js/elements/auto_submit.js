// <auto-submit><form>: a choice in one of its selects takes effect at once; its button is then not needed.

class AutoSubmit extends HTMLElement {
  connectedCallback() {
    this.querySelectorAll("[data-without-script]").forEach((button) => {
      button.hidden = true
    })
    this.addEventListener("change", (event) => {
      if (!event.target.matches("select")) return
      const form = event.target.form
      // A filter that is set to "all" does not belong into the address.
      for (const field of form.elements) {
        if (field.name && field.value === "") field.disabled = true
      }
      form.submit()
    })
  }
}

customElements.define("auto-submit", AutoSubmit)
