// Lines that the address names: #L512, or #L512-L530 for several.

const RANGE = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/

export class LogMarks {
  constructor(hash) {
    this.read(hash)
  }

  // Take what the address says; true if it names lines.
  read(hash) {
    const found = RANGE.exec(hash)
    const one = found ? Number(found[1]) : 0
    const other = found?.[2] ? Number(found[2]) : one
    this.first = Math.min(one, other)
    this.last = Math.max(one, other)
    this.anchor = one
    return found !== null
  }

  has(number) {
    return number >= this.first && number <= this.last
  }

  // Mark a line, or all up to it from the one marked before; returns the new hash.
  take(number, extend) {
    const from = extend && this.anchor ? this.anchor : number
    const hash = from === number ? `#L${number}` : `#L${Math.min(from, number)}-L${Math.max(from, number)}`
    this.read(hash)
    this.anchor = from
    return hash
  }
}
