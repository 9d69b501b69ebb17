"""Pieces of text that mappings are damaged with."""

from __future__ import annotations

TOKENS: tuple[bytes, ...] = (
    *rb"""' " ''' { } ( ) [ ] , : = ; # \ - 0x 1e None True lambda f' r' b' u' }) 'N/A' 'OMIT' '*'""".split(),
    *b"Match({ UseAfter({ ClosestTime({ VersionAfter({ SelectVersion({ GeometricallyNearest({".split(),
    b"Bracket({",
    *(b"\n", b"\r\n", b"\t", b"\x0c", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\\\n", "\u2028é漢".encode()),
    *(
        b"header = {",
        b"selector = Match({",
        b"comment = '''",
        b'"""',
        b"import os",
        b"# calmap: ignore[CM201]",
    ),
    *(b"'name' : ", b"'sha1sum' : ", b"'parkey' : ", b"'substitutions' : {", b"'rmap_relevance' : "),
)
"""Parts of the language, and what is none of it."""

VALUES: tuple[bytes, ...] = (
    *rb"(a|a)*b ((a+)+)+$ (a{1000}{1000}) (\1) (?=a) ({}) { ( > >1e999 <NaN between [!-z]|[z-a]|[[:".split(),
    *b"0000-00-00 2020-01-01T 99999-01-01 ../../etc/passwd /etc/passwd a/b.fits .. hst_0001.pmap".split(),
    *(
        b"BETWEEN 1 nan",
        b"BETWEEN -inf inf",
        b"BETWEEN 9e999 1",
        b"#>1 AND <2 AND >3#",
        b"2020-02-30 25:61:61",
    ),
    *(b"(A == 'X')", b"(A if B else C)", b"(A < B < C < D)", b"(1 < 'a')", b"(A in B)", b"(A.B.C == 'X')"),
    *(b"(" + b"a?" * 500 + b"a" * 500 + b")", b"NOT " * 300 + b"X", b"#>1 OR " * 50 + b"#", b"#" * 400),
    *(
        b"*a" * 300,
        b"*" * 2000 + b"|x",
        b"[" * 200 + b"|x",
        b"A|" * 5000,
        b"|" * 999,
        b"9" * 5000,
        b"1." * 60,
    ),
    *(
        b"(" + b"not " * 500 + b"A)",
        b"(" * 100 + b"A" + b")" * 100,
        b"((A) or" * 60,
        b"\xcc\x81" * 100,
        b" " * 3000,
    ),
    b"Feb 31 9999999999",
)
"""Strings that would be a trap for a careless reader."""

NUMBERS: tuple[bytes, ...] = (
    *b"1e999 1e-999 -1 1_0 00012".split(),
    *(b"9" * 4001, b"9" * 200_000, b"0" * 5000, b"0x" + b"f" * 5000),
)
BRACKETS: tuple[tuple[bytes, bytes], ...] = (
    *((b"(", b")"), (b"[", b"]"), (b"{1:", b"}"), (b"(1,", b")")),
    *((b"Match({'x':", b"})"), (b"UseAfter({'2020-01-01':", b"})")),
)
