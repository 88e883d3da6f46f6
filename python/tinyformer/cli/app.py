# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The application: its commands, and how errors reach the user."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from tinyformer.cli import bench, build, evaluate, explain, info, simulate
from tinyformer.cli.console import errors
from tinyformer.errors import TinyFormerError
from tinyformer.files import STORAGE, reason

app = typer.Typer(
    name="tinyformer",
    help="Compile encoder transformers to int8 programs for microcontrollers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("compile")(build.compile_command)
app.command("run")(build.run_command)
app.command("eval")(evaluate.eval_command)
app.command("explain")(explain.explain_command)
app.command("simulate")(simulate.simulate_command)
app.command("targets")(info.targets_command)
app.command("doctor")(info.doctor_command)
app.add_typer(bench.app, name="bench")

_state = {"debug": False}


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    _state["debug"] = debug


def main() -> NoReturn:
    """Run a command. Exit code 2 is a user's error, 1 is one of ours."""
    try:
        app()
    except Exception as error:
        if _state["debug"]:
            raise
        text, code = _explain(error)
        errors.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(code)
    sys.exit(0)


def _explain(error: Exception) -> tuple[str, int]:
    """What is printed, and the exit code."""
    if isinstance(error, TinyFormerError):
        return f"error: {error}", 2
    if isinstance(error, OSError) and error.errno in STORAGE:
        return f"error: cannot write: {reason(error)}", 2
    return (
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a bug in TinyFormer; 'tinyformer --debug ...' shows where.",
        1,
    )
