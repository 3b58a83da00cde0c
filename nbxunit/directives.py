"""What the first line of a hook cell or test cell says: `class TestDb(request)` <-> Directive.

A cell says it by a magic, `%%xunit_setup module`, or by a comment, `# xunit: setup module`.

Shared by kernel and host, so it imports the standard library only. What a line means belongs here;
what is done about it, in the kernel's magics and registry.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import difflib
import io
import itertools
import keyword
import re
import tokenize
import unicodedata
from collections.abc import Iterable
from typing import Literal, get_args

Kind = Literal["setup", "teardown", "test"]
Scope = Literal["module", "class", "method", "function"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
_OF_A_CLASS: tuple[Scope, ...] = ("class", "method")
_EXPECTED_HOOK = "expected module, class NAME, method NAME or function, e.g. class TestDb(request)"
_EXPECTED_TEST = (
    "expected NAME, NAME(fixture, ...) or Class::NAME, e.g. TestDb::test_insert(tmp_path)"
)

_MAGIC = re.compile(r"%%xunit_(setup|teardown|test)(?:[ \t]+(.*))?$")
_COMMENT = re.compile(r"#[ \t]*xunit:[ \t]*([A-Za-z]\w*)(?:[ \t]+(.*))?$")
_MISPLACED = re.compile(r"#[ \t]*xunit:[ \t]*(?:setup|teardown|test)\b")
_LOADS = re.compile(r"load_ext\b.*\bnbxunit\b|\bnbxunit\b.*\bload_ipython_extension\b")
_CALL = re.compile(r"(?P<head>[^(]*?)\s*(?:\((?P<args>[^()]*)\))?\s*")
_OPTION = re.compile(r"(?:^|(?<=\s))--(?P<name>[^\s=]*)(?:=|\s+|$)")


class DirectiveError(ValueError):
    """A line that names no hook and no test; the message says what was expected."""


@dataclasses.dataclass(frozen=True)
class Directive:
    """One hook or test that a cell declares.

    `scope` is None for a test; `path` is the class, outermost first; `name` is the test's; `marks`
    are mark expressions as they would follow `pytest.mark.`.
    """

    kind: Kind
    scope: Scope | None = None
    path: tuple[str, ...] = ()
    name: str = ""
    fixtures: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The class or test that is meant, in node id form: `TestOuter::TestInner`."""
        return "::".join((*self.path, self.name) if self.name else self.path)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the cell's function: the fixtures, and what its marks parametrize."""
        return tuple(dict.fromkeys([*self.fixtures, *itertools.chain(*map(_argnames, self.marks))]))

    @property
    def label(self) -> str:
        """How messages name it: `class setup of TestDb`, `test TestDb::test_insert`."""
        if self.kind == "test":
            return f"test {self.target}"
        return f"{self.scope} {self.kind}" + (f" of {self.target}" if self.path else "")

    def __str__(self) -> str:
        """The cell's first line; `parse` reads it back."""
        words = [self.scope] if self.scope else []
        call = self.target + (f"({', '.join(self.fixtures)})" if self.fixtures else "")
        joined = "".join(words) + (" " if words and self.target else "") + call
        marks = [f'--mark "{mark}"' for mark in self.marks]
        return f"%%xunit_{self.kind} " + " ".join([joined, *marks])


def lines_of(source: str) -> list[str]:
    """The lines of `source` as Python counts them: other separators of text stand inside strings."""
    *lines, last = re.split(r"\r\n?|\n", source)
    return [*lines, last] if last else lines


def find(source: str) -> tuple[Kind, str, int] | None:
    """The kind, the rest of the line and the line's index, where `source` is one of our cells."""
    lines = lines_of(source)
    index = first(lines)
    match = None if index is None else _MAGIC.match(as_magic(lines[index].rstrip()))
    if index is None or match is None:
        return None
    return match[1], match[2] or "", index  # type: ignore[return-value]


def first(lines: Iterable[str]) -> int | None:
    """The index of the line that may declare: the first one that is not empty.

    Options of Quarto and nbdev (`#| label: x`) must stand above it, since those look for them there.
    """
    return next(
        (index for index, line in enumerate(lines) if line.strip() and not line.startswith("#|")),
        None,
    )


def loads_extension(source: str) -> bool:
    """Whether a cell loads nbxunit: without that, hook and test cells are none in Jupyter."""
    return _LOADS.search(source) is not None


def as_magic(line: str) -> str:
    """`line` as a magic if it is a comment that says the same, else as it is.

    A word that means nothing becomes a magic that does not exist, so that the shell refuses it.
    """
    match = _COMMENT.match(line)
    return f"%%xunit_{match[1]} {match[2] or ''}".rstrip() if match else line


