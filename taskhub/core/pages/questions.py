"""What a page asks before it does something that cannot be taken back."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question with its two answers.

    Attributes:
        verb, keep: the words of the button that does it, and of the one that does not; without a verb
            there is nothing left to do, and only the way back is offered.
        action, back: where the form goes, and where the other leads.
        facts: (name, value) of what it is about.
        typed: text that has to be typed; the server compares it again.
        checks: (field, words, chosen at first) of choices.
        danger: show the text with its consequences as a warning.
    """

    title: str
    text: str
    verb: str
    keep: str
    action: str
    back: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    consequences: list[str] = field(default_factory=list)
    checks: list[tuple[str, str, bool]] = field(default_factory=list)
    typed: str = ""
    danger: bool = False
