"""What is known of English words besides their class: synonyms, opposites, numbers, countries.

Synonyms, opposites and countries are read from `lexicon/`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from assistant.english import FUNCTION_WORDS, NEGATORS, stem

#: Words that turn what follows into its opposite by their meaning.
DENIALS = frozenset(
    "fail fails failed failing failure refuse refuses refused refusing refusal deny denies "
    "denied denying denial reject rejects rejected rejecting rejection lack lacks lacked "
    "lacking avoid avoids avoided avoiding prevent prevents prevented preventing unable "
    "unlikely impossible little instead rather stop stops stopped stopping cease ceases ceased "
    "unwilling few doubt doubts doubtful oppose opposes opposed withhold limbo end ends ended "
    "absent absence excluding excludes except cut cuts ban bans banned forbid forbids forbidden "
    "misleading hard".split()
)
#: Pairs that WordNet does not hold or holds in other forms: what goes one way and what the other.
OPPOSED = (
    ("increase rise grow gain climb expand widen surge jump boost up", "decrease fall shrink lose "
     "drop reduce decline narrow plunge cut down diminish lessen dwindle"),
    ("strengthen tighten deepen reinforce bolster firm", "weaken loosen erode undermine soften"),
    ("before prior earlier precede until", "after later following follow since"),
    ("more greater larger higher bigger above over stronger closer better most highest largest",
     "less fewer smaller lower below under weaker worse least lowest smallest"),
    ("support back endorse favor favour welcome approve embrace",
     "oppose reject resist condemn criticize criticise"),
    ("toward towards into join enter", "away from leave exit quit"),
    ("import buy purchase", "export sell"),
    ("begin start open launch resume", "end stop close halt suspend cease finish"),
    ("accept allow permit enable", "refuse forbid prohibit ban block prevent"),
    ("win victory success succeed", "lose defeat failure fail"),
    ("strong strength", "weak weakness"),
    ("accelerate hasten quicken", "slow delay decelerate"),
    ("ally friend partner", "enemy rival adversary foe"),
    ("early earliest", "late latest"),
    ("first", "last final"),
    ("advantage benefit", "disadvantage drawback"),
    ("optimism optimistic hope", "pessimism pessimistic despair"),
    ("with", "without"),
    ("pro", "anti"),
    ("improve", "worsen deteriorate"),
    ("advance", "retreat"),
    ("unite unity", "divide split division"),
    ("always", "never"),
    ("everyone everybody all", "nobody none"),
    ("majority", "minority"),
    ("domestic internal", "foreign external"),
    ("public open openly", "secret secretly covert"),
    ("north northern northeast northwest", "south southern southeast southwest"),
    ("east eastern", "west western"),
    ("cautiously", "recklessly"),
    ("tough harsh", "lenient mild"),
    ("big huge massive large great vast enormous biggest largest considerable substantial major",
     "small tiny negligible little minor slight smallest meager meagre minimal"),
    ("help aid assist facilitate ease", "hinder impede obstruct hamper"),
    ("common frequent often frequently widespread usual usually", "rare rarely seldom infrequent"),
    ("abundant ample plentiful", "scarce meager meagre scant"),
    ("close closer near", "distant remote far"),
    ("easy simple", "hard difficult"),
    ("beginning start early", "end late"),
    ("accept", "decline"),
    ("confirm", "deny"),
    ("include", "exclude omit"),
    ("create build", "destroy dismantle"),
    ("attack", "defend"),
    ("agree", "disagree"),
    ("possible likely", "impossible unlikely"),
    ("hopeful", "hopeless"),
    ("rich wealthy", "poor"),
)  # fmt: skip

#: Function words that say which way something goes.
DIRECTIONS = frozenset(
    "more less most least before after until since toward towards against away up down over under "
    "off with without all".split()
)
_IRREGULAR = {
    form: verb
    for verb, forms in {
        "rise": "rose risen", "fall": "fell fallen", "grow": "grew grown", "lose": "lost",
        "shrink": "shrank shrunk", "win": "won", "sell": "sold", "buy": "bought", "leave": "left",
        "begin": "began begun", "give": "gave given", "take": "took taken", "good": "better best",
        "bad": "worse worst", "come": "came", "go": "went gone", "build": "built", "far": "further",
        "forbid": "forbade forbidden", "see": "saw seen", "meet": "met", "hold": "held",
        "say": "said", "lead": "led", "fight": "fought", "break": "broke broken", "keep": "kept",
    }.items()
    for form in forms.split()
}  # fmt: skip

MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|"
        "september sept sep|october oct|november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINAL_ONES = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_ORDINAL_TENS = (
    "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth".split()
)
CARDINALS = (
    {word: n for n, word in enumerate(_ONES)}
    | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
    | {"dozen": 12, "couple": 2, "pair": 2, "decade": 10, "twice": 2, "thrice": 3}
)
ORDINALS = {word: n for n, word in enumerate(_ORDINAL_ONES)} | {
    word: 10 * n for n, word in enumerate(_ORDINAL_TENS, start=2)
}
MAGNITUDES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9,
              "trillion": 10**12}  # fmt: skip
#: Words that count without being numerals.
COUNTS = {
    "both": 2, "bilateral": 2, "bilaterally": 2, "double": 2, "trilateral": 3, "triple": 3,
    "century": 100, "decade": 10, "decades": 10, "half": 0.5, "quarter": 0.25,
}  # fmt: skip
UNITS = {
    unit: (kind, names.split()[0])
    for kind, group in {
        "time": "second seconds|minute minutes|hour hours|day days|week weeks|month months|"
        "year years|decade decades|century centuries",
        "length": "kilometer kilometers kilometre kilometres km|mile miles|meter meters metre "
        "metres|foot feet|inch inches",
        "mass": "kilogram kilograms kg|gram grams|ton tons tonne tonnes|pound pounds",
        "share": "percent %|point points",
        "money": "dollar dollars $|euro euros €|yen ¥|yuan|ruble rubles|sterling £",
    }.items()
    for names in group.split("|")
    for unit in names.split()
}


@cache
def _table() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    table = {}
    text = (files("assistant.verification") / "lexicon" / "words.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        word, synonyms, opposites = line.split("|")
        table[word] = (frozenset(synonyms.split()), frozenset(opposites.split()))
    return table


@cache
def _stems() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Synonyms and opposites by stem."""
    synonyms: dict[str, set[str]] = {}
    opposites: dict[str, set[str]] = {}
    for word, (same, opposed) in _table().items():
        own = stem(word)
        synonyms.setdefault(own, set()).update(map(stem, same))
        opposites.setdefault(own, set()).update(map(stem, opposed))
    for sides in OPPOSED:
        one, other = ({stem(word) for word in side.split()} for side in sides)
        for mine, theirs in ((one, other), (other, one)):
            for own in mine:
                opposites.setdefault(own, set()).update(theirs)
    return synonyms, opposites


