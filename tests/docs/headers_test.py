"""headers_test.py FOLDER...: every public function, type and method of the headers has a doc comment.

FOLDER... are include folders; the headers of the first one are read, by libclang. Overloads that
stand together share one comment; constructors, operators and conversions that a type has for its
sake (copies, moves, comparisons) need none.
"""

import pathlib
import sys

from clang import cindex

KIND = cindex.CursorKind
TYPES = {KIND.STRUCT_DECL, KIND.CLASS_DECL, KIND.ENUM_DECL, KIND.CLASS_TEMPLATE}
FUNCTIONS = {KIND.FUNCTION_DECL, KIND.FUNCTION_TEMPLATE, KIND.CXX_METHOD}
HIDDEN = {cindex.AccessSpecifier.PRIVATE, cindex.AccessSpecifier.PROTECTED}


def undocumented(scope, header):
    """Yields the declarations of `scope` that `header` writes without a comment."""
    documented = None  # name of the overloads that the last comment is for
    for cursor in scope.get_children():
        if cursor.location.file is None or cursor.location.file.name != str(header):
            continue
        if cursor.kind == KIND.NAMESPACE:
            yield from undocumented(cursor, header)
            continue
        if cursor.access_specifier in HIDDEN:
            continue
        is_type = cursor.kind in TYPES and cursor.is_definition()
        if is_type or cursor.kind in FUNCTIONS:
            if cursor.raw_comment:
                documented = cursor.spelling
            elif cursor.spelling != documented and not cursor.spelling.startswith("operator"):
                yield cursor
        if is_type and cursor.kind != KIND.ENUM_DECL:
            yield from undocumented(cursor, header)


includes = [pathlib.Path(folder).resolve() for folder in sys.argv[1:]]
headers = sorted(includes[0].glob("**/*.hpp"))
if len(headers) < 20:
    sys.exit(f"only {len(headers)} headers in {includes[0]}")
# One translation unit: what the headers include is parsed once.
text = "".join(f'#include "{header}"\n' for header in headers)
unit = cindex.Index.create().parse(
    "all.cpp",
    ["-x", "c++", "-std=c++20", *(f"-I{folder}" for folder in includes)],
    unsaved_files=[("all.cpp", text)],
    options=cindex.TranslationUnit.PARSE_SKIP_FUNCTION_BODIES,
)
for problem in unit.diagnostics:
    if problem.severity >= cindex.Diagnostic.Error:
        sys.exit(f"{problem.location.file}:{problem.location.line}: {problem.spelling}")
seen = {item.include.name for item in unit.get_includes()}
if unread := [header for header in headers if str(header) not in seen]:
    sys.exit(f"not read: {unread[0]}")
missing = [(header, cursor) for header in headers for cursor in undocumented(unit.cursor, header)]
for header, cursor in missing:
    print(f"{header}:{cursor.location.line}: no comment for {cursor.displayname}")
sys.exit(bool(missing))
