"""What differs from run to run in a text, and says nothing: addresses, folders, durations, progress.

Imports the standard library. More rules come from the ini and from nbval's files.
"""

from __future__ import annotations

import configparser
import dataclasses
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_NUMBER = r"\d+(?:[.,]\d+)?"
_DURATION = rf"{_NUMBER}\s*(?:ns|[µμu]s|ms|s|sec|min|h)\b(?:\s*{_NUMBER}\s*(?:ns|[µμu]s|ms|s)\b)*"
_FOLDERS = (
    re.escape(tempfile.gettempdir()),
    "/tmp",  # noqa: S108 - a pattern
    "/var/folders/[^/]+/[^/]+/T",
    r"[A-Z]:\\Users\\[^\\]+\\AppData\\Local\\Temp",
)
_TEMPORARY = "|".join(dict.fromkeys(_FOLDERS))


@dataclasses.dataclass(frozen=True)
class Rule:
    """A pattern, and what stands in its place before texts are compared."""

    pattern: re.Pattern[str]
    replacement: str


class RuleError(ValueError):
    """A rule that cannot be read; the message says which one."""


DEFAULTS = (
    Rule(re.compile(r"(?<=[^\w])0x[0-9a-fA-F]{5,16}\b"), "ADDRESS"),
    Rule(re.compile(rf"(?:{_TEMPORARY})[/\\][\w.@~+=-]+(?:[/\\][\w.@~+=-]+)*"), "TEMPORARY"),
    Rule(re.compile(r"<ipython-input-\d+-\w+>"), "CELL"),
    Rule(re.compile(r"^CPU times:.*$", re.MULTILINE), "CPU TIMES"),
    Rule(re.compile(r"^Wall time:.*$", re.MULTILINE), "WALL TIME"),
    Rule(re.compile(r"^Compiler\s*:.*$\n?", re.MULTILINE), ""),
    Rule(
        re.compile(rf"{_DURATION} ± {_DURATION} per loop \(mean ± std\. dev\. of [^)]*\)"), "TIMEIT"
    ),
    Rule(re.compile(rf"\d+ loops?, best of \d+: {_DURATION} per loop"), "TIMEIT"),
    Rule(re.compile(r"^The slowest run took .*$\n?", re.MULTILINE), ""),
    # A progress bar shows its last state, and how long that took differs.
    Rule(re.compile(r"^.*?\d+%\|.*?\|.*$", re.MULTILINE), "PROGRESS"),
    Rule(re.compile(r"^.*?\d+\s?it \[[\d:]+, .*?(?:it/s|s/it)\].*$", re.MULTILINE), "PROGRESS"),
    # A warning names the file that it came from, and the line in it.
    Rule(re.compile(r"^\S.*?:\d+: (?=\w*Warning\b)", re.MULTILINE), "FILE: "),
)
"""The rules for every text."""
_WARNING = r"\S.*?:\d+: \w*Warning: .*\n?"
STDERR = (
    Rule(
        re.compile(rf"^{_WARNING}(?:(?:(?!{_WARNING}).*\n){{0,12}}?  \S.*\n?)?", re.MULTILINE), ""
    ),
)
"""The rule for stderr: no warnings, which pytest takes from cells, and tells in its summary.

Each begins with its place, and ends with its line of code, where there is one; a message may have several lines.
"""
SVG = (
    Rule(re.compile(r"<dc:date>.*?</dc:date>", re.DOTALL), "<dc:date/>"),
    Rule(re.compile(r"<!--.*?-->", re.DOTALL), ""),
    Rule(
        re.compile(r'\b(id|clip-path|xlink:href|href|url)(=["\']|\()(?:url\()?#?[\w.:-]+\)?'),
        r"\1\2ID",
    ),
    Rule(re.compile(r"url\(#[\w.:-]+\)"), "url(#ID)"),
)
"""The rules for SVG: the ids of its objects are made anew each time."""
HTML = (Rule(re.compile(r'\b(id|for|data-[\w-]+)=(["\']).*?\2'), r"\1=ID"), Rule(re.compile(r"#?T_[0-9a-f]{5}\w*"), "STYLE"))  # fmt: skip  # noqa: E501
"""The rules for HTML: the same of styled frames and of widgets' containers."""


def sanitised(text: str, rules: Iterable[Rule]) -> str:
    """`text` with each rule applied in its turn; of lines that a carriage return begins anew the last state."""
    if "\r" in text:
        text = "\n".join(_last_state(line) for line in text.replace("\r\n", "\n").split("\n"))
    for rule in rules:
        text = rule.pattern.sub(rule.replacement, text)
    return text


def _last_state(line: str) -> str:
    states = [state for state in line.split("\r") if state]
    return states[-1] if states else ""


def rules_of_lines(lines: Iterable[str]) -> list[Rule]:
    """The rules of an ini: `REGEX => REPLACEMENT`, one a line. RuleError."""
    rules = []
    for line in lines:
        pattern, arrow, replacement = line.partition("=>")
        if not arrow:
            raise RuleError(f"nbxunit_sanitize: a line is REGEX => REPLACEMENT, not {line!r}")
        rules.append(_rule(pattern.strip(), replacement.strip(), "nbxunit_sanitize"))
    return rules


def rules_of_file(path: Path) -> Iterator[Rule]:
    """The rules of a file as nbval's `--nbval-sanitize-with` takes it: sections of regex and replace."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        for section in parser.sections():
            yield _rule(
                parser.get(section, "regex"), parser.get(section, "replace"), f"{path}: [{section}]"
            )
    except (OSError, configparser.Error, UnicodeDecodeError) as exc:
        raise RuleError(f"{path} cannot be read: {exc}") from exc


def _rule(pattern: str, replacement: str, where: str) -> Rule:
    try:
        return Rule(re.compile(pattern), replacement)
    except re.error as exc:
        raise RuleError(f"{where}: {pattern!r} is not a regular expression: {exc}") from exc