def misplaced(source: str) -> int | None:
    """The number of a line that would declare a hook or test if it were the cell's first."""
    lines = lines_of(source)
    suspects = [number for number, line in enumerate(lines, 1) if _MISPLACED.match(line)]
    index = first(lines)
    place = 0 if index is None else index + 1
    if not set(suspects) - {place}:
        return None
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # IPython's own syntax
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        comments = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
        suspects = [number for number in suspects if number in comments]
    return next((number for number in suspects if number != place), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that is most like `word`, as a question behind it; empty where none is like it."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {close[0]}?" if close else ""


def parse(kind: Kind, line: str) -> Directive:
    """What `line`, the text behind `%%xunit_<kind>`, declares. DirectiveError if it makes no sense."""
    text, marks = _split_options(line)
    match = _CALL.fullmatch(text.strip())
    if match is None:
        raise DirectiveError(
            f"cannot read {text.strip()!r}: {_EXPECTED_TEST if kind == 'test' else _EXPECTED_HOOK}"
        )
    fixtures = _fixtures(match["args"])
    if kind == "test":
        *path, name = _names(match["head"], _EXPECTED_TEST)
        return Directive(kind, None, tuple(path), name, fixtures, marks)
    if marks:
        raise DirectiveError("--mark is for tests; a hook takes no marks")
    scope, of_class = _scope(match["head"])
    return Directive(kind, scope, of_class, "", fixtures)


def _scope(head: str) -> tuple[Scope, tuple[str, ...]]:
    word, _, rest = head.strip().partition(" ")
    scope = next((known for known in SCOPES if known == (word or "function")), None)
    if scope is None:
        raise DirectiveError(
            f"unknown scope {word!r}{did_you_mean(word, SCOPES)}: {_EXPECTED_HOOK}"
        )
    if scope in _OF_A_CLASS:
        if not rest.strip():
            raise DirectiveError(
                f"{scope} needs the name of a class: {scope} NAME, e.g. {scope} TestDb"
            )
        return scope, _names(rest, _EXPECTED_HOOK)
    if rest.strip():
        raise DirectiveError(f"{scope} takes no name, got {rest.strip()!r}: {_EXPECTED_HOOK}")
    return scope, ()


def _names(text: str, expected: str) -> tuple[str, ...]:
    names = tuple(map(_normal, text.strip().split("::")))
    for name in names:
        _check_identifier(name, expected)
    return names


def _fixtures(text: str | None) -> tuple[str, ...]:
    if text is None or not text.strip():
        return ()
    names = tuple(_normal(name.strip()) for name in text.rstrip().removesuffix(",").split(","))
    for name in names:
        _check_identifier(name, "fixtures are names, separated by commas, e.g. (tmp_path, db)")
    if len(set(names)) < len(names):
        raise DirectiveError(f"a fixture is named twice in ({', '.join(names)})")
    return names


def _normal(name: str) -> str:
    """`name` as Python takes it in code: letters that are written in two ways are one."""
    return unicodedata.normalize("NFKC", name)


def _check_identifier(name: str, expected: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        what = f"{name!r} is not a valid name" if name else "a name is missing"
        raise DirectiveError(f"{what}: {expected}")


def _split_options(line: str) -> tuple[str, tuple[str, ...]]:
    """The text before the options, and the values of `--mark`, without the quotes around them."""
    marks = []
    starts = [match for match in _OPTION.finditer(line) if not _is_quoted(line, match.start())]
    for match, following in itertools.zip_longest(starts, starts[1:]):
        if match["name"] != "mark":
            raise DirectiveError(f"unknown option --{match['name']}: there is only --mark EXPR")
        value = line[match.end() : following.start() if following else None].strip()
        marks.append(_mark(_unquoted(value)))
    return line[: starts[0].start()] if starts else line, tuple(marks)


def _is_quoted(line: str, position: int) -> bool:
    """Whether `position` is inside quotes."""
    open_quote = ""
    for char in line[:position]:
        if char in "\"'" and open_quote in ("", char):
            open_quote = "" if open_quote else char
    return bool(open_quote)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _mark(text: str) -> str:
    """`text`, if it can follow `pytest.mark.`."""
    example = "e.g. --mark slow or --mark \"parametrize('n', [1, 2])\""
    if not text.strip():
        raise DirectiveError(f"--mark needs a mark expression, {example}")
    try:
        node = ast.parse(f"pytest.mark.{text}", mode="eval").body
    except (SyntaxError, ValueError) as exc:
        raise DirectiveError(f"bad mark expression {text!r} ({exc}): {example}") from exc
    node = node.func if isinstance(node, ast.Call) else node
    if ast.unparse(node).count(".") != 2 or not isinstance(node, ast.Attribute):  # noqa: PLR2004
        raise DirectiveError(f"bad mark expression {text!r}: one mark at a time, {example}")
    return text


def _argnames(mark: str) -> list[str]:
    """The names that the mark `parametrize` gives to a test, where they are literal."""
    node = ast.parse(mark, mode="eval").body
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "parametrize":
        return []
    named = [word.value for word in node.keywords if word.arg == "argnames"]
    try:
        names = ast.literal_eval([*node.args, *named][0])
    except (ValueError, IndexError):
        return []
    words = names.split(",") if isinstance(names, str) else names
    return [word.strip() for word in words if isinstance(word, str) and word.strip()]
