"""What `home-agent check` found at one address, in words."""

from dataclasses import dataclass, field

from village_core.troubles import Trouble


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `trouble` is set when something is wrong."""

    sentence: str
    trouble: Trouble | None = None
    advice: bool = False  # works, and could be better


@dataclass(slots=True)
class Report:
    """What was found at one address."""

    address: str  # without credentials
    findings: list[Finding] = field(default_factory=list)

    @property
    def troubles(self) -> list[Trouble]:
        return [each.trouble for each in self.findings if each.trouble is not None]

    @property
    def exit_code(self) -> int:
        """0: usable as it is; 1: something is wrong."""
        return 1 if self.troubles else 0

    def lines(self) -> list[str]:
        marks = {True: "!!", False: "ok"}
        lines = [self.address]
        for each in self.findings:
            mark = " >" if each.advice else marks[each.trouble is not None]
            lines.append(f"  {mark} {each.sentence}")
        if not self.troubles:
            lines.append("  Nothing is wrong.")
        return lines

    def tell(self, sentence: str, trouble: Trouble | None = None, *, advice: bool = False) -> None:
        finding = Finding(sentence, trouble, advice)
        if finding not in self.findings:
            self.findings.append(finding)
