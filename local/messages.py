"""Translations without gettext's programs.

`python -m local.messages compile` writes a `.mo` beside each `.po` that is newer. `update` (`make messages`)
brings the texts of the code into the `.po` files and keeps what is translated. `check` names every text
that is missing, fuzzy, no longer used or translated with other placeholders; its status is then 1.
"""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE_LANGUAGE = "en"  # the texts in the code are English: their English translation is themselves
LANGUAGES = ("nl", SOURCE_LANGUAGE)
ROOMS = ("takedown", "portal", "cases", "accounts", "providers", "audit", "vault", "templates")
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def po_path(language: str, root: Path = ROOT) -> Path:
    """Where a language's texts are kept."""
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def compile_stale(root: Path = ROOT) -> None:
    """Write each `.mo` that is missing or older than its `.po`."""
    for language in LANGUAGES:
        source = po_path(language, root)
        target = source.with_suffix(".mo")
        if not source.exists() or (target.exists() and target.stat().st_mtime > source.stat().st_mtime):
            continue
        half = target.with_suffix(f".{os.getpid()}")  # two makes at once must not read half a file
        with half.open("wb") as writable:
            write_mo(writable, _read(language, root))
        half.replace(target)


def texts(root: Path = ROOT, rooms: Iterable[str] = ROOMS) -> Catalog:
    """Every text for people in the Python code and the templates of these rooms."""
    found = Catalog(charset="utf-8")
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            if path.suffix == ".py":
                code = path.read_bytes()
            elif path.suffix in {".html", ".txt"} and "templates" in path.relative_to(root).parts:
                code = _as_python(path.read_text(encoding="utf-8")).encode()
            else:
                continue
            for _, message, _, context in extract("python", io.BytesIO(code), keywords=KEYWORDS):
                # Without line numbers: a moved line is no change of the texts.
                place = (str(path.relative_to(root)), None)
                found.add(message, context=context, locations=[place])  # type: ignore[list-item]
    return found


def _as_python(template: str) -> str:
    """A template as calls of gettext, as Django's `makemessages` sees it; no string spans two lines."""
    # Here and not above, because `compile` does without Django.
    from django.utils.translation.template import templatize

    return "\n".join(line.strip() for line in templatize(template).splitlines())


def _read(language: str, root: Path) -> Catalog:
    path = po_path(language, root)
    if not path.exists():
        return Catalog(locale=language, domain="django", charset="utf-8")
    with path.open("rb") as readable:
        return read_po(readable, locale=language, domain="django")


def update(root: Path = ROOT, rooms: Iterable[str] = ROOMS) -> None:
    """Bring the `.po` files in step with the code; translations stay, texts that nobody uses any more go."""
    template = texts(root, rooms)
    for language in LANGUAGES:
        catalog = _read(language, root)
        before = _written(catalog)
        catalog.update(template, no_fuzzy_matching=True)
        if language == SOURCE_LANGUAGE:
            for message in _each(catalog):
                message.string = message.id
        path = po_path(language, root)
        if _written(catalog) != before or not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_written(catalog))


def _written(catalog: Catalog) -> bytes:
    """The catalog as a file. The header has no moments of writing: they would differ each time."""
    out = io.BytesIO()
    catalog.header_comment = "# Takedown: texts for people."
    kept = [
        (key, value)
        for key, value in catalog.mime_headers
        if key in {"Language", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Plural-Forms"}
    ]
    body = io.BytesIO()
    write_po(
        body,
        catalog,
        width=110,
        ignore_obsolete=True,
        sort_by_file=True,
        omit_header=True,
        include_lineno=False,
    )
    header = "".join(f'"{key}: {value}\\n"\n' for key, value in kept)
    out.write(f'{catalog.header_comment}\nmsgid ""\nmsgstr ""\n{header}\n'.encode())
    out.write(body.getvalue())
    return out.getvalue()


def faults(root: Path = ROOT, rooms: Iterable[str] = ROOMS) -> Iterator[str]:
    """One line for each text that is not translated rightly into each language."""
    template = texts(root, rooms)
    wanted = {(message.context, _first(message)): message for message in _each(template)}
    for language in LANGUAGES:
        catalog = _read(language, root)
        have = {(message.context, _first(message)): message for message in _each(catalog)}
        for key, message in wanted.items():
            place = ", ".join(file for file, _ in message.locations[:2])
            if key not in have or not all(_strings(have[key])):
                yield f"{language}: missing: {key[1]!r} ({place})"
            elif have[key].fuzzy:
                yield f"{language}: fuzzy: {key[1]!r} ({place})"
        for key in have.keys() - wanted.keys():
            yield f"{language}: no longer used: {key[1]!r}"
        for message, errors in catalog.check():
            for error in errors:
                yield f"{language}: wrong: {_first(message)!r}: {error}"


def _each(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0 done, 1 something is not translated, 2 wrong usage."""
    if arguments == ["compile"]:
        compile_stale()
    elif arguments == ["update"]:
        update()
        compile_stale()
    elif arguments == ["check"]:
        found = sorted(faults())
        for fault in found:
            print(fault)
        print(f"{len(texts())} texts in {len(LANGUAGES)} languages, {len(found)} faults")
        return 1 if found else 0
    else:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
