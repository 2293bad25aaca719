"""What learners read, in English or Korean; flags, JSON and errors are English in either.

English stands where it is said, ``say("rows")``, and is the key of ``korean.TEXTS``. A room with
many texts of its own may keep them in a table by language and look there for ``spoken()``.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGLISH, KOREAN = "en", "ko"
LANGUAGES = (ENGLISH, KOREAN)
SENTENCE_ENDS = re.compile(r"(?<=\.) (?=[A-Z])")
UNLETTERED = (
    "no installed font has Korean letters, so pictures are in English; install one, such as"
    " Noto Sans CJK or Nanum Gothic"
)
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set holds, as POSIX has it

# Of the whole process, not of one thread: the threads that draw a user's figures speak as he does.
_texts: dict[str, dict[str, str]] = {ENGLISH: {}}
_titles: dict[str, dict[str, str]] = {ENGLISH: {}}
_sentences: dict[str, dict[str, str]] = {ENGLISH: {}}
_spoken = [ENGLISH]
_here = local()  # of one thread: what it draws where the letters of the other are not to be had


def of_locale() -> str:
    """The language of the environment: Korean where it says so, else English."""
    locale = next(filter(None, map(os.environ.get, LOCALES)), "")
    is_korean = locale.lower() == KOREAN or locale.lower().startswith(("ko_", "ko.", "ko-"))
    return KOREAN if is_korean else ENGLISH


def spoken() -> str:
    """The language that is spoken now: one of ``LANGUAGES``."""
    return getattr(_here, "language", _spoken[-1])


@contextmanager
def legible(*, letters: bool) -> Iterator[None]:
    """Within, and in this thread alone, English is spoken where there are no ``letters``."""
    if letters or spoken() == ENGLISH:
        yield
        return
    _here.language = ENGLISH
    try:
        yield
    finally:
        del _here.language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within, ``say`` answers in that one of ``LANGUAGES``."""
    if language not in _texts:
        from cnnviz.language.descriptions import SENTENCES  # only for those who read it
        from cnnviz.language.korean import TEXTS
        from cnnviz.language.titles import TITLES

        _texts[language], _titles[language] = TEXTS, TITLES
        _sentences[language] = SENTENCES
    _spoken.append(language)
    try:
        yield
    finally:
        _spoken.pop()


def say(text: str, /, **values: object) -> str:
    """``text`` in the language that is spoken, with ``values`` put into its braces.

    >>> with speaking("ko"):
    ...     say("and {count} more", count=3)
    '외 3개'
    """
    return _texts[spoken()].get(text, text).format(**values)


def titled(title: str) -> str:
    """A kernel's title in the language that is spoken, or as it is where that has none."""
    return _titles[spoken()].get(title, title)


def described(description: str) -> str:
    """What a kernel does, sentence by sentence in the language that is spoken, or as it is."""
    sentences = SENTENCE_ENDS.split(description)
    known = _sentences[spoken()]
    return " ".join(map(known.__getitem__, sentences)) if {*sentences} <= {*known} else description
