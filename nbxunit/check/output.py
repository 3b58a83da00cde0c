"""Findings as text for people, JSON for programs, and annotations for GitHub."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from nbxunit.annotation import annotation
from nbxunit.check.findings import Finding

FORMATS = ("text", "json", "github")


def rendered(findings: Sequence[Finding], form: str) -> str:
    """The findings in one of `FORMATS`; of none, text and GitHub's form are empty."""
    if form == "json":
        return json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1)
    return "\n".join(map(_annotation if form == "github" else _text, findings))


def summary(findings: Sequence[Finding], notebooks: int) -> str:
    """How much was checked, and how many findings there are: silence would look like a wrong folder."""
    severities = [finding.severity for finding in findings]
    counts = {word: severities.count(word) for word in ("error", "warning")}
    told = ", ".join(_counted(number, word) for word, number in counts.items() if number)
    return f"{_counted(notebooks, 'notebook')} checked: {told or 'nothing found'}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


def _text(finding: Finding) -> str:
    where = f"cell {finding.cell}, line {finding.line}: " if finding.cell else ""
    return f"{finding.path}:{finding.file_line}: {where}{finding.severity}: {finding.message} [{finding.rule}]"


def _annotation(finding: Finding) -> str:
    where = f"cell {finding.cell}, line {finding.line}: " if finding.cell else ""
    return annotation(
        finding.severity, finding.path, finding.file_line, finding.rule, where + finding.message
    )
