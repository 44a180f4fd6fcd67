#!/usr/bin/env python3
"""Makes a manual page of a template and of what the program says of itself.

    manual_page.py PROGRAM TEMPLATE OUTPUT

A template is roff. In it the line '@OPTIONS WORD...@' stands for the options that 'PROGRAM WORD...'
prints as its help, and '@VERBS@' for those of each verb of 'PROGRAM image', so that a page lists
what the program takes and nothing else. '@VERSION@' is the program's version.
"""

import re
import subprocess
import sys
from collections import Counter


def help_lines(program, words):
    result = subprocess.run(program + words, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def escape(text):
    """Of plain text to roff: minus signs that can be copied, no accidental requests."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def text_column(lines):
    """Where the texts begin: behind blanks, in the column where that happens most often."""
    columns = Counter(found.end() for line in lines for found in re.finditer(r"(?<=\S)\s{2,}", line))
    return columns.most_common(1)[0][0] if columns else 0


def option_pages(lines):
    """Roff of the options in a help text: its headings as sub-sections, each option as a paragraph."""
    options = [line for line in lines if re.match(r"  -", line)]
    column = text_column(options)
    for line in lines:
        indent = len(line) - len(line.lstrip())
        name, text = line.strip(), ""
        if indent == 0 and name.endswith(":"):
            yield ".SS " + escape(name[:-1])
        elif line in options:
            if line[column - 1 : column] == " ":
                name, text = line[:column].strip(), line[column:].strip()
            yield ".TP"
            yield ".B " + escape(re.sub(r"\s+", " ", name))
            if text:
                yield escape(text)
        elif indent >= column and name:
            yield escape(name)


def verb_pages(program):
    verbs = [line.split()[0] for line in help_lines(program, ["image", "--help"]) if re.match(r"  [a-z]+ ", line)]
    for verb in verbs:
        lines = help_lines(program, ["image", verb, "--help"])
        yield ".SS " + verb
        yield ".B reprise image " + escape(lines[0].split("image ", 1)[1])
        yield ".PP"
        yield escape(next(line for line in lines[1:] if line))
        yield from option_pages(lines)


def fill_template(program, template):
    version = re.search(r"Reprise ([^)]+)\)", "\n".join(help_lines(program, ["-version"]))).group(1)
    for line in template:
        line = line.rstrip("\n").replace("@VERSION@", version)
        found = re.fullmatch(r"@(OPTIONS|VERBS)((?: \S+)*)@", line)
        if not found:
            yield line
        elif found.group(1) == "VERBS":
            yield from verb_pages(program)
        else:
            yield from option_pages(help_lines(program, found.group(2).split()))


def main():
    # a cross build's program comes with the emulator that runs it: "EMULATOR;PROGRAM"
    program = [word for word in sys.argv[1].split(";") if word]
    template_path, output_path = sys.argv[2:4]
    with open(template_path, encoding="utf-8") as template:
        page = "\n".join(fill_template(program, template)) + "\n"
    with open(output_path, "w", encoding="utf-8") as output:
        output.write(page)


if __name__ == "__main__":
    main()
