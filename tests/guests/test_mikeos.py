#!/usr/bin/env python3
"""MikeOS: a real-mode system with its own text user interface."""
from guest_test import case, check, run_cases


@case
def program_list(context):
    machine = context.start_floppy(context.guest("mikeos.img"))
    machine.wait_text(r"MikeOS")
    machine.send_key("ret")
    machine.wait_text(r"Please select a file")
    text = machine.read_text()
    check("EDIT.BIN" in text and "CALC.BAS" in text, "the list lacks files of the floppy")


run_cases()
