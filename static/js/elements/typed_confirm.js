// <typed-confirm data-expected="4">: its submit button stays off until the text in its field is equal.
// The server compares again.

class TypedConfirm extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input[name=confirmation]")
    this.button = this.querySelector("button[type=submit]")
    if (!this.field || !this.button) return
    this.field.addEventListener("input", () => this.compare())
    this.compare()
  }

  compare() {
    this.button.disabled = this.field.value !== this.dataset.expected
  }
}

customElements.define("typed-confirm", TypedConfirm)
