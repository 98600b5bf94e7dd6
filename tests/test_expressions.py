"""No regular expression takes time that grows like the square of a text: whoever writes the
documents, the questions and the addresses writes what they are tried on."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import resource
import signal
import time
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT, ran
from hostile import Attack, attacks
from playwright._impl._driver import compute_driver_executable
from pygments.lexers import JavascriptLexer
from pygments.token import String

pytestmark = pytest.mark.long

PACKAGES = ("index", "assistant", "evals")
STATIC = ROOT / "assistant/web/static"
#: Ways to use an expression; those that go through the whole text do the same as `finditer`.
ONCE = ("match", "fullmatch", "search")
METHODS = {name: name for name in ONCE} | dict.fromkeys(
    ("finditer", "findall", "sub", "subn", "split"), "finditer"
)
#: Expressions that are made of something else while the program runs, by what they are made by: one
#: that is.
MADE = {
    r"f'(?<![\\w-]){re.escape(name)}(?![\\w-])'": r"(?<![\w-])answer\-1(?![\w-])",
    r"re.sub('\\{\\w+\\}', '[^/]+', pattern)": "/api/documents/[^/]+/paragraphs/[^/]+",
    "pattern": r"rent[\W_]+(?:\d{1,3}[.)]\s+)?is[\W_]+(?:\d{1,3}[.)]\s+)?due",
    r"f'\\b{re.escape(word)}'": r"\bword",
    r"'[\\W_]*'.join(map(re.escape, tokens))": r"the[\W_]*rent[\W_]*is",
    "re.escape(answer)": "the rent",
}
#: Those that are handed on to what only searches; any other is tried in every way then.
SEARCHED = ("assistant.query.decomposition._SEEN", "assistant.query.decomposition._COMPARED")
#: Expressions whose text is never longer than so many characters, for which they have to take no
#: longer than `QUICK`, and why it is not.
BOUNDED = {"index.chunking.chunker._ENTRY": (80, "so much of the end of a line is looked at")}
QUICK = 0.05
#: Characters that all are tried on, and seconds after which that is looked into. Only seconds of
#: the processor count, and at least so many of them: a busy machine shows nothing else.
LENGTH, SUSPICIOUS, TOLD = 1000, 0.0004, 0.1
#: The longest text that is tried: what takes less than `TOLD` for it is quick enough.
LONGEST = 64_000
#: A text four times as long takes four times as long, and 16 times where that grows like a square.
STEEP = 8.5
#: Seconds after which one try is given up.
GIVEN_UP = 3.0


class Expression:
    """A regular expression of the code: where it is, and how it is used."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self.pattern = pattern
        self.places: set[str] = set()
        self.methods: set[str] = set()

    def text(self, attack: Attack, length: int) -> Any:
        text = attack.text(length)
        return text.encode("latin-1", "ignore") if self._is_bytes else text

    @property
    def attacks(self) -> list[Attack]:
        source, flags = self.pattern.pattern, self.pattern.flags
        if self._is_bytes:
            return attacks(source.decode("latin-1"), flags)
        return attacks(source, flags & ~re.UNICODE)

    @property
    def _is_bytes(self) -> bool:
        return isinstance(self.pattern.pattern, bytes)

    def run(self, method: str, text: Any) -> None:
        if method in ONCE:
            getattr(self.pattern, method)(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


# --- which there are ----------------------------------------------------------------------------


def modules() -> Iterator[types.ModuleType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for package in map(importlib.import_module, PACKAGES):
            yield package
            for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                # What begins when it is imported.
                if not found.name.endswith(".__main__"):
                    yield importlib.import_module(found.name)


class Collection(dict[tuple[Any, int], Expression]):
    """All expressions, each once."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._names: set[str] = set()
        self._seen: dict[int, object] = {}
        found = list(modules())
        self._names = {module.__name__ for module in found}
        for module in found:
            for name, value in vars(module).items():
                if not name.startswith("__"):
                    self._look(value, f"{module.__name__}.{name}")
        for module in found:
            self._read(module)

    def add(self, pattern: re.Pattern[Any], place: str = "", *methods: str) -> None:
        own = self.setdefault((pattern.pattern, pattern.flags), Expression(pattern))
        own.places |= {place} if place else set()
        own.methods |= {METHODS[name] for name in methods}

    def _look(self, value: object, place: str) -> None:
        """At what a name is bound to, and at what that holds."""
        if isinstance(value, re.Pattern):
            self.add(value, place)
        if id(value) in self._seen or isinstance(value, (str, bytes, types.ModuleType)):
            return
        self._seen[id(value)] = value  # kept, so that its id stays its own
        bound = getattr(value, "__self__", None)
        if isinstance(bound, re.Pattern) and callable(value):
            self.add(bound, place, *{value.__name__} & METHODS.keys())  # type: ignore[attr-defined]
        elif isinstance(value, Mapping) and type(value).__module__ in ("builtins", "types"):
            for key, one in value.items():
                self._look(key, place)
                self._look(one, f"{place}[{key!r}]")
        elif isinstance(value, (tuple, list, set, frozenset)):
            for number, one in enumerate(value):
                self._look(one, f"{place}[{number}]")
        elif isinstance(value, partial):
            self._look((value.func, value.args, value.keywords), place)
        elif isinstance(value, type):
            if value.__module__ in self._names:
                for name, one in vars(value).items():
                    self._look(one, f"{place}.{name}")
        elif inspect.isfunction(value):
            if value.__module__ in self._names:
                cells = inspect.getclosurevars(value).nonlocals if value.__closure__ else {}
                self._look((cells, value.__defaults__, value.__kwdefaults__), place)
        elif type(value).__module__ in self._names:
            with suppress(TypeError):  # it has slots
                self._look(vars(value), place)

    def _read(self, module: types.ModuleType) -> None:
        """The code of a module: how its names are used, and what has none."""
        assert module.__file__ is not None
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        within = {one: node for node in ast.walk(tree) for one in ast.iter_child_nodes(node)}

        def value_of(node: ast.expr) -> Any:
            return eval(compile(ast.Expression(node), "", "eval"), vars(module))

        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
                method = ast.unparse(node.func).removeprefix("re.")
                if method in {"compile", *METHODS}:
                    bound = inspect.signature(getattr(re, method)).bind(
                        *node.args, **{one.arg: one.value for one in node.keywords if one.arg}
                    )
                    own, flags = bound.arguments["pattern"], bound.arguments.get("flags")
                    place = f"{module.__name__}:{node.lineno}"
                    try:
                        pattern = re.compile(value_of(own), value_of(flags) if flags else 0)
                    except NameError:
                        self._made(own, flags and value_of(flags), place, method, within)
                    else:
                        self.add(pattern, place, *{method} & METHODS.keys())
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                with suppress(Exception):  # a name of a function
                    pattern = value_of(node)
                    if isinstance(pattern, re.Pattern):
                        self.add(pattern, "", *_uses(within[node], within))

    def _made(
        self, own: ast.expr, flags: Any, place: str, method: str, within: Mapping[Any, ast.AST]
    ) -> None:
        node: Any = own
        while node is not None and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node = within.get(node)
        if node is None:  # the module has it by a name
            return
        if (source := ast.unparse(own)) in MADE:
            self.add(re.compile(MADE[source], flags or 0), place, *{method} & METHODS.keys())
        else:
            self.unknown.append(f"{place}: {source}")


def _uses(node: ast.AST, within: Mapping[Any, ast.AST]) -> Iterable[str]:
    """How a place uses an expression: in any way where it hands it on."""
    if not isinstance(node, ast.Attribute):
        return () if isinstance(node, ast.Compare) else METHODS
    call = within[node]
    if node.attr in ("match", "fullmatch") and isinstance(call, ast.Call) and len(call.args) > 1:
        return (node.attr, "finditer")  # at one place after another
    return {node.attr} & METHODS.keys()


# --- how long they take -------------------------------------------------------------------------


class TooLongError(Exception):
    """It was given up."""


@contextmanager
def given_up() -> Iterator[None]:
    """Inside, what takes too long of the processor raises."""

    def end(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, GIVEN_UP)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _seconds(clock: Callable[[], float], work: Callable[[], None], least: float = 0.0) -> float:
    """Seconds that work takes once; done again until it took `least` in all."""
    times, begun = 0, clock()
    while True:
        work()
        times += 1
        if (took := clock() - begun) >= least:
            return took / times


def growth(expression: Expression, method: str, attack: Attack) -> tuple[int, float] | None:
    """Where the time that it takes grows like the square of the text: a length, and seconds of the
    processor."""

    def taking(length: int, clock: Callable[[], float], least: float = 0.0) -> float:
        text = expression.text(attack, length)
        return _seconds(clock, lambda: expression.run(method, text), least)

    length = LENGTH
    try:
        with given_up():
            first = taking(length, time.perf_counter)
            if first < SUSPICIOUS:
                return None
            quarter = min(taking(length // 4, time.perf_counter) for _ in range(2))
            first = min(first, taking(length, time.perf_counter))
            if first < STEEP * quarter or taking(4 * length, time.perf_counter) < STEEP * first:
                return None
        while 4 * length <= LONGEST:
            with given_up():
                took = taking(4 * length, time.process_time)
            if took >= TOLD:
                break
            length *= 2
        else:
            return None
        for _ in range(3):
            with given_up():
                short = taking(length, time.process_time, TOLD / 2)
            with given_up():
                if taking(4 * length, time.process_time) < STEEP * short:
                    return None
    except TooLongError:
        return 4 * length, GIVEN_UP
    return 4 * length, took


def taken_within(
    expression: Expression, method: str, attack: Attack, most: int
) -> tuple[int, float] | None:
    """The longest text that it is ever given, and seconds of the processor, where these are more
    than `QUICK`."""
    work = partial(expression.run, method, expression.text(attack, most))
    took = min(_seconds(time.process_time, work) for _ in range(3))
    return (most, took) if took > QUICK else None


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        # Where it may begin anywhere, and goes on over what it may begin with.
        (r"\b(?:you|bot)\b|\W*(?:please )?(?:tell|sing) me\b|\W*sing\b", "search"),
        (r"<!--.*?-->", "finditer"),
        (r"(.*\.{3,})?[._]*\d", "fullmatch"),
        (r"(?:\w+,?)*!", "match"),  # each letter takes it twice as long
    ],
)
def test_one_that_does_is_found(pattern: str, method: str) -> None:
    slow = Expression(re.compile(pattern, re.DOTALL))
    assert any(growth(slow, method, attack) for attack in slow.attacks)


def test_no_expression_takes_the_square_of_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    began, tried = time.process_time(), 0
    found = Collection()
    assert not found.unknown, "say in MADE what they are"
    faults = []
    for expression in found.values():
        place = min(expression.places, key=lambda name: (":" in name, name), default="?")
        limit = next((BOUNDED[name] for name in expression.places if name in BOUNDED), None)
        methods = expression.methods or set(METHODS.values())
        for method in ["search"] if place.startswith(SEARCHED) else sorted(methods):
            for attack in expression.attacks:
                tried += 1
                if limit:
                    slow = taken_within(expression, method, attack, limit[0])
                else:
                    slow = growth(expression, method, attack)
                if slow:
                    length, took = slow
                    faults.append(
                        f"{place}.{method}: {took:.2f} s for {length} characters, {attack}"
                    )
                    break
    took = time.process_time() - began
    with capsys.disabled():
        print(f"\n{len(found)} expressions, {tried} texts, {took:.0f} s of the processor")
    assert not faults, "\n".join(faults)


# --- those of the page --------------------------------------------------------------------------

#: The same for the scripts of the page, in Node: what it is given are places, expressions, their
#: flags and texts. Each place is told before it is tried, each fault after it.
SCRIPT = """
const [LENGTH, SUSPICIOUS, TOLD, LONGEST, STEEP] = JSON.parse(process.argv[1]);
const wall = () => performance.now() / 1000;
const processor = () => process.cpuUsage().user / 1e6;
function growth(expression, [prefix, pump, tail]) {
  const taking = (length, clock, least = 0) => {
    const text = prefix + pump.repeat(length / pump.length) + tail;
    let times = 0, took = 0;
    for (const begun = clock(); !times || took < least; took = clock() - begun, times++)
      if (expression.global) [...text.matchAll(expression)]; else expression.test(text);
    return took / times;
  };
  const first = taking(LENGTH, wall);
  if (first < SUSPICIOUS) return null;
  const quarter = Math.min(taking(LENGTH / 4, wall), taking(LENGTH / 4, wall));
  if (Math.min(first, taking(LENGTH, wall)) < STEEP * quarter) return null;
  for (let length = 4 * LENGTH; length <= LONGEST; length *= 2) {
    const took = taking(length, processor);
    if (took < TOLD) continue;
    for (let again = 0; again < 3; again++)
      if (taking(length, processor) < STEEP * taking(length / 4, processor, TOLD / 2)) return null;
    return `${took.toFixed(2)} s for ${length} characters`;
  }
  return null;
}
for (const { place, source, flags, attacks } of JSON.parse(require("fs").readFileSync(0))) {
  console.log(`tries ${place}`);
  for (const attack of attacks) {
    const slow = growth(new RegExp(source, flags), attack);
    if (slow) { console.log(`slow ${place} ${slow}, ${JSON.stringify(attack)}`); break; }
  }
}
"""
#: The only one that a script makes of something else: of words that are looked for.
MADE_THERE = ("reading/search.js", r"the\s+rent", "gi")
#: One that is slow.
SLOW = ("slow", r"\s+$", "u")
#: Node is as much faster.
FASTER = 8


def literals() -> Iterator[tuple[str, str, str]]:
    """The expressions in the scripts of the page: where, what and its flags."""
    made = 0
    for file in sorted(STATIC.rglob("*.js")):
        text = file.read_text(encoding="utf-8")
        made += text.count("RegExp(")
        for offset, token, value in JavascriptLexer().get_tokens_unprocessed(text):
            if token is String.Regex:
                source, flags = value[1:].rsplit("/", 1)
                line = text.count("\n", 0, offset) + 1
                yield f"{file.relative_to(STATIC)}:{line}", source, flags
    assert made == 1
    yield MADE_THERE


def test_none_of_the_page_does_either() -> None:
    tried = [
        {
            "place": place,
            "source": source,
            "flags": flags,
            "attacks": attacks(
                re.sub(r"\\p\{\w+\}", r"\\w", source),
                (re.IGNORECASE if "i" in flags else 0) | (re.DOTALL if "s" in flags else 0),
            ),
        }
        for place, source, flags in (*literals(), SLOW)
    ]
    node, _ = compute_driver_executable()
    given = json.dumps([FASTER * LENGTH, SUSPICIOUS, TOLD, FASTER * LONGEST, STEEP])
    most = partial(resource.setrlimit, resource.RLIMIT_CPU, (120, 120))
    done = ran([node, "-e", SCRIPT, given], input=json.dumps(tried), preexec_fn=most)
    told = done.stdout.splitlines()
    assert done.returncode == 0, (told[-1:], done.stderr)
    assert [line for line in told if line.startswith("slow ")] == told[-1:], "SLOW alone is"
    assert len(told) == len(tried) + 1 > 20
