"""Finds the grammar files and builds a parser from each once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Transformer

_PACKAGE = Path(__file__).resolve().parents[1]


def grammar_path(name: str) -> Path:
    """Path of a grammar file, in an installed package or in a checkout.

    Raises
    ------
    FileNotFoundError
        If the installation is broken.
    """
    for folder in (_PACKAGE / "grammar", _PACKAGE.parent / "grammar"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"{name} is neither in {_PACKAGE / 'grammar'} nor in {_PACKAGE.parent / 'grammar'}"
    )


@cache
def build(name: str, transformer: type[Transformer[Any, Any]], postlex: type[Any]) -> Lark:
    """LALR parser of a grammar file that lowers as it parses.

    Parameters
    ----------
    name
        File name below ``grammar/``.
    transformer
        Its methods turn each rule's children into a value.
    postlex
        Watches the tokens go by, to refuse what is nested too deeply.
    """
    return Lark(
        grammar_path(name).read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=transformer(),
        postlex=postlex(),
    )