def synonyms(own: str) -> set[str]:
    """Stems of words that can mean the same as the word with this stem."""
    return _stems()[0].get(own, set())


def opposites(own: str) -> set[str]:
    """Stems of words that mean the opposite of the word with this stem."""
    return _stems()[1].get(own, set())


@lru_cache(maxsize=65536)
def bases(word: str) -> frozenset[str]:
    """Stems of a lower-case word and of what it is a comparative or an irregular form of."""
    found = {stem(word)}
    if word in _IRREGULAR:
        found.add(stem(_IRREGULAR[word]))
    for end, new in (
        ("ier", "y"),
        ("iest", "y"),
        ("er", ""),
        ("er", "e"),
        ("est", ""),
        ("est", "e"),
    ):
        base = word.removesuffix(end) + new
        if word.endswith(end) and len(base) > 2 and base in _table():
            found.add(stem(base))
    return frozenset(found)


@lru_cache(maxsize=65536)
def opposed(word: str) -> frozenset[str]:
    """Stems of the opposites of a lower-case word, of its comparative's base included."""
    return frozenset(other for own in bases(word) for other in opposites(own))


@lru_cache(maxsize=65536)
def is_negative(word: str) -> bool:
    """Whether a lower-case word denies something: "not", "refuse", "unwelcome"."""
    if word in NEGATORS or word in DENIALS:
        return True
    rests = (
        word.removeprefix(prefix)
        for prefix in ("un", "in", "im", "ir", "il", "non", "dis")
        if word.startswith(prefix)
    )
    return any(stem(rest) in opposites(stem(word)) for rest in rests)


@lru_cache(maxsize=65536)
def is_common(word: str) -> bool:
    """Whether a lower-case word, or what it is an inflection of, is a common English word."""
    if word in FUNCTION_WORDS or word in NEGATORS or word in _table():
        return True
    return any(
        word.endswith(end) and word.removesuffix(end) + new in _table()
        for end, new in (
            ("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""),
            ("er", ""), ("ers", ""), ("ies", "y"), ("ied", "y"), ("r", ""), ("n", ""),
        )
    )  # fmt: skip


@cache
def countries() -> tuple[dict[str, str], dict[str, str]]:
    """Names and adjectives of countries and regions to one name, and their capitals to it; words
    of a name are joined by `_`."""
    names, capitals = {}, {}
    text = (files("assistant.verification") / "lexicon" / "countries.txt").read_text(
        encoding="utf-8"
    )
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        country, others, seats = line.split("|")
        names.update(dict.fromkeys([country, *others.split()], country))
        capitals.update(dict.fromkeys(seats.split(), country))
    return names, capitals
